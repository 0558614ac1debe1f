from __future__ import annotations

import json
from dataclasses import replace

import pytest

from loopwright.cli.bisect import sentence
from loopwright.cli.main import main
from loopwright.experiments.points import points
from loopwright.matching.histories import Parting
from tests.rerunning.making import copied, edit_history, edit_json, files, resumed, trained

pytestmark = pytest.mark.usefixtures("in_the_repository")


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """A run, the same again, and one with another rate."""
    root, short = tmp_path_factory.mktemp("runs"), {"file": "", "steps": 8, "eval_every": 3, "threads": 1}
    chosen = points().optimizer
    faster = replace(chosen, lr=2 * chosen.lr)
    return [trained("points", root, optimizer=optimizer, **short) for optimizer in (chosen, chosen, faster)]


def test_equal_runs_are_exit_code_0(runs, capsys):
    capsys.readouterr()
    assert main(["bisect", str(runs[0]), str(runs[1])]) == 0
    captured = capsys.readouterr()
    assert captured.err == ""
    assert "the records differ in nothing that bits depend on" in captured.out
    assert "steps: all 8 are equal in every bit" in captured.out
    assert "validations: all 2 are equal in every bit" in captured.out
    assert "cause" not in captured.out


def test_runs_that_part_are_exit_code_1_and_a_named_cause(runs, capsys):
    before = [files(run) for run in runs]
    capsys.readouterr()
    assert main(["bisect", str(runs[0]), str(runs[2])]) == 1
    captured = capsys.readouterr()
    lines = captured.out.splitlines()
    assert lines[:2] == [f"A  {runs[0]}", f"B  {runs[2]}"]
    assert ["config", "optimizer.lr", "0.01", "0.02"] in [line.split() for line in lines]
    assert "steps: they part at step 1, 0 before it are equal" in lines
    assert "  A from the first state, a function of the seed: gives what A recorded" in lines
    assert any(line.startswith("  first difference  learning rate, lr") for line in lines)
    assert "cause   another hyper-parameter, optimizer.lr" in lines
    assert captured.err.splitlines() == ["trying the step of A with optimizer.lr of B"]
    assert [files(run) for run in runs] == before


def test_json_says_the_same(runs, capsys):
    capsys.readouterr()
    assert main(["bisect", str(runs[0]), str(runs[2]), "--json", "--quiet"]) == 1
    captured = capsys.readouterr()
    assert captured.err == ""
    told = json.loads(captured.out)
    assert told["part"] is True
    assert told["steps"]["step"] == 1
    assert told["replays"]["alone"] == ["optimizer.lr"]
    assert [cause["name"] for cause in told["causes"]] == ["another hyper-parameter, optimizer.lr"]
    assert main(["bisect", str(runs[0]), str(runs[1]), "--json", "--quiet"]) == 0
    assert json.loads(capsys.readouterr().out)["part"] is False


def test_a_run_that_cannot_be_done_again_is_said_to_be_one(runs, tmp_path, capsys):
    other = copied(runs[2], tmp_path / "other")
    edit_json(other / "env.json", data_sha256="0" * 64)
    capsys.readouterr()
    assert main(["bisect", str(runs[0]), str(other)]) == 1
    out = capsys.readouterr().out
    assert "B cannot be done again here:" in out
    assert "the data have digest" in out
    assert "cause   other data" in out


def test_what_a_record_holds_cannot_write_to_the_terminal(runs, tmp_path, capsys):
    other = copied(runs[1], tmp_path / "other")
    edit_json(other / "env.json", cpu="\x1b[2J")
    assert main(["bisect", str(runs[0]), str(other)]) == 0
    out = capsys.readouterr().out
    assert "\\x1b[2J" in out
    assert "\x1b" not in out


def test_a_record_made_elsewhere_is_told_from_one_that_is_reproduced(runs, tmp_path, capsys):
    other = copied(runs[1], tmp_path / "other")
    edit_history(other, 6, grad_norm=0.5)
    capsys.readouterr()
    assert main(["bisect", str(runs[0]), str(other)]) == 1
    out = capsys.readouterr().out
    assert "gives what A recorded" in out
    assert "does NOT give what B recorded" in out
    assert "both give the same here, in every bit" in out
    assert "cause   other conditions than here" in out


def test_bad_usage_is_exit_code_2(runs, capsys):
    capsys.readouterr()
    for arguments, message in (
        ([str(runs[0])], "the following arguments are required: RUN_B"),
        ([str(runs[0]), "tests"], "tests: not a run"),
        ([str(runs[0]), str(runs[1]), "--jsn"], "'--jsn' is not known, did you mean '--json'?"),
    ):
        assert main(["bisect", *arguments]) == 2
        captured = capsys.readouterr()
        assert captured.out == ""
        assert message in captured.err


def test_two_different_experiments_are_told_to_be_that(runs, tmp_path, capsys):
    other = trained("digits-mlp", tmp_path, file="", steps=2, eval_every=1, threads=1)
    capsys.readouterr()
    assert main(["bisect", str(runs[0]), str(other)]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines[3] == "these are two different experiments; no step is done again"
    assert not any(line.startswith(("cause", "step 1 done again")) for line in lines)


def test_validations_that_are_at_no_step_of_both_are_told():
    assert sentence("validations", Parting(0, 0, 2, 1, lone=1)) == "validations: none that both have; A has 2, B 1"


def test_a_step_that_depends_on_the_process_is_not_said_to_be_the_same(tmp_path, capsys):
    a, b = trained("counting", tmp_path), resumed("counting", tmp_path, after=9, save_every=4)
    capsys.readouterr()
    assert main(["bisect", str(a), str(b), "--quiet"]) == 1
    out = capsys.readouterr().out
    once_more = "once more, from the weights, buffers and optimizer before that step: other bits"
    assert f"A {once_more}, though always the same from a fresh start" in out
    assert "from a fresh start, both give the same, in every bit" in out
    assert "cause   state that is not in the checkpoint" in out
