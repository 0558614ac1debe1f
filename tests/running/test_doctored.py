"""The engine's own runs are watched: what is found is said, kept, reported, and an error is an exit code."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
import torch

from loopwright.cli.main import main
from loopwright.core.arithmetic import arithmetic
from loopwright.core.experiment import Experiment
from loopwright.core.loop import train
from loopwright.core.optimizers import Muon
from loopwright.core.state import State
from loopwright.protocols import NoJournal, NoStore
from loopwright.running.doctored import joined
from loopwright.running.registry import find
from loopwright.running.runner import train_one_experiment
from loopwright.running.session import Watchers
from loopwright.store import read_saved


def experiment(name: str, **changed) -> Experiment:
    made = replace(find(name).make(), threads=1, device="cpu", **changed)
    return made.resolved()


def findings(run):
    return json.loads((run / "findings.json").read_text())


@pytest.mark.parametrize(("name", "changed"), [("points", {"steps": 60}), ("digits-mlp", {"steps": 40})])
def test_a_watched_run_has_the_bits_of_the_loop_alone(tmp_path, name, changed):
    made = experiment(name, **changed)
    run = train_one_experiment(made, tmp_path)
    with arithmetic(made):
        state = State.create(made.check())
        train(made, state, journal=NoJournal(), store=NoStore())
    saved = read_saved(run / "checkpoints" / "last.pt")["state"]["model"]
    assert all(torch.equal(saved[key], tensor) for key, tensor in state.model.state_dict().items())
    kept = findings(run)
    assert (kept["findings"], kept["steps"], kept["failures"]) == ([], made.cadence().total, {})


def test_several_optimizers_that_step_as_one_are_watched(tmp_path):
    run = train_one_experiment(experiment("digits-mlp", steps=30, optimizer=Muon(lr=0.02)), tmp_path)
    kept = findings(run)
    assert len(kept["optimizers"]) == 2
    assert kept["failures"] == {}


def test_what_is_wrong_is_said_kept_and_in_the_report(tmp_path):
    said: list[str] = []
    made = experiment("digits-mlp", steps=40, optimizer=replace(experiment("digits-mlp").optimizer, lr=3.0))
    run = train_one_experiment(made, tmp_path, Watchers(say=said.append))
    assert findings(run)["findings"][0]["cause"] == "lr-too-large"
    assert any("lr-too-large" in line for line in said)
    assert "lr-too-large" in (run / "report.html").read_text()
    assert "lr-too-large" in (run / "report.md").read_text()


def test_an_error_is_an_exit_code(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["train", "digits-mlp", "--steps", "40", "--lr", "3", "--quiet", "--threads", "1"]) == 1
    assert "doctor lr-too-large: " in capsys.readouterr().out


def test_a_resumed_run_keeps_what_was_found_before():
    before = {"findings": [{"cause": "dead-units", "where": "a"}, {"cause": "frozen", "where": "b"}, "torn"]}
    now = {"findings": [{"cause": "frozen", "where": "b", "step": 9}], "steps": 3}
    assert joined(before, now) == {
        "findings": [{"cause": "frozen", "where": "b", "step": 9}, {"cause": "dead-units", "where": "a"}],
        "steps": 3,
    }
    assert joined({}, now) == now
    assert joined({"findings": "broken"}, now) == now
