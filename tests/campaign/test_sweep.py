from __future__ import annotations

import json
import os
import re
import signal
import time
import tomllib
from pathlib import Path

import pytest

from loopwright.catalogue.index import entries
from loopwright.cli.main import main
from loopwright.values import read_json
from tests.running.processes import ROOT, check_equal, held, start

OWN = "tests/campaign/own.py:fragile"
SLOW = "tests/slow_toy.py:slow"


@pytest.fixture(scope="module", autouse=True)
def _in_the_repository():
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(ROOT)
        patch.setenv("PYTHONPATH", f"{ROOT}{os.pathsep}{ROOT / 'src'}")
        yield


def sweep(root: Path, *arguments: str) -> int:
    return main(["sweep", OWN, "--run-dir", str(root), "--quiet", *arguments])


FATES = ("--set", "task.fate=fine,well,poison,crash", "--jobs", "2")


@pytest.fixture(scope="module")
def fates(tmp_path_factory):
    """A sweep of which two runs are fine, one meets numbers that are not finite, and one kills itself."""
    root = tmp_path_factory.mktemp("runs")
    assert sweep(root, *FATES) == 1
    return root / "fragile-sweep/001"


def status(directory: Path) -> dict[str, str]:
    metrics = json.loads((directory / "metrics.json").read_text())
    return {member["set"]["task.fate"]: member["status"] for member in metrics["members"]}


def test_a_member_that_fails_is_a_result_and_one_that_crashes_does_not_take_the_others(fates):
    assert status(fates) == {"fine": "finished", "well": "finished", "poison": "failed", "crash": "unfinished"}
    members = {member["set"]["task.fate"]: member for member in read_json(fates / "metrics.json")["members"]}
    assert "not finite" in members["poison"]["reason"] or "nan" in members["poison"]["reason"]
    assert members["crash"]["reason"] == "exit code -9"


def test_members_are_ordinary_runs(fates):
    run = fates / "members/001-fate=fine,seed=0/001"
    assert run in [entry.path for entry in entries(fates.parents[1])]
    assert (run / "report.html").is_file()
    assert main(["evaluate", str(run)]) == 0
    assert 'experiment = "tests/campaign/own.py:fragile"' in (run / "config.toml").read_text()
    assert read_json(run / "env.json")["command"][:3] == ["loopwright", "train", "--config"]


def test_sweep_toml_says_what_was_asked(fates):
    asked = tomllib.loads((fates / "sweep.toml").read_text())
    assert asked["experiment"] == OWN
    assert asked["set"] == ["task.fate=fine,well,poison,crash"]
    assert asked["varied"] == ["task.fate"]
    assert asked["seeds"] == 1


def test_the_runs_are_compared_in_a_page_of_the_sweep(fates):
    assert "task.fate" in (fates / "report.html").read_text()
    assert "task.fate" in (fates / "report.md").read_text()


def test_the_same_command_again_does_only_what_is_missing(fates, capsys):
    fine = fates / "members/001-fate=fine,seed=0/001"
    poison = fates / "members/003-fate=poison,seed=0/001"
    before = [(run / "metrics.json").stat().st_mtime_ns for run in (fine, poison)]
    assert sweep(fates.parents[1], *FATES) == 1
    assert [(run / "metrics.json").stat().st_mtime_ns for run in (fine, poison)] == before
    assert not (fates.parent / "002").exists()
    out = capsys.readouterr().out.splitlines()
    assert out[-1] == str(fates)
    assert any(line.startswith("best   fate fine: val accuracy") for line in out)
    assert f"next   loopwright evaluate {fine}" in out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--set", "task.faet=a,b"], "did you mean --task.fate?"),
        (["--set", "optimizer.lr=high,low"], "--optimizer.lr: received 'high', a float is expected"),
        (["--set", "batch_size=8,100"], "batch_size 100 is larger than the training split"),
        (["--set", "lr=0.1,1e-1"], "two of the values are the same, optimizer.lr 0.1"),
        (["--set", "lr=0.1..1"], "a range has no grid"),
        (["--set", "seed=1,2", "--seeds", "2"], "both say which seeds"),
        (["--set", "lr=1,2", "--lr", "3"], "received both"),
        ([], "nothing is varied"),
        (["--seeds", "0"], "must be at least 1"),
    ],
)
def test_what_cannot_be_done_is_said_before_anything_is_written(tmp_path, capsys, arguments, message):
    assert sweep(tmp_path, *arguments) == 2
    err = capsys.readouterr().err
    assert message in err
    assert len(err.splitlines()) <= 2
    assert list(tmp_path.iterdir()) == []


def test_a_study_cannot_be_swept(tmp_path, capsys):
    assert main(["sweep", "digits-init", "--set", "lr=1,2", "--run-dir", str(tmp_path)]) == 2
    assert "digits-init is a study" in capsys.readouterr().err


def test_a_sweep_that_is_stopped_or_killed_goes_on_with_the_same_bits(tmp_path, capsys):
    flags = ("--set", "optimizer.lr=0.01", "--run-dir", str(tmp_path), "--quiet")
    directory = tmp_path / "slow-sweep/001"
    first = directory / "members/001-lr=0.01,seed=0"
    process = start("sweep", SLOW, *flags)
    wait_for_step(first / "001", 5)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130, err
    assert f"go on with: loopwright resume {directory}" in err
    assert out.splitlines()[-1] == str(directory)
    assert read_json(directory / "metrics.json")["status"] == "interrupted"

    process = start("resume", str(directory), "--quiet", "--experiment", SLOW)
    wait_for_step(first / "001", steps(first / "001") + 5)
    process.kill()  # its runs notice that they are alone, save, and stop
    process.communicate(timeout=60)

    assert main(["resume", str(directory), "--quiet", "--experiment", SLOW]) == 0
    assert sorted(path.name for path in first.iterdir()) == ["001", "latest"]
    alone = tmp_path / "alone"
    config = f"{first}.toml"
    assert main(["train", "--config", config, "--experiment", SLOW, "--run-dir", str(alone), "--quiet"]) == 0
    check_equal(first / "001", alone / "001-lr=0.01,seed=0/001")


def steps(run: Path) -> int:
    history = run / "logs/history.jsonl"
    return history.read_text().count('"kind":"step"') if history.is_file() else 0


def wait_for_step(run: Path, step: int) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        if steps(run) >= step:
            return
        time.sleep(0.02)
    pytest.fail(f"{run} did not reach step {step}")


def test_more_values_and_seeds_are_added_to_the_sweep_and_what_is_done_is_not_redone(tmp_path):
    assert sweep(tmp_path, "--set", "task.fate=fine", "--seeds", "2") == 0
    made = tmp_path / "fragile-sweep/001"
    first = {run: (run / "metrics.json").stat().st_mtime_ns for run in made.glob("members/*/001")}
    assert len(first) == 2
    begun = read_json(made / "env.json")
    assert sweep(tmp_path, "--set", "task.fate=well,fine", "--seeds", "3", "--jobs", "2") == 0
    assert {run: (run / "metrics.json").stat().st_mtime_ns for run in first} == first
    assert sorted(path.name for path in (made / "members").iterdir() if path.is_dir()) == [
        "001-fate=fine,seed=0",
        "002-fate=fine,seed=1",
        "003-fate=well,seed=0",
        "004-fate=well,seed=1",
        "005-fate=well,seed=2",
        "006-fate=fine,seed=2",
    ]
    metrics = read_json(made / "metrics.json")
    assert (metrics["status"], len(metrics["members"])) == ("finished", 6)
    now = read_json(made / "env.json")
    assert len(now.pop("members")) == 6
    assert now == {name: value for name, value in begun.items() if name != "members"}
    assert "006-fate=fine,seed=2" in (made / "report.md").read_text()
    assert sorted(path.name for path in made.parent.iterdir()) == ["001", "latest"]
    assert main(["resume", str(made), "--experiment", OWN, "--quiet"]) == 0


def test_another_sweep_of_the_same_experiment_is_one_of_its_own(tmp_path):
    assert sweep(tmp_path, "--set", "task.fate=fine,well") == 0
    assert sweep(tmp_path, "--set", "task.fate=fine", "--seeds", "2") == 0
    assert len(list((tmp_path / "fragile-sweep").glob("00*"))) == 2


def test_the_smaller_command_finds_the_sweep_that_has_grown(tmp_path, capsys):
    assert sweep(tmp_path, "--set", "task.fate=fine", "--seeds", "2") == 0
    assert sweep(tmp_path, "--set", "task.fate=fine,well", "--seeds", "2", "--jobs", "2") == 0
    made = tmp_path / "fragile-sweep/001"
    asked = (made / "sweep.toml").read_text()
    trained = {run: run.stat().st_mtime_ns for run in made.glob("members/*/001/metrics.json")}
    arguments = ["sweep", OWN, "--run-dir", str(tmp_path), "--set", "task.fate=fine", "--seeds", "2"]
    capsys.readouterr()
    assert main(arguments) == 0
    said = capsys.readouterr()
    assert f"sweep {made}: 2 runs, 2 done, and 2 runs that were not asked for" in said.err
    assert "fate fine: val accuracy" in said.out
    assert not re.search("^well", said.out, re.MULTILINE)
    assert {run: run.stat().st_mtime_ns for run in made.glob("members/*/001/metrics.json")} == trained
    assert (made / "sweep.toml").read_text() == asked
    assert not (made.parent / "002").exists()


def test_of_several_sweeps_the_one_that_was_asked_for_is_taken(tmp_path):
    assert sweep(tmp_path, "--set", "task.fate=fine", "--seeds", "2") == 0
    assert sweep(tmp_path, "--set", "task.fate=fine,well", "--anew") == 0
    parent = tmp_path / "fragile-sweep"
    assert sweep(tmp_path, "--set", "task.fate=fine", "--seeds", "2") == 0  # the older one, and exactly this
    assert [len(list((parent / name / "members").glob("*.toml"))) for name in ("001", "002")] == [2, 2]


def test_a_file_of_somebody_else_in_a_sweep_is_named_before_anything_is_trained(tmp_path, capsys):
    assert sweep(tmp_path, "--set", "task.fate=fine", "--seeds", "2") == 0
    made = tmp_path / "fragile-sweep/001"
    (made / "report.md").write_text("my words\n")
    assert sweep(tmp_path, "--set", "task.fate=fine", "--seeds", "3") == 2
    assert f"{made / 'report.md'}: is there already" in capsys.readouterr().err
    assert (made / "report.md").read_text() == "my words\n"
    assert not list(made.glob("members/003*/001"))


def test_few_seeds_are_warned_of_before_training(tmp_path, capsys):
    main(["sweep", OWN, "--run-dir", str(tmp_path), "--set", "task.fate=crash,poison", "--seeds", "2", "--jobs", "2"])
    assert "2 seeds show a spread, but cannot tell two settings apart: 5 are the least" in capsys.readouterr().err


def test_a_sweep_that_another_process_is_at_is_not_extended(tmp_path, capsys):
    assert sweep(tmp_path, "--set", "task.fate=fine", "--seeds", "2") == 0
    made = tmp_path / "fragile-sweep/001"
    with held(made):
        assert sweep(tmp_path, "--set", "task.fate=fine", "--seeds", "3") == 2
    assert "is training it" in capsys.readouterr().err
    assert len(list((made / "members").glob("*.toml"))) == 2


def test_a_sweep_whose_extension_was_killed_before_its_end_is_mended(tmp_path):
    assert sweep(tmp_path, "--set", "task.fate=fine,well") == 0
    said = tmp_path / "fragile-sweep/001/sweep.toml"
    whole = said.read_text()
    said.write_text(whole.replace('"task.fate=fine,well"', '"task.fate=fine"'))
    assert said.read_text() != whole
    assert sweep(tmp_path, "--set", "task.fate=fine,well") == 0
    assert said.read_text() == whole
