from __future__ import annotations

import json

import pytest

from loopwright.cli.main import main
from tests.rerunning.making import broken, copied, edit_history, files, trained

pytestmark = pytest.mark.usefixtures("in_the_repository")


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    root = tmp_path_factory.mktemp("runs")
    return trained("digits-mlp", root, file="", shards=2, steps=12, eval_every=5, keep=5, threads=1)


@pytest.fixture
def wrong(run, tmp_path):
    """The run with another loss recorded in step 7."""
    other = copied(run, tmp_path / "wrong")
    edit_history(other, 7, loss={"total": 2.5, "cross_entropy": 2.5})
    return other


def test_a_step_is_shown(run, capsys):
    before = files(run)
    assert main(["replay", str(run), "--step", "7", "--samples", "2"]) == 0
    captured = capsys.readouterr()
    lines = captured.out.splitlines()
    assert lines[0] == f"{run}  step 7, from step-00000005.pt (step 5), 1 step in between done again too"
    assert [line.split()[0] for line in lines[3:9]] == ["loss", "loss", "grad_norm", "lr", "samples", "epoch"]
    assert all(line.endswith("equal") for line in lines[3:9])
    assert lines[9] == "every recorded number is equal in every bit"
    assert sum(line.startswith("shard ") for line in lines) == 2
    assert sum("label" in line for line in lines) == 2
    assert "█" in captured.out
    assert captured.err == ""
    assert max(len(line) for line in lines[1:]) <= 112
    assert files(run) == before


def test_a_difference_is_exit_code_1(wrong, capsys):
    assert main(["replay", str(wrong), "--step", "7", "--quiet"]) == 1
    captured = capsys.readouterr()
    assert captured.err == ""
    assert "DIFFERS by" in captured.out
    assert "relative" in captured.out
    assert "the step is NOT what was recorded" in captured.out
    assert main(["replay", str(wrong), "--step", "8", "--quiet"]) == 0


def test_json_says_the_same(run, wrong, capsys):
    assert main(["replay", str(run), "--step", "7", "--json", "--quiet"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["equal"] is True
    assert told["from"] == "step-00000005.pt (step 5)"
    assert told["steps_between"] == 1
    assert [len(shard["samples"]) for shard in told["shards"]] == [32, 32]
    assert {row["name"] for row in told["parameters"]} >= {"layers.1.weight", "layers.1.bias"}
    assert main(["replay", str(wrong), "--step", "7", "--json", "--quiet"]) == 1
    assert json.loads(capsys.readouterr().out)["equal"] is False


def test_all_shows_every_parameter_in_the_order_of_the_model(run, capsys):
    assert main(["replay", str(run), "--step", "7", "--samples", "0", "--all", "--quiet"]) == 0
    names = [line.split()[0] for line in capsys.readouterr().out.splitlines() if line.startswith("layers.")]
    assert names == [f"layers.{layer}.{kind}" for layer in (1, 4, 7) for kind in ("weight", "bias")]
    assert main(["replay", str(run), "--step", "7", "--samples", "0", "--quiet"]) == 0
    lines = [line.split() for line in capsys.readouterr().out.splitlines() if line.startswith("layers.")]
    norms = [float(cells[2]) for cells in lines]
    assert norms == sorted(norms, reverse=True)


def test_capture_keeps_what_was_computed(run, tmp_path, capsys):
    directory = tmp_path / "captured"
    assert main(["replay", str(run), "--step", "7", "--capture", str(directory), "--quiet"]) == 0
    assert "every recorded number is equal in every bit" in capsys.readouterr().out
    assert {path.name for path in directory.iterdir()} == {"index.json", "outputs-0.pt", "outputs-1.pt"}
    before = files(directory)
    assert main(["replay", str(run), "--step", "7", "--capture", str(directory), "--quiet"]) == 2
    assert files(directory) == before


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--step", "13"], "step 13 is not in its history; choose --step from 1 to 12"),
        (["--step", "0"], "step 0 is not in its history; choose --step from 1 to 12"),
        (["--step", "x"], "argument --step: invalid int value: 'x'"),
        ([], "the following arguments are required: --step"),
        (["--step", "1", "--samples", "-1"], "--samples: received -1, it must be 0 or more"),
        (["--step", "1", "--capture", "src"], "--capture src: is not empty, nothing is overwritten"),
        (["--step", "1", "--al"], "'--al' is not known, did you mean '--all'?"),
    ],
)
def test_bad_usage_is_exit_code_2(run, arguments, message, capsys):
    assert main(["replay", str(run), *arguments]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert message in captured.err


def test_the_step_that_broke_a_run_is_shown_and_captured(tmp_path, capsys):
    run = broken("poisoned", tmp_path)
    step = str(json.loads((run / "metrics.json").read_text())["steps"] + 1)
    assert main(["replay", str(run), "--step", step, "--capture", str(tmp_path / "new"), "--quiet"]) == 0
    out = capsys.readouterr().out
    assert f"the record has no step {step}, for it broke the run: there is nothing to compare with" in out
    assert ["loss", "cross_entropy", "inf"] in [line.split() for line in out.splitlines()]
    assert f"it breaks here too: step {step}: loss cross_entropy inf" in out
    assert "recorded" not in out.partition("\nshard 0")[0]
    assert "12 outputs and 0 attention maps, index.json lists them" in out
    assert (tmp_path / "new/outputs-1.pt").is_file()
    assert main(["replay", str(run), "--step", step, "--json", "--quiet"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["equal"] is None
    assert told["broke"].startswith(f"step {step}: loss cross_entropy inf")


def test_a_step_that_broke_a_run_but_not_here_is_exit_code_1(tmp_path, capsys):
    run = broken("worn", tmp_path)
    assert main(["replay", str(run), "--step", "10", "--quiet"]) == 1
    said = " ".join(capsys.readouterr().out.split())
    assert "here the step does NOT break; the run ended with: step 10: loss cross_entropy nan" in said


def test_of_outputs_that_are_not_finite_the_first_is_named(tmp_path, capsys):
    run = broken("worn", tmp_path)
    (run / "checkpoints").rename(tmp_path / "elsewhere")
    arguments = ["--step", "10", "--all", "--capture", str(tmp_path / "new"), "--quiet"]
    assert main(["replay", str(run), *arguments]) == 0
    assert "3 hold elements that are not finite, first 2 (Worn)" in capsys.readouterr().out


def test_what_is_no_run_is_exit_code_2(capsys):
    assert main(["replay", "tests", "--step", "1"]) == 2
    assert "tests: not a run" in capsys.readouterr().err


def test_what_no_sample_can_be_shown_of_is_told_once(tmp_path, capsys):
    run = trained("plain", tmp_path, shards=2)
    assert main(["replay", str(run), "--step", "7", "--quiet"]) == 0
    assert capsys.readouterr().out.count("the task has no `show(batch, row)`") == 1
    assert main(["replay", str(run), "--step", "7", "--samples", "0", "--quiet"]) == 0
    assert "show(" not in capsys.readouterr().out


def test_a_run_that_is_not_there_is_answered_with_the_nearest(run, capsys):
    assert main(["replay", str(run.parents[1] / "digits-mlq"), "--step", "1"]) == 2
    assert f"did you mean '{run.parent / 'latest'}'?" in capsys.readouterr().err
