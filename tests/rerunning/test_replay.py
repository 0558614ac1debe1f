from __future__ import annotations

import json
import math
import shutil

import pytest
import torch

from loopwright.core import Plateau, State, train_step
from loopwright.errors import NonFiniteError, RunError
from loopwright.lines import read_history
from loopwright.rerunning.differences import digits, ulps
from loopwright.rerunning.replay import replay
from loopwright.rerunning.rerun import Recorded
from loopwright.rerunning.trace import broken_record, module_calls, trace_step
from loopwright.running import Watchers
from tests.rerunning.making import broken, copied, edit_history, edit_json, files, resumed, trained
from tests.toys import bits, toy

pytestmark = pytest.mark.usefixtures("in_the_repository")


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """14 steps, checkpoints kept after 12 and 14, and the best."""
    return trained("plain", tmp_path_factory.mktemp("runs"), shards=2)


@pytest.mark.parametrize("step", [1, 2, 5, 7, 12, 13, 14])
def test_a_step_done_again_has_the_bits_that_were_recorded(run, step):
    done = replay(run, step)
    assert done.equal
    recorded = next(r for r in read_history(run / "logs/history.jsonl") if r["kind"] == "step" and r["step"] == step)
    assert {**done.trace.record, "seconds": recorded["seconds"]} == recorded


def test_a_step_begins_at_the_nearest_checkpoint_before_it(run, tmp_path):
    assert replay(run, 13).origin == "step-00000012.pt (step 12)"
    assert replay(run, 13).began == 12
    assert replay(run, 14).began == 12
    without = copied(run, tmp_path / "without")
    shutil.rmtree(without / "checkpoints")
    assert replay(without, 13).began == 0
    assert replay(without, 13).equal


def test_the_best_checkpoint_is_a_start_too_and_a_damaged_one_is_passed_over(run, tmp_path):
    only = copied(run, tmp_path / "only")
    directory = only / "checkpoints"
    (directory / "step-00000012.pt").replace(directory / "best.pt")
    for path in directory.iterdir():
        if path.name != "best.pt":
            path.unlink()
    assert replay(only, 14).origin == "best.pt (step 12)"
    assert replay(only, 12).began == 0
    damaged = copied(run, tmp_path / "damaged")
    (damaged / "checkpoints/last.pt").unlink()  # a copied run has it as a file of its own
    (damaged / "checkpoints/best.pt").unlink()
    path = damaged / "checkpoints/step-00000012.pt"
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    said = []
    done = replay(damaged, 13, watchers=Watchers(say=said.append))
    assert done.began < 12
    assert done.equal
    assert any("step-00000012.pt: damaged" in line for line in said)


def test_replaying_writes_nothing_into_the_run(run):
    before = files(run)
    replay(run, 6)
    replay(run, 14, watching=module_calls)
    assert files(run) == before


def test_watching_a_step_changes_no_bit():
    experiment = toy(shards=2)
    after = []
    for watch in (True, False):
        state = State.create(experiment)
        shards = next(iter(experiment.task.data.batches(experiment.plan(), start=0)))
        if watch:
            trace_step(experiment, state, experiment.cadence(), shards, module_calls)
        else:
            train_step(experiment, state, experiment.cadence(), shards)
        after.append(bits(state))
    assert after[0] == after[1]


def test_what_differs_is_told_in_ulps(run, tmp_path):
    other = copied(run, tmp_path / "other")
    recorded = replay(run, 9).trace.record["loss"]["total"]
    loss = math.nextafter(recorded, math.inf)
    edit_history(other, 9, loss={"total": loss, "cross_entropy": recorded})
    done = replay(other, 9)
    wrong = [check for check in done.numbers if not check.equal]
    assert [check.name for check in wrong] == ["loss"]
    assert wrong[0].ulps == 1
    assert wrong[0].relative == abs(recorded - loss) / loss


def test_a_step_that_differs_is_told_where_it_was_recorded(run, tmp_path):
    other = copied(run, tmp_path / "other")
    edit_json(other / "env.json", torch="2.12.0", cpu="an abacus")
    assert replay(other, 9).elsewhere == ()
    edit_history(other, 9, grad_norm=0.5)
    told = {change.name: change.a for change in replay(other, 9).elsewhere}
    assert told == {"torch": "2.12.0", "cpu": "an abacus"}


def test_a_step_after_a_resume_that_differs_is_told_how_to_look_for_state_outside_of_the_checkpoint(run, tmp_path):
    assert replay(run, 13).hint == ""
    done = replay(resumed("fading", tmp_path, after=9, save_every=4), 14)
    assert not done.equal
    assert done.hint.startswith("the run was resumed after step 8: ")
    assert done.hint.endswith("`loopwright audit tests/rerunning/own.py:fading --only sigterm` finds out")
    other = copied(run, tmp_path / "other")
    for step in (1, 13):
        edit_history(other, step, grad_norm=0.5)
    assert replay(other, 13).hint.startswith("this began at the checkpoint step-00000012.pt (step 12): ")
    assert replay(other, 1).hint == ""


def test_a_task_that_cannot_show_samples_is_told(run):
    assert not replay(run, 1).shows
    assert replay(run, 1, samples=0).shows


def test_numbers_have_the_digits_that_tell_them_apart():
    assert digits(torch.tensor(0.1).item()) == "0.100000001"
    assert digits(0.1) == "0.1"
    assert digits(math.nextafter(0.1, 1)) == "0.10000000000000002"
    assert (digits(3), digits(math.nan), digits(None)) == ("3", "nan", "")


def test_ulps_count_the_numbers_in_between():
    assert ulps(1.0, 1.0 + 2**-23) == 1
    assert ulps(1.0, 2.0) == 2**23
    assert ulps(-0.0, 0.0) == 0
    assert ulps(-(2.0**-149), 2.0**-149) == 2
    assert ulps(0.1, math.nextafter(0.1, 1)) == 1
    assert ulps(1.0, math.nan) is None


def test_a_step_outside_of_the_history_is_answered_with_the_range(run):
    for step in (0, -3, 15):
        with pytest.raises(RunError, match=rf"step {step} is not in its history; choose --step from 1 to 14"):
            replay(run, step)


def test_a_run_without_a_step_is_refused(run, tmp_path):
    empty = copied(run, tmp_path / "empty")
    edit_json(empty / "metrics.json", status="finished")
    (empty / "logs/history.jsonl").write_text("")
    with pytest.raises(RunError, match="no step is in its history"):
        replay(empty, 1)
    (empty / "logs/history.jsonl").unlink()
    with pytest.raises(RunError, match="no step is in its history"):
        replay(empty, 1)


def test_a_study_is_refused(run, tmp_path):
    study = copied(run, tmp_path / "study")
    edit_json(study / "env.json", members=["one"])
    with pytest.raises(RunError, match="a study has no steps of its own; name one of the runs below"):
        replay(study, 1)


def test_a_run_on_other_data_is_refused(run, tmp_path):
    other = copied(run, tmp_path / "other")
    edit_json(other / "env.json", data_sha256="0" * 64)
    with pytest.raises(RunError, match="the data have digest"):
        replay(other, 1)


def test_a_run_on_other_code_is_refused(run, tmp_path):
    other = copied(run, tmp_path / "other")
    config = (other / "config.toml").read_text()
    (other / "config.toml").write_text(config.replace('code_sha256 = "', 'code_sha256 = "f'))
    with pytest.raises(RunError, match="has changed since the run began"):
        replay(other, 1)


def test_a_killed_run_is_replayed_as_far_as_its_history_goes(run, tmp_path):
    killed = copied(run, tmp_path / "killed")
    (killed / "metrics.json").unlink()
    path = killed / "logs/history.jsonl"
    lines = path.read_bytes().splitlines(keepends=True)
    kept = [line for line in lines if json.loads(line)["step"] <= 9]
    path.write_bytes(b"".join(kept) + b'{"kind":"step","step":10,')
    assert replay(killed, 9).equal
    next_one = replay(killed, 10)
    assert next_one.missing == "the record has no step 10, it ends before: there is nothing to compare with"
    assert next_one.equal
    assert next_one.trace.record == replay(run, 10).trace.record
    with pytest.raises(RunError, match="from 1 to 10"):
        replay(killed, 11)


@pytest.mark.parametrize(("seed", "last"), [(0, 0), (2, 6)])
def test_the_step_that_broke_a_run_is_done_again_up_to_there(seed, last, tmp_path):
    run = broken("poisoned", tmp_path, seed=seed)
    assert [r["step"] for r in read_history(run / "logs/history.jsonl") if r["kind"] == "step"] == [*range(1, last + 1)]
    before = files(run)
    done = replay(run, last + 1)
    assert files(run) == before
    reason = json.loads((run / "metrics.json").read_text())["reason"]
    assert done.trace.broke == reason
    assert done.failed == reason.partition("\n")[0]
    assert "for it broke the run" in done.missing
    assert done.equal
    assert done.trace.record["loss"] == {"total": math.inf, "cross_entropy": math.inf}
    assert math.isnan(done.trace.record["grad_norm"])
    assert 5 in [sample for shard in done.trace.shards for sample in shard.samples.tolist()]
    assert [row.update for row in done.moved()] == [0.0] * 6
    assert not all(math.isfinite(row.gradient) for row in done.moved())
    with pytest.raises(RunError, match=f"choose --step from 1 to {last + 1}"):
        replay(run, last + 2)


def test_the_record_of_a_broken_step_is_that_of_a_step(run):
    done = replay(run, 9)
    error = NonFiniteError("", 9, done.trace.record["loss"], done.trace.record["grad_norm"])
    walk = Recorded.open(run).after(8)
    walk.state.optimizer.param_groups[0]["lr"] = done.trace.record["lr"]
    assert broken_record(error, walk.state, walk.cadence, done.trace.shards) == done.trace.record


def test_a_step_that_broke_a_run_and_does_not_break_here_is_not_what_was_recorded(tmp_path):
    run = broken("worn", tmp_path)
    done = replay(run, 10)
    assert (done.began, done.trace.broke, done.equal) == (8, "", False)
    assert done.failed.startswith("step 10: loss cross_entropy nan")
    assert "something that is not in the checkpoint" in done.hint
    (run / "checkpoints").rename(tmp_path / "elsewhere")
    assert replay(run, 10).equal


def test_after_a_finished_run_there_is_no_step(run, tmp_path):
    shorter = copied(run, tmp_path / "shorter")
    path = shorter / "logs/history.jsonl"
    path.write_text("".join(path.read_text().splitlines(keepends=True)[:8]))
    assert replay(shorter, 8).missing.startswith("the record has no step 8, for the run was stopped before it")
    edit_json(shorter / "metrics.json", status="finished")
    with pytest.raises(RunError, match="step 8 is not in its history; choose --step from 1 to 7"):
        replay(shorter, 8)


def test_of_a_step_that_was_recorded_again_after_a_resume_the_later_record_counts(run, tmp_path):
    resumed = copied(run, tmp_path / "resumed")
    path = resumed / "logs/history.jsonl"
    lines = path.read_text().splitlines(keepends=True)
    place = next(n for n, line in enumerate(lines) if json.loads(line)["step"] == 9)
    other = json.loads(lines[place])
    good = lines[place]
    other["grad_norm"] += 1
    path.write_text("".join([*lines[:place], json.dumps(other) + "\n", *lines[place + 1 :], good]))
    assert replay(resumed, 9).equal


def test_a_plateau_schedule_is_followed_through_its_evaluations(tmp_path):
    falling = Plateau(patience=1, factor=0.5)
    run = trained("plain", tmp_path, schedule=falling, eval_every=2, save_every=100, mode="min", steps=14)
    rates = {r["lr"] for r in read_history(run / "logs/history.jsonl") if r["kind"] == "step"}
    assert len(rates) > 1
    for path in (run / "checkpoints").glob("*.pt"):
        path.unlink()
    assert replay(run, 14).equal


def test_gradients_and_updates_are_those_of_the_step(run):
    done = replay(run, 13)
    rows = done.moved()
    assert [row.name for row in rows] == ["0.weight", "0.bias", "1.weight", "1.bias", "4.weight", "4.bias"]
    norm = math.sqrt(sum(row.gradient**2 for row in rows))
    assert norm == pytest.approx(done.trace.record["grad_norm"], rel=1e-6)  # fp64 here, fp32 there
    assert next(iter(done.trace.gradients)).startswith("4.")  # backward reaches the last layer first
    assert all(0 < row.relative < 1 for row in rows if row.weight > 0.1)
    after = replay(run, 14).trace.before
    assert all(torch.equal(done.trace.after[name], after[name]) for name in after)


def test_samples_are_shown_as_the_model_saw_them(tmp_path):
    run = trained("attentive", tmp_path)
    done = replay(run, 3, samples=2)
    shown = [[float(text.rpartition(" ")[2]) for text in shard] for shard in done.content]
    given = [[float(f"{x:.9g}") for x in shard["x"][:2, 0].tolist()] for shard in done.trace.shards]
    assert shown == given
    plain = [shard.samples[:2] for shard in done.trace.shards]
    raw = [[float(f"{x:.9g}") for x in toy().task.data.splits["train"]["x"][rows, 0].tolist()] for rows in plain]
    assert shown != raw  # augmented
