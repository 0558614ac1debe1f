from __future__ import annotations

import json
import resource
from dataclasses import replace
from pathlib import Path

import pytest

from loopwright.core import Claim, Expect
from loopwright.errors import NonFiniteError, RunError, StoreError
from loopwright.journal import comparable, read_history
from loopwright.protocols import Hook
from loopwright.reading import file_sha256
from loopwright.running import Origin, Watchers, load_model, resume_run, train_one_experiment
from loopwright.store import read_checkpoint
from tests.store.full_disk import room_for
from tests.toys import Toy, toy

FILES = [
    *("config.toml", "env.json", "findings.json", "metrics.json", "report.html", "report.md", "logs/history.jsonl"),
    *("checkpoints/last.pt", "checkpoints/best.pt", "plots/loss.svg", "plots/metrics.svg", "plots/learning_rate.svg"),
    *("plots/gradient_norm.svg", "plots/throughput.svg"),
]


TOYS = Path(__file__).parents[1] / "toys.py"
ORIGIN = Origin("tests/toys.py:toy", code_sha256=file_sha256(TOYS))


@pytest.fixture(autouse=True)
def _in_the_repository(monkeypatch):
    """One's own experiments are found below the current directory."""
    monkeypatch.chdir(TOYS.parents[1])


def history(run):
    """The records of a run without events and the clock."""
    return [comparable(record) for record in read_history(run / "logs/history.jsonl") if record["kind"] != "event"]


def weights(run, name="last"):
    return {
        key: value.tolist() for key, value in read_checkpoint(run / f"checkpoints/{name}.pt")["state"]["model"].items()
    }


def results(run):
    metrics = json.loads((run / "metrics.json").read_text())
    return {key: value for key, value in metrics.items() if key != "timing"}


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    return train_one_experiment(toy(), tmp_path_factory.mktemp("runs"))


def test_a_finished_run_has_every_file(finished):
    assert [name for name in FILES if not (finished / name).is_file()] == []
    assert (finished.parent / "latest").resolve() == finished.resolve()


def test_the_environment_says_where_the_numbers_come_from(finished):
    env = json.loads((finished / "env.json").read_text())
    for key in (
        "seed",
        "init_sha256",
        "data_sha256",
        "python",
        "torch",
        "cuda",
        "cpu",
        "threads",
        "device",
        "precision",
    ):
        assert key in env, key
    for key in ("git_commit", "git_dirty", "command", "packages", "started", "deterministic", "loopwright"):
        assert key in env, key
    assert env["packages"]["torch"] == env["torch"]
    assert env["seed"] == 0
    assert len(env["init_sha256"]) == len(env["data_sha256"]) == 64


def test_the_summary_has_both_weights_on_every_split(finished):
    metrics = results(finished)
    assert metrics["status"] == "finished"
    assert metrics["stopped"] == "budget"
    assert (metrics["steps"], metrics["epochs"]) == (14, 2.0)
    for split in ("train", "val", "test"):
        for which in ("last", "best"):
            assert set(metrics[split][which]) >= {"loss", "accuracy"}
    validations = [r for r in history(finished) if r["kind"] == "validation"]
    assert metrics["val"]["last"] == validations[-1]["metrics"]
    assert (
        metrics["val"]["best"]["accuracy"]
        == metrics["best"]["value"]
        == max(v["metrics"]["accuracy"] for v in validations)
    )


def test_the_history_has_steps_epochs_and_validations(finished):
    kinds = [record["kind"] for record in history(finished)]
    assert (kinds.count("step"), kinds.count("epoch"), kinds.count("validation")) == (14, 2, 3)
    step = history(finished)[0]
    assert step["loss"].keys() == {"total", "cross_entropy"}
    assert step.keys() >= {"lr", "grad_norm", "samples", "epoch"}


def test_the_best_checkpoint_differs_from_the_last_where_training_got_worse(tmp_path):
    run = train_one_experiment(toy(eval_every=1, epochs=6), tmp_path)
    metrics = results(run)
    assert metrics["best"]["step"] < metrics["steps"]
    assert (run / "checkpoints/best.pt").read_bytes() != (run / "checkpoints/last.pt").read_bytes()
    assert read_checkpoint(run / "checkpoints/best.pt")["step"] == metrics["best"]["step"]


def test_running_twice_differs_in_nothing_but_the_clock(finished, tmp_path):
    again = train_one_experiment(toy(), tmp_path)
    assert history(again) == history(finished)
    assert results(again) == results(finished)
    assert weights(again) == weights(finished)
    envs = [json.loads((run / "env.json").read_text()) for run in (finished, again)]
    for key in ("init_sha256", "data_sha256", "packages", "seed"):
        assert envs[0][key] == envs[1][key]


def test_a_rerun_gets_the_next_number_and_overwrites_nothing(finished):
    before = (finished / "metrics.json").read_bytes()
    again = train_one_experiment(toy(), finished.parent.parent)
    assert again.name == f"{int(finished.name) + 1:03d}"
    assert (finished / "metrics.json").read_bytes() == before


def test_resuming_a_finished_run_changes_nothing(finished):
    before = {path: path.read_bytes() for path in finished.rglob("*.json*")}
    said = []
    assert resume_run(finished, Watchers(say=said.append)) == finished
    assert {path: path.read_bytes() for path in finished.rglob("*.json*")} == before
    assert "finished" in said[0]


class Stop(Exception):
    """Somebody pulled the plug."""


class Plug(Hook):
    def __init__(self, step):
        self.step = step

    def on_step_end(self, report):
        if report.step == self.step:
            raise Stop


@pytest.mark.parametrize("step", [1, 6, 11, 14])
def test_a_run_that_broke_off_goes_on_with_the_same_bits(finished, tmp_path, step):
    with pytest.raises(Stop):
        train_one_experiment(toy(name="tests/toys.py:toy"), tmp_path, Watchers(hooks=[Plug(step)]), origin=ORIGIN)
    run = resume_run(tmp_path / "toy/001")
    assert history(run) == history(finished)
    assert weights(run) == weights(finished)
    assert weights(run, "best") == weights(finished, "best")
    assert {**results(run), "experiment": "toy"} == results(finished)
    events = [r for r in read_history(run / "logs/history.jsonl") if r["kind"] == "event"]
    assert [event["event"] for event in events] == ["failed", "resumed"]
    assert events[0]["reason"] == "Stop: "


def test_a_record_from_other_data_is_not_resumed(tmp_path):
    with pytest.raises(Stop):
        train_one_experiment(toy(name="tests/toys.py:toy"), tmp_path, Watchers(hooks=[Plug(6)]), origin=ORIGIN)
    run = tmp_path / "toy/001"
    env = json.loads((run / "env.json").read_text())
    (run / "env.json").write_text(json.dumps({**env, "data_sha256": "0" * 64}))
    with pytest.raises(RunError, match="the data have digest"):
        resume_run(run)


def test_a_config_that_was_changed_in_the_middle_of_a_run_is_refused(tmp_path):
    with pytest.raises(Stop):
        train_one_experiment(toy(name="tests/toys.py:toy"), tmp_path, Watchers(hooks=[Plug(6)]), origin=ORIGIN)
    run = tmp_path / "toy/001"
    config = (run / "config.toml").read_text()
    (run / "config.toml").write_text(config.replace("lr = 0.01", "lr = 0.5"))
    with pytest.raises(RunError, match=r"config.toml was changed since the run began"):
        resume_run(run)


def test_a_run_without_any_checkpoint_begins_again(finished, tmp_path):
    with pytest.raises(Stop):
        train_one_experiment(toy(name="tests/toys.py:toy"), tmp_path, Watchers(hooks=[Plug(6)]), origin=ORIGIN)
    run = tmp_path / "toy/001"
    for checkpoint in (run / "checkpoints").iterdir():
        checkpoint.unlink()
    resume_run(run)
    assert history(run) == history(finished)
    assert weights(run) == weights(finished)


def test_a_lost_best_checkpoint_is_said_and_never_passed_off_as_the_best(tmp_path):
    experiment = toy(name="tests/toys.py:toy", eval_every=1, epochs=6, keep=1)
    whole = results(train_one_experiment(experiment, tmp_path / "whole", origin=ORIGIN))
    step = whole["best"]["step"]
    assert step + 2 < whole["steps"]
    with pytest.raises(Stop):
        train_one_experiment(experiment, tmp_path, Watchers(hooks=[Plug(step + 2)]), origin=ORIGIN)
    run = tmp_path / "toy/001"
    (run / "checkpoints/best.pt").unlink()
    said = []
    resume_run(run, Watchers(say=said.append))
    found = results(run)
    if found["best"]["step"] == step:  # the resumed run reached the best step again
        assert found["best"] == whole["best"]
    else:
        assert any("stand in for the best" in line for line in said)
        assert found["best"]["value"] is None


def test_the_report_that_a_finished_run_lacks_is_made_on_resume(finished):
    (finished / "report.html").unlink()
    resume_run(finished)
    assert (finished / "report.html").is_file()


def test_a_damaged_newest_checkpoint_is_named_and_the_one_before_is_used(finished, tmp_path):
    with pytest.raises(Stop):
        train_one_experiment(toy(name="tests/toys.py:toy"), tmp_path, Watchers(hooks=[Plug(12)]), origin=ORIGIN)
    run = tmp_path / "toy/001"
    damaged = run / "checkpoints/step-00000010.pt"
    data = bytearray(damaged.read_bytes())
    data[len(data) // 2] ^= 1
    damaged.write_bytes(data)
    said = []
    resume_run(run, Watchers(say=said.append))
    assert any("step-00000010.pt: damaged" in line for line in said)
    assert any("from step-00000005.pt, step 5" in line for line in said)
    assert history(run) == history(finished)
    assert weights(run) == weights(finished)


def test_a_run_that_fails_says_so_in_its_record(tmp_path):
    class Poisoned(Toy):
        def loss(self, model, batch):
            return {name: value * float("nan") for name, value in super().loss(model, batch).items()}

    with pytest.raises(NonFiniteError) as caught:
        train_one_experiment(toy(task=Poisoned()), tmp_path)
    run = tmp_path / "toy/001"
    assert caught.value.__notes__ == [f"to see this step: loopwright replay {run} --step 1"]
    assert results(run)["status"] == "failed"
    assert "loss cross_entropy nan" in results(run)["reason"]
    assert read_history(run / "logs/history.jsonl")[-1]["event"] == "failed"
    assert (run / "report.html").is_file()


def test_on_a_full_disk_it_is_said_how_to_go_on(tmp_path, finished):
    class Filling(Hook):
        def on_step_end(self, report):
            if report.step == 8:
                resource.setrlimit(resource.RLIMIT_FSIZE, (10, hard))

    said, (_, hard) = [], resource.getrlimit(resource.RLIMIT_FSIZE)
    with room_for(10**9), pytest.raises(StoreError, match=r"\(File too large\); make room there") as caught:
        train_one_experiment(toy(), tmp_path, Watchers(hooks=[Filling()], say=said.append), origin=ORIGIN)
    run = tmp_path / "toy/001"
    assert f"then go on with: loopwright resume {run}" in caught.value.__notes__
    assert all(line.count("again") == 0 for line in said)
    assert weights(resume_run(run)) == weights(finished)


def test_claims_are_judged(tmp_path):
    claims = (
        Claim("test.best.accuracy", at_least=0.0),
        Claim("test.best.accuracy", at_least=2.0),
        Claim("no.such", at_most=1.0),
    )
    run = train_one_experiment(replace(toy(), expect=Expect(claims=claims)), tmp_path)
    judged = results(run)["claims"]
    assert [claim["holds"] for claim in judged] == [True, False, False]
    assert judged[2]["reached"] == "nan"


def test_tensorboard_files_parse(tmp_path):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    run = train_one_experiment(toy(tensorboard=True), tmp_path)
    events = EventAccumulator(str(run / "logs/tensorboard"))
    events.Reload()
    assert {"Loss/train", "Loss/val", "Accuracy/val", "LearningRate", "GradientNorm"} <= set(events.Tags()["scalars"])
    assert len(events.Scalars("Loss/train")) == 14


def test_a_trained_model_comes_back(tmp_path):
    run = train_one_experiment(toy(name="tests/toys.py:toy", ema_decay=0.5), tmp_path, origin=ORIGIN)
    model = load_model(run)
    assert not model.training
    task = toy().task
    assert task.evaluate(model, "test") == results(run)["test"]["best"]
    assert (run / "source.py").read_text() == TOYS.read_text()


def test_the_claimed_loss_of_the_first_step_is_judged(tmp_path):
    for start, holds in ((0.69, True), (2.0, False)):
        run = train_one_experiment(replace(toy(), expect=Expect(initial_loss=start)), tmp_path)
        claim = results(run)["claims"][0]
        assert claim["metric"] == "initial_loss"
        assert claim["holds"] is holds, claim
        first = next(record for record in history(run) if record["kind"] == "step")
        assert claim["reached"] == results(run)["initial_loss"] == first["loss"]["total"]
