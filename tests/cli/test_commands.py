from __future__ import annotations

import hashlib
import json
import re
import shutil
from pathlib import Path

import pytest

from loopwright.cli.main import HELP, VERBS, main
from loopwright.journal import comparable, read_history

ROOT = Path(__file__).parents[2]
QUICK = ["--steps", "30", "--eval-every", "10", "--quiet"]


@pytest.fixture(autouse=True)
def _in_the_repository(monkeypatch):
    monkeypatch.chdir(ROOT)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    root = tmp_path_factory.mktemp("runs")
    assert main(["train", "points-linear", "--run-dir", str(root), *QUICK]) == 0
    return root / "points-linear/001"


def failing(capsys, *arguments: str) -> str:
    """The message of a command that must fail with exit code 2, in one or two lines, without a traceback."""
    assert main(list(arguments)) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("loopwright: ")
    assert "Traceback" not in captured.err
    assert len(captured.err.splitlines()) <= 2, captured.err
    return captured.err


def history(run: Path) -> list[dict]:
    return [comparable(r) for r in read_history(run / "logs/history.jsonl") if r["kind"] != "event"]


def test_help_names_every_verb(capsys):
    for arguments in ([], ["--help"], ["-h"]):
        assert main(arguments) == 0
        assert capsys.readouterr().out == HELP
    assert all(verb in HELP for verb in VERBS)
    for verb in VERBS:
        if verb not in ("train", "audit"):
            with pytest.raises(SystemExit) as exit_:
                main([verb, "--help"])
            assert exit_.value.code == 0
            assert f"loopwright {verb}" in capsys.readouterr().out


def test_version(capsys):
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == "loopwright 0.1.0\n"


def test_list_has_a_line_for_every_experiment(capsys):
    assert main(["list"]) == 0
    lines = capsys.readouterr().out.splitlines()
    names = {line.split()[0] for line in lines}
    assert {
        "points",
        "line",
        "digits-cnn",
        "digits-mlp",
        "mnist-cnn",
        "mnist-resnet",
        "tabular",
        "points-scale",
    } <= names
    assert all(len(line.split()) > 3 for line in lines)
    assert main(["list", "--json"]) == 0
    assert set(json.loads(capsys.readouterr().out)) == names


def test_train_prints_results_and_ends_with_the_run_directory(tmp_path, capsys):
    assert main(["train", "points-linear", "--run-dir", str(tmp_path), *QUICK]) == 0
    lines = capsys.readouterr().out.splitlines()
    run = tmp_path / "points-linear/001"
    assert lines[-1] == str(run)
    assert lines[-2] == f"report {run / 'report.html'}"
    assert (run / "report.html").is_file()
    assert lines[0].split() == ["split", "metric", "last", "(step", "30)", "best", "(step", "30)"]
    assert any(line.startswith("test   accuracy") for line in lines)


def test_train_help_shows_every_field(capsys):
    assert main(["train", "digits-cnn", "--help"]) == 0
    shown = capsys.readouterr().out
    flags = """
        --epochs --steps --batch-size --lr --patience --seed --deterministic --precision --save-every --eval-every
        --shards --threads --run-dir --device --betas --optimizer.weight-decay --task.width --schedule.warmup
    """
    for flag in flags.split():
        assert flag in shown, flag


def test_help_shows_the_fields_of_what_the_flags_choose(capsys):
    assert main(["train", "points", "--optimizer", "Muon", "--schedule", "Plateau", "--help"]) == 0
    shown = capsys.readouterr().out
    assert "--optimizer.adamw-lr" in shown
    assert "--schedule.patience" in shown


def test_flags_reach_the_record(tmp_path, capsys):
    flags = (
        "--optimizer SGD --optimizer.momentum 0.5 --lr 0.05 --no-shuffle --precision bf16 --task.hidden 8,8 --keep 3"
    )
    assert main(["train", "points-linear", "--run-dir", str(tmp_path), *QUICK, *flags.split()]) == 0
    config = (tmp_path / "points-linear/001/config.toml").read_text()
    for line in ('type = "SGD"', "momentum = 0.5", "lr = 0.05", "shuffle = false", 'precision = "bf16"', "keep = 3"):
        assert line in config, line


def test_epochs_on_the_command_line_replace_the_experiments_own_steps(tmp_path, capsys):
    assert main(["train", "points-linear", "--run-dir", str(tmp_path), "--quiet", "--epochs", "3"]) == 0
    assert json.loads((tmp_path / "points-linear/001/metrics.json").read_text())["steps"] == 3


def test_max_steps_and_amp_are_known(tmp_path, capsys):
    assert main(["train", "points-linear", "--run-dir", str(tmp_path), "--quiet", "--max-steps", "7", "--amp"]) == 0
    run = tmp_path / "points-linear/001"
    assert max(r["step"] for r in history(run)) == 7
    assert json.loads((run / "env.json").read_text())["precision"]["name"] == "bf16"


def test_a_record_reruns_from_its_config(run, tmp_path, capsys):
    assert main(["train", "--config", str(run / "config.toml"), "--run-dir", str(tmp_path), "--quiet"]) == 0
    again = tmp_path / "points-linear/001"
    assert history(again) == history(run)
    assert (again / "config.toml").read_text() == (run / "config.toml").read_text()


def test_flags_win_over_the_config_wherever_they_stand(run, tmp_path, capsys):
    assert (
        main(["train", "--seed", "5", "--config", str(run / "config.toml"), "--run-dir", str(tmp_path), "--quiet"]) == 0
    )
    assert "seed = 5" in (tmp_path / "points-linear/001/config.toml").read_text()


def test_evaluate_prints_json_that_equals_the_summary(run, capsys):
    for checkpoint in ("best", "last"):
        assert main(["evaluate", str(run), "--checkpoint", checkpoint, "--split", "test"]) == 0
        printed = json.loads(capsys.readouterr().out)
        summary = json.loads((run / "metrics.json").read_text())
        assert printed["metrics"] == summary["test"][checkpoint]


def test_evaluate_can_be_told_where(run, capsys):
    assert main(["evaluate", str(run), "--device", "cpu"]) == 0
    capsys.readouterr()
    assert "device: received 'tpu', this machine has" in failing(capsys, "evaluate", str(run), "--device", "tpu")


def test_latest_is_a_run_like_any_other(run, capsys):
    assert main(["evaluate", str(run.parent / "latest")]) == 0
    assert json.loads(capsys.readouterr().out)["run"] == str(run)


def test_runs_lists_what_there_is(run, capsys):
    assert main(["runs", "--run-dir", str(run.parents[1])]) == 0
    assert str(run) in capsys.readouterr().out
    assert main(["runs", "--run-dir", str(run.parents[1]), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)[0]["status"] == "finished"
    assert main(["runs", "--run-dir", str(run / "nothing")]) == 0
    assert "no runs in" in capsys.readouterr().out


def test_runs_tells_a_killed_run_from_one_that_is_running(run, tmp_path, capsys):
    shutil.copytree(run, tmp_path / "points-linear/001")
    (tmp_path / "points-linear/001/metrics.json").write_text('{"status": "running"}')
    assert main(["runs", "--run-dir", str(tmp_path)]) == 0
    assert "killed" in capsys.readouterr().out


def test_report_makes_the_report_again(run, capsys):
    (run / "report.html").unlink()
    assert main(["report", str(run)]) == 0
    assert capsys.readouterr().out == f"{run / 'report.html'}\n"
    assert (run / "report.html").is_file()


def test_env_measures_every_precision(capsys):
    assert main(["env", "--json"]) == 0
    env = json.loads(capsys.readouterr().out)
    assert set(env["matmul"]) == {"fp32", "fp32-fast", "bf16", "fp16"}
    assert env["matmul"]["fp32"]["gflops"] > 0
    assert main(["env"]) == 0
    assert "GFLOP/s" in capsys.readouterr().out


def test_a_missed_claim_is_exit_code_1(tmp_path, capsys):
    own = tmp_path / "mine.py"
    own.write_text(
        "from dataclasses import replace\n"
        "from loopwright.core import Claim, Expect, Experiment\n"
        "from loopwright.experiments.points import points_linear\n"
        "def hopeless() -> Experiment:\n"
        '    """Claims too much."""\n'
        '    expect = Expect(claims=(Claim("test.best.accuracy", at_least=2.0),))\n'
        "    return replace(points_linear(), steps=5, expect=expect)\n"
    )
    assert main(["train", f"{own}:hopeless", "--run-dir", str(tmp_path), "--quiet"]) == 1
    assert "MISSED" in capsys.readouterr().out
    assert (tmp_path / "hopeless/001/config.toml").is_file()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["trian", "points"], "verb 'trian': not known, did you mean 'train'?"),
        (["train", "digit-cnn"], "experiment 'digit-cnn': not known, did you mean 'digits-cnn'?"),
        (["train"], "train: which experiment?"),
        (["train", "points", "--optimzer.lr", "1"], "--optimizer.lr"),
        (["train", "points", "--leraning-rate", "1"], "--leraning-rate: Experiment has no field"),
        (["train", "points", "--lr", "fast"], "--optimizer.lr: received 'fast', a float is expected"),
        (["train", "points", "--steps", "1.5"], "--steps: received '1.5', an int"),
        (["train", "points", "--precision", "fp8"], "one of fp32, fp32-fast, bf16, fp16"),
        (["train", "points", "--lr"], "--optimizer.lr: received nothing"),
        (["train", "points", "stray"], "'stray': a flag is expected here"),
        (["train", "points", "--batch-size", "101"], "batch_size 101 is larger than the training split (100 samples)"),
        (["train", "points", "--device", "tpu"], "device: received 'tpu', this machine has"),
        (["train", "points", "--clip-norm", "none"], "--clip-norm: largest gradient norm; 0 turns clipping off"),
        (["replay", "runs/none/001", "--step", "1"], "no such run; `loopwright runs` lists those there are"),
        (["train", "points", "--lr", "-1"], "optimizer.lr: received -1.0, it must be 0 or more"),
        (["train", "points", "--betas", "1.5,2"], "optimizer.betas: received (1.5, 2.0), it must be in [0, 1)"),
        (["train", "points", "--schedule.warmup", "-1"], "schedule.warmup: received -1.0"),
        (["train", "points", "--threads", "-1"], "threads: received -1, it must be at least 1"),
        (["train", "points", "--epochs", "inf"], "epochs: received inf, it must be above 0 and finite"),
        (["train", "digits-mlp", "--task.dropout", "2"], "dropout probability has to be between 0 and 1"),
        (["train", "tests/toys.py:noisy"], "noisy needs arguments; name one that needs none"),
        (["train", "points", "--task.n", "1"], "received n = 1, two classes need at least 2"),
        (["train", "points", "--config", "x.toml"], "the experiment's name comes first, or --config FILE"),
        (["train", "--config", "no.toml"], "no.toml: cannot be read"),
        (["train", "no/such.py:thing"], "no/such.py: no such file"),
        (["train", "no_such_module:thing"], "module 'no_such_module'"),
        (["train", "tests/toys.py:tyo"], "tests/toys.py has no function 'tyo', did you mean 'toy'?"),
        (["train", "mnist-cnn", "--data-dir", "/nonexistent"], "/nonexistent"),
        (["resume", "runs/none/001"], "runs/none/001: no such run"),
        (["resume", "tests"], "tests: not a run, it has no config.toml and no env.json"),
        (["evaluate", "tests"], "tests: not a run"),
        (["report", "tests"], "tests: not a run"),
        (["evaluate"], "the following arguments are required: run"),
        (["evaluate", "tests", "--split", "tset"], "invalid choice: 'tset'"),
        (["runs", "--jsn"], "'--jsn' is not known, did you mean '--json'?"),
    ],
    ids=lambda value: " ".join(value)[:40] if isinstance(value, list) else "",
)
def test_bad_input_is_exit_code_2_and_a_message_with_the_remedy(arguments, message, tmp_path, capsys):
    extra = ["--run-dir", str(tmp_path), "--quiet"] if arguments[0] == "train" and len(arguments) > 1 else []
    assert message in failing(capsys, *arguments, *extra)


def test_nothing_is_written_where_the_input_is_bad(tmp_path, capsys):
    failing(capsys, "train", "points", "--batch-size", "101", "--run-dir", str(tmp_path / "runs"))
    assert not (tmp_path / "runs").exists()


def test_a_config_from_a_newer_version_is_refused_with_its_line(run, tmp_path, capsys):
    config = tmp_path / "config.toml"
    config.write_text((run / "config.toml").read_text().replace("format = 1", "format = 2"))
    message = failing(capsys, "train", "--config", str(config), "--run-dir", str(tmp_path))
    assert f"{config}:1: was written by format 2, this version reads up to 1" in message


def test_an_unknown_key_of_a_config_is_refused_with_its_line(run, tmp_path, capsys):
    config = tmp_path / "config.toml"
    config.write_text((run / "config.toml").read_text().replace("batch_size", "batch_szie"))
    message = failing(capsys, "train", "--config", str(config), "--run-dir", str(tmp_path))
    assert "config.toml:" in message
    assert "did you mean batch_size?" in message


def test_a_record_never_chooses_what_is_imported(tmp_path, capsys):
    """A run directory from a stranger names their code; it is not run, wherever it lies."""
    stranger = tmp_path / "stranger"
    stranger.mkdir()
    (stranger / "evil.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')\n")
    text = f'format = 1\nexperiment = "{stranger}/evil.py:go"\ncode_sha256 = "0"\n'
    (stranger / "config.toml").write_text(text)
    (stranger / "env.json").write_text("{}")
    for arguments in (
        ["resume", str(stranger)],
        ["evaluate", str(stranger)],
        ["train", "--config", str(stranger / "config.toml")],
    ):
        assert "may not choose" in failing(capsys, *arguments)
    (stranger / "config.toml").write_text('format = 1\nexperiment = "os:getcwd"\n')
    assert "may not choose" in failing(capsys, "resume", str(stranger))
    assert not (tmp_path / "ran").exists()


def test_own_code_that_has_changed_is_not_run(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    own = "from loopwright.core import Experiment\nfrom loopwright.experiments.points import points_linear\n"
    own += "def mine() -> Experiment:\n    return points_linear()\n"
    Path("mine.py").write_text(own)
    assert main(["train", "mine.py:mine", *QUICK]) == 0
    capsys.readouterr()
    assert main(["evaluate", "runs/mine/001"]) == 0
    capsys.readouterr()
    Path("mine.py").write_text(own + "# changed\n")
    assert "mine.py has changed since the run began" in failing(capsys, "evaluate", "runs/mine/001")


def test_a_checkpoint_of_another_model_lists_its_keys(run, tmp_path, capsys):
    copy = tmp_path / "runs/points-linear/001"
    shutil.copytree(run, copy)
    config = (copy / "config.toml").read_text().replace("    64,\n    64,\n", "    64,\n    32,\n")
    (copy / "config.toml").write_text(config)
    assert main(["evaluate", str(copy)]) == 2
    message = capsys.readouterr().err
    assert "belongs to another model than MLP" in message
    assert "shape: layers.4.weight is (64, 64) in the checkpoint, (32, 64) in the model" in message


@pytest.mark.parametrize(("damaged", "other"), [("last", "best"), ("best", "last")])
def test_a_damaged_checkpoint_is_answered_with_the_other_one(damaged, other, run, tmp_path, capsys):
    copy = tmp_path / "runs/points-linear/001"
    shutil.copytree(run, copy)
    (copy / f"checkpoints/{damaged}.pt").write_bytes(b"")
    assert f"; try --checkpoint {other}\n" in failing(capsys, "evaluate", str(copy), "--checkpoint", damaged)


def test_a_metric_that_is_not_evaluated_ends_the_run_with_the_nearest_name(tmp_path, capsys):
    flags = ["--metric", "acuracy", "--steps", "2", "--run-dir", str(tmp_path), "--quiet"]
    assert main(["train", "points", *flags]) == 2
    captured = capsys.readouterr()
    assert "metric: 'acuracy' is not what the evaluation gives, did you mean 'accuracy'? Set --metric" in captured.err
    assert json.loads((tmp_path / "points/001/metrics.json").read_text())["status"] == "failed"


def test_traceback_is_shown_on_request(capsys):
    assert main(["train", "digit-cnn", "--traceback"]) == 2
    error = capsys.readouterr().err
    assert "Traceback" in error
    assert error.splitlines()[-1].startswith("loopwright: experiment 'digit-cnn'")


def test_code_that_came_with_a_record_is_not_run_even_below_the_current_directory(tmp_path, monkeypatch, capsys):
    """The stranger knows the digest of their own file; they must not get it run by being unpacked into runs/."""
    monkeypatch.chdir(tmp_path)
    stranger = Path("runs/stranger/001")
    stranger.mkdir(parents=True)
    (stranger / "env.json").write_text("{}")
    for place in ("runs/stranger/001/evil.py", "runs/stranger/evil.py", "runs/evil.py"):
        Path(place).write_text("open('ran', 'w')\n")
        digest = hashlib.sha256(Path(place).read_bytes()).hexdigest()
        text = f'format = 1\nexperiment = "{place}:go"\ncode_sha256 = "{digest}"\n'
        (stranger / "config.toml").write_text(text)
        assert "may not choose" in failing(capsys, "evaluate", str(stranger))
    assert not Path("ran").exists()


def test_a_module_that_has_changed_is_not_taken_for_the_old_one(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    own = "from loopwright.core import Experiment\nfrom loopwright.experiments.points import points_linear\n"
    Path("own_module.py").write_text(own + "def mine() -> Experiment:\n    return points_linear()\n")
    assert main(["train", "own_module:mine", *QUICK]) == 0
    config = Path("runs/mine/001/config.toml")
    config.write_text(re.sub('code_sha256 = ".{64}"', f'code_sha256 = "{"0" * 64}"', config.read_text()))
    capsys.readouterr()
    assert "may not choose" in failing(capsys, "evaluate", "runs/mine/001")
    assert "has changed" in failing(capsys, "evaluate", "runs/mine/001", "--experiment", "own_module:mine")


def test_a_changed_experiment_says_which_claims_are_not_judged(tmp_path, capsys):
    assert main(["train", "points-linear", "--run-dir", str(tmp_path), *QUICK]) == 0
    assert "claims not judged: eval_every, steps differ from points-linear's" in capsys.readouterr().out
