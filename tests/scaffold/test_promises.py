"""What a project promises: it runs at once, its tests pass, its bits are the engine's."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tomllib
from dataclasses import replace

import pytest
import torch

from loopwright.cli.main import main
from loopwright.core import State, arithmetic, train
from loopwright.initializers import weights_sha256
from loopwright.lines import read_history
from loopwright.protocols import NoJournal, NoStore
from loopwright.report import write_report
from loopwright.running.registry import find
from loopwright.scaffold import check_project
from tests.scaffold.projects import inside, make, passed_in
from tests.scaffold.test_making import own

STEPS = 12
WEIGHTS = f"""
import sys, torch, train
from dataclasses import replace
from pathlib import Path
run = Path("one")
[(run / name).mkdir(parents=True) for name in ("logs", "checkpoints")]
train.train(run, replace(train.Settings(), steps={STEPS}, threads=1))
"""
DYING = """
import os, runpy, signal, sys, torch
sys.argv[1:] = ["--steps", "40", "--eval-every", "7"]
save, left = torch.save, [4]
def dying(content, file):
    left[0] -= 1
    if not left[0]:
        os.kill(os.getpid(), signal.SIGKILL)
    save(content, file)
torch.save = dying
runpy.run_path("train.py", run_name="__main__")
"""


@pytest.fixture(scope="module")
def points(tmp_path_factory):
    return make(tmp_path_factory.mktemp("projects") / "mine", "points")


def test_all_tests_of_a_project_pass(points):
    assert re.match(r"\d\d passed", passed_in(points))


def test_a_project_that_takes_the_task_along_gives_the_bits_of_the_engine(tmp_path):
    assert passed_in(make(tmp_path / "mine", "fsm-micro")).startswith("2 passed")


def test_a_project_of_ones_own_experiment_gives_the_bits_of_the_engine(tmp_path, capsys):
    assert main(["new", str(tmp_path / "mine"), "--from", own(tmp_path)]) == 0
    assert passed_in(tmp_path / "mine").startswith("2 passed")


@pytest.mark.parametrize("name", ["line", "digits-cnn", "tabular"])
def test_train_py_gives_the_bits_of_the_experiment_that_it_was_made_from(tmp_path, name):
    project = make(tmp_path / "mine", name)
    done = inside(project, "-c", WEIGHTS)
    assert done.returncode == 0, done.stderr
    ours = torch.load(project / "one/checkpoints/last.pt", weights_only=True)
    experiment = replace(find(name).make(), steps=STEPS, threads=1, device="cpu")
    with arithmetic(experiment):
        state = State.create(experiment)
        train(experiment, state, journal=NoJournal(), store=NoStore())
    fresh = experiment.task.model()
    fresh.load_state_dict(dict(zip(fresh.state_dict(), ours["model"].values(), strict=True)))
    assert weights_sha256(fresh) == weights_sha256(state.model)


def test_a_killed_command_given_again_goes_on_and_its_run_is_read_by_every_verb(points, capsys, monkeypatch):
    monkeypatch.chdir(points)
    flags = ["--steps", "40", "--eval-every", "7"]
    killed = inside(points, "-c", DYING)
    assert killed.returncode == -9, killed.stderr
    run = points / "runs/points/001"
    assert main(["runs"]) == 0
    assert "killed" in capsys.readouterr().out
    make = ["make", "train", f"PYTHON={sys.executable}", f"ARGS={' '.join(flags)}"]
    # This test may itself be run by make, which tells those below where they are.
    environment = {name: value for name, value in os.environ.items() if "MAKE" not in name and name != "MFLAGS"}
    again = subprocess.run(make, cwd=points, env=environment, capture_output=True, text=True, check=False)
    assert again.returncode == 0, again.stderr
    assert "going on with runs/points/001" in again.stderr
    assert again.stdout.endswith("runs/points/001\n")
    steps = [record["step"] for record in read_history(run / "logs/history.jsonl") if record["kind"] == "step"]
    assert steps == list(range(1, 41))
    assert "is finished" in inside(points, "train.py", *flags, "--unless-done").stderr
    assert inside(points, "train.py", *flags, "--seed", "1").stdout.endswith("runs/points/002\n")
    assert main(["runs", "--json"]) == 0
    listed = json.loads(capsys.readouterr().out)
    assert [found["status"] for found in listed] == ["finished", "finished"]
    assert main(["diagnose", str(run)]) in (0, 1)
    assert "40 steps" in write_report(run).with_suffix(".md").read_text()
    assert tomllib.loads((run / "config.toml").read_text())["steps"] == 40


def test_train_loopwright_py_leaves_a_whole_record_that_the_engine_goes_on_with(points, capsys, monkeypatch):
    monkeypatch.chdir(points)
    done = inside(points, "train_loopwright.py", "--steps", "20")
    assert done.returncode == 0, done.stderr
    assert done.stdout == "runs/points-loopwright/001\n"
    run = points / done.stdout.strip()
    assert json.loads((run / "metrics.json").read_text())["status"] == "finished"
    assert {"report.html", "findings.json", "env.json", "artifacts"} <= {path.name for path in run.iterdir()}
    assert main(["evaluate", str(run)]) == 0
    assert inside(points, "train_loopwright.py", "--steps", "20", "--unless-done").returncode == 0
    assert len(list(run.parent.glob("0*"))) == 1


def test_notes_are_filled_from_the_runs_and_ones_own_words_stay(tmp_path):
    points = make(tmp_path / "mine", "points")
    for seed in ("0", "1"):
        assert inside(points, "train.py", "--steps", "40", "--seed", seed).returncode == 0
    written = (points / "experiments.md").read_text() + "\nMy own words.\n"
    (points / "experiments.md").write_text(written.replace("- Meaning: (your answer)", "- Meaning: it works"))
    run = points / "runs/points/007"
    (run / "logs").mkdir(parents=True)
    (run / "config.toml").write_text("format = 1\nlr = 3.0\nseed = 0\n")
    (run / "logs/history.jsonl").write_text('{"kind": "step", "step": 1, "loss": {"total": 0.7}}\n{"kind": "st')
    for _ in range(2):
        assert inside(points, "fill.py").returncode == 0
    filled = (points / "experiments.md").read_text()
    assert filled.endswith("My own words.\n")
    assert "- Meaning: it works" in filled
    assert "| runs/points/002 | nothing | 1 | finished | 40 |" in filled
    assert filled.count("<!-- end -->") == 1
    assert "runs/points/007: unknown, 1 steps" in (points / "notes/mistakes-and-fixes.md").read_text()
    assert "| points | nothing | 2 | loss |" in (points / "artifacts/results.md").read_text()
    assert "Best of 2 in runs/points" in (points / "notes/weekly-retrospective.md").read_text()
    assert "validation loss lowest" in (points / "postmortem.md").read_text()
    assert inside(tmp_path, str(make(tmp_path / "new", "line") / "fill.py")).returncode == 1  # no runs yet


def test_changed_code_is_another_experiment_and_the_tests_say_what_to_do(tmp_path, capsys, monkeypatch):
    project = make(tmp_path / "mine", "points")
    monkeypatch.chdir(project)
    train_py = project / "train.py"
    pristine = train_py.read_text()
    changed = pristine.replace("loss.backward()", "(1.5 * loss).backward()")
    train_py.write_text(changed)
    flags = ["--steps", "12", "--eval-every", "6"]
    assert inside(project, "train.py", *flags).returncode == 0
    train_py.write_text(pristine)
    assert inside(project, "train.py", *flags).returncode == 0
    assert main(["compare", "runs/points/001", "runs/points/002"]) == 0
    told = capsys.readouterr().out
    assert "in one thing, other code: the experiment's own file\ndiffers" in told
    assert re.search(r"code_sha256 +[0-9a-f]{8} +[0-9a-f]{8}\n", told)
    assert "# with the code of A\n  for s in 1 2 3 4; do python train.py --steps 12" in told
    assert "loopwright train" not in told
    report = (project / "runs/comparisons/001/report.md").read_text()
    assert "(1.5 * loss).backward()" in report  # the difference of both source.py
    assert inside(project, "fill.py").returncode == 0
    filled = (project / "experiments.md").read_text()
    assert "| runs/points/001 | the code | 0 |" in filled  # what nobody has changed is the baseline
    assert "| runs/points/002 | nothing | 0 |" in filled

    train_py.write_text(changed)
    (item,) = (item for item in check_project(project) if item.what == "tests pass")
    assert not item.done
    assert "where you changed train.py on purpose, take this test out" in item.found
