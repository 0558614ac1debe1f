"""Runs that were really trained."""

from __future__ import annotations

import json
import subprocess
import sys

from loopwright.cli.main import main


def test_trained_runs_are_grouped_by_seed_and_differ_in_one_key(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    for rate, seed in (("0.01", "0"), ("0.01", "1"), ("0.003", "0")):
        assert main(["train", "points", "--steps", "60", "--lr", rate, "--seed", seed, "--quiet"]) == 0
    capsys.readouterr()
    assert main(["compare", "runs/points", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert [group["seeds"] for group in found["groups"]] == [[0, 1], [0]]
    assert found["changed"] == {"optimizer.lr": {"A": "0.01", "B": "0.003"}}
    assert found["controlled"]
    assert found["deciding"] == "val.best.loss"
    first, second = found["results"][0]["groups"].values()
    assert (first["n"], second["n"]) == (2, 1)
    assert second["beside_baseline"]["verdict"] == "open"


def test_comparing_does_not_wait_for_torch():
    code = "import sys, loopwright.cli.compare; print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
