from __future__ import annotations

import json
import math
import os
import shutil
import signal
import subprocess
import sys
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
import torch

from loopwright.errors import RunError, StoreError
from loopwright.journal import RunJournal, read_history
from loopwright.journal.journal import BLOCK_SECONDS, BLOCK_STEPS
from loopwright.journal.lock import being_trained, claim_run
from loopwright.lines import MAX_LINE_BYTES
from loopwright.protocols import Journal, StepReport
from tests.store.full_disk import room_for

EPOCH = 5


def report(step: int, loss: float | None = None, **changes: object) -> StepReport:
    """The report of a step of a run with epochs of 5 steps, the last of them short."""
    total = torch.tensor(1 / step if loss is None else loss)
    facts = {
        "step": step,
        "epoch": (step - 1) // EPOCH,
        "lr": 0.1 / step,
        "samples": 3 if step % EPOCH == 0 else 8,
        "loss": total,
        "parts": {"mse": total},
        "grad_norm": torch.tensor(0.3) * step,
    }
    return StepReport(**{**facts, **changes})


def train(journal: RunJournal, first: int, last: int, loss: dict[int, float] | None = None) -> None:
    """Tell the steps `first` to `last`, with an evaluation and the end of the epoch where they are due."""
    for step in range(first, last + 1):
        journal.step(report(step, (loss or {}).get(step)))
        if step % EPOCH == 0:
            journal.validation(step, (step - 1) // EPOCH, {"accuracy": step / 100})
            journal.epoch(step, (step - 1) // EPOCH)


def history(run: Path) -> Path:
    return run / "logs/history.jsonl"


def told(run: Path, kind: str) -> list[dict]:
    return [record for record in read_history(history(run)) if record.get("kind") == kind]


def test_a_run_journal_is_a_journal(tmp_path):
    with RunJournal(tmp_path) as opened:
        journal: Journal = opened
        journal.step(report(1))
        journal.flush()
        assert len(told(tmp_path, "step")) == 1


def test_each_record_has_what_the_format_says(tmp_path):
    with RunJournal(tmp_path) as journal:
        train(journal, 1, 5)
        journal.event("resumed", 5, rejected=["a.pt"])
    first, *_, validation, epoch, event = read_history(history(tmp_path))
    assert list(first) == ["kind", "step", "epoch", "lr", "samples", "loss", "grad_norm", "seconds"]
    assert (first["kind"], first["step"], first["epoch"], first["lr"], first["samples"]) == ("step", 1, 0, 0.1, 8)
    assert first["loss"] == {"total": 1.0, "mse": 1.0}
    assert first["grad_norm"] == torch.tensor(0.3).item()
    assert validation["metrics"] == {"accuracy": 0.05}
    assert list(validation) == ["kind", "step", "epoch", "metrics", "seconds"]
    assert list(epoch) == ["kind", "step", "epoch", "train_loss", "grad_norm", "lr", "seconds"]
    assert list(event) == ["kind", "step", "event", "rejected", "seconds"]


def test_the_means_of_an_epoch_weigh_the_loss_by_samples(tmp_path):
    with RunJournal(tmp_path) as journal:
        train(journal, 1, 5)
    (epoch,) = told(tmp_path, "epoch")
    losses = [torch.tensor(1 / step).item() for step in range(1, 6)]
    assert epoch["train_loss"] == sum(loss * n for loss, n in zip(losses, (8, 8, 8, 8, 3), strict=True)) / 35
    assert epoch["grad_norm"] == sum((torch.tensor(0.3) * step).item() for step in range(1, 6)) / 5
    assert epoch["lr"] == 0.1 / 5


def test_an_epoch_of_which_no_step_is_known_has_no_means(tmp_path):
    with RunJournal(tmp_path) as journal:
        journal.epoch(5, 0)
        journal.step(report(6))
        journal.epoch(10, 0)
    assert told(tmp_path, "epoch") == []


def test_numbers_keep_every_bit_whatever_their_types(tmp_path):
    parts = {"a": torch.tensor(0.1, dtype=torch.float64), "b": torch.tensor(0.1, dtype=torch.bfloat16)}
    with RunJournal(tmp_path) as journal:
        journal.step(report(1, parts=parts))
        journal.step(report(2, parts={}))
        journal.step(report(3, parts={"c": torch.tensor(3.0)}))
        journal.validation(3, 0, {"f1": np.float32(0.1), "loss": torch.tensor(0.1), "errors": 3})
    first, second, third = told(tmp_path, "step")
    assert first["loss"] == {"total": 1.0, "a": 0.1, "b": parts["b"].item()}
    assert second["loss"] == {"total": 0.5}
    assert third["loss"]["c"] == 3.0
    (validation,) = told(tmp_path, "validation")
    assert validation["metrics"] == {"f1": float(np.float32(0.1)), "loss": torch.tensor(0.1).item(), "errors": 3.0}


def test_nan_and_infinity_are_strings_for_readers_of_strict_json(tmp_path):
    with RunJournal(tmp_path) as journal:
        train(journal, 1, 5, {2: math.nan, 3: math.inf})
        journal.validation(5, 0, {"loss": -math.inf})

    def refuse(constant: str) -> None:
        raise ValueError(constant)

    lines = [json.loads(line, parse_constant=refuse) for line in history(tmp_path).read_text().splitlines()]
    assert [line["loss"]["total"] for line in lines[1:3]] == ["nan", "inf"]
    assert lines[-1]["metrics"] == {"loss": "-inf"}
    assert lines[-2]["train_loss"] == "nan"


def test_steps_are_written_in_blocks(tmp_path):
    with RunJournal(tmp_path) as journal:
        journal.flushed += 1000  # as if the last block had only just been written
        for step in range(1, BLOCK_STEPS):
            journal.step(report(step))
        assert read_history(history(tmp_path)) == []
        journal.step(report(BLOCK_STEPS))
        assert len(read_history(history(tmp_path))) == BLOCK_STEPS


def test_no_step_waits_long_to_be_written(tmp_path):
    with RunJournal(tmp_path) as journal:
        journal.step(report(1))
        journal.flushed -= 2 * BLOCK_SECONDS
        journal.step(report(2))
        assert len(read_history(history(tmp_path))) == 2


def test_the_sinks_are_shown_every_record_with_its_floats(tmp_path):
    seen: list[dict] = []
    with RunJournal(tmp_path, sinks=[seen.append]) as journal:
        train(journal, 1, 5, {2: math.nan})
    assert [record["kind"] for record in seen] == ["step"] * 5 + ["validation", "epoch"]
    assert math.isnan(seen[1]["loss"]["total"])


def test_a_resumed_run_compares_and_writes_nothing_twice(tmp_path):
    with RunJournal(tmp_path) as journal:
        train(journal, 1, 12, {11: math.nan})
    before = history(tmp_path).read_bytes()
    seen: list[dict] = []
    with RunJournal(tmp_path, resumed_at=4, sinks=[seen.append]) as journal:
        train(journal, 5, 14, {11: math.nan})
    after = history(tmp_path).read_bytes()
    assert after.startswith(before)
    assert [record["step"] for record in told(tmp_path, "step")] == list(range(1, 15))
    assert [record["step"] for record in told(tmp_path, "epoch")] == [5, 10]
    assert [record["step"] for record in told(tmp_path, "validation")] == [5, 10]
    assert journal.differences == 0
    assert [record["step"] for record in seen if record["kind"] == "step"] == list(range(5, 15))


@pytest.mark.parametrize(("first", "second"), [(0.5, 0.5000001), (0.0, -0.0), (math.nan, 1.0), (1.0, math.nan)])
def test_a_record_that_differs_makes_an_event_and_is_written(tmp_path, first, second):
    with RunJournal(tmp_path) as journal:
        train(journal, 1, 3, {3: first})
    before = history(tmp_path).read_bytes()
    with RunJournal(tmp_path, resumed_at=2) as journal:
        train(journal, 3, 4, {3: second})
    assert history(tmp_path).read_bytes().startswith(before)
    *_, old, event, new, after = read_history(history(tmp_path))
    assert (event["event"], event["step"], event["recorded"]) == ("differs", 3, old)
    assert str(new["loss"]["total"]) == str(torch.tensor(second).item())
    assert after["step"] == 4
    assert journal.differences == 1


def test_what_was_written_again_is_what_a_second_resume_compares_with(tmp_path):
    for resumed_at, loss in ((0, 0.5), (2, 0.25), (2, 0.25)):
        with RunJournal(tmp_path, resumed_at=resumed_at) as journal:
            train(journal, resumed_at + 1, 4, {3: loss})
    assert journal.differences == 0
    assert [record["step"] for record in told(tmp_path, "step")] == [1, 2, 3, 4, 3]


@pytest.mark.parametrize("resumed_at", range(11))
def test_means_over_an_epoch_are_the_same_bits_wherever_the_run_was_resumed(tmp_path, resumed_at):
    with RunJournal(tmp_path / "whole") as journal:
        train(journal, 1, 10)
    with RunJournal(tmp_path / "parts") as journal:
        train(journal, 1, resumed_at)
    with RunJournal(tmp_path / "parts", resumed_at=resumed_at) as journal:
        train(journal, resumed_at + 1, 10)
    whole, parts = ([{**r, "seconds": 0} for r in told(tmp_path / name, "epoch")] for name in ("whole", "parts"))
    assert parts == whole


def test_means_count_a_step_that_was_written_twice_once(tmp_path):
    changed = {4: 9.0, 6: 9.0, 7: 9.0}
    with RunJournal(tmp_path / "a") as journal:
        train(journal, 1, 8)
    with RunJournal(tmp_path / "a", resumed_at=3) as journal:
        train(journal, 4, 8, changed)
    with RunJournal(tmp_path / "a", resumed_at=8) as journal:
        train(journal, 9, 10, changed)
    with RunJournal(tmp_path / "b") as journal:
        train(journal, 1, 10, changed)
    assert told(tmp_path / "a", "epoch")[-1]["train_loss"] == told(tmp_path / "b", "epoch")[-1]["train_loss"]


def test_an_evaluation_left_open_is_closed_by_the_resumed_run(tmp_path):
    with RunJournal(tmp_path) as journal:
        for step in range(1, 6):
            journal.step(report(step))
        journal.validation(5, 0, {"accuracy": 0.05})
    with RunJournal(tmp_path, resumed_at=5) as journal:
        journal.validation(5, 0, {"accuracy": 0.05})
        journal.epoch(5, 0)
    assert [record["kind"] for record in read_history(history(tmp_path))] == ["step"] * 5 + ["validation", "epoch"]


def test_events_are_never_compared(tmp_path):
    for _ in range(3):
        with RunJournal(tmp_path, resumed_at=2) as journal:
            journal.event("resumed", 2)
    assert len(told(tmp_path, "event")) == 3


def test_the_clock_goes_on(tmp_path):
    with RunJournal(tmp_path) as journal:
        journal.start -= 100
        train(journal, 1, 3)
    with RunJournal(tmp_path, resumed_at=3) as journal:
        train(journal, 4, 4)
    seconds = [record["seconds"] for record in told(tmp_path, "step")]
    assert seconds == sorted(seconds)
    assert 100 < seconds[3] < 200


@pytest.mark.parametrize(
    "torn", [b'{"kind":"step","st', b"\0\0\0\0", b'{"kind":"event","step":3,"event":"x"}', b"\xff"]
)
def test_a_torn_last_line_is_dropped(tmp_path, torn):
    with RunJournal(tmp_path) as journal:
        train(journal, 1, 3)
    with open(history(tmp_path), "ab") as file:
        file.write(torn)
    with RunJournal(tmp_path, resumed_at=3) as journal:
        train(journal, 4, 4)
    lines = history(tmp_path).read_text().splitlines()
    assert [json.loads(line)["step"] for line in lines] == [1, 2, 3, 4]


def test_a_last_line_that_lacks_only_its_end_is_written_again(tmp_path):
    with RunJournal(tmp_path) as journal:
        train(journal, 1, 3)
    data = history(tmp_path).read_bytes()
    history(tmp_path).write_bytes(data[:-1])
    with RunJournal(tmp_path, resumed_at=2) as journal:
        train(journal, 3, 3)
    assert [record["step"] for record in told(tmp_path, "step")] == [1, 2, 3]


STEP = {"kind": "step", "step": 1, "epoch": 0, "lr": 0.1, "samples": 8, "loss": {"total": 1.0}, "grad_norm": 1.0}


@pytest.mark.parametrize(
    "lines",
    [
        b"x",
        b"\0",
        bytes(range(256)) * 40,
        b"[]\n7\nnull\n\n",
        b"[" * 100_000 + b"\n",
        b'{"a":1}\n{"kind":"step"}\n{"kind":"step","step":1}\n{"step":1}\n',
        b'{"kind":[],"step":{},"epoch":null,"seconds":"nan"}\n',
        b'{"kind":"validation","step":true,"epoch":-5,"seconds":-1}\n',
        b'{"kind":"step","step":2,"epoch":0,"seconds":1e999}\n',
        *(
            json.dumps({**STEP, **odd}).encode() + b"\n"
            for odd in (
                {"loss": 3},
                {"loss": {}},
                {"loss": None},
                {"samples": "many"},
                {"samples": 0},
                {"samples": float("inf")},
                {"lr": 10**400},
                {"lr": None},
                {"grad_norm": []},
                {"epoch": -1},
                {"seconds": True},
                {"seconds": 10**400},
            )
        ),
    ],
)
def test_no_history_however_odd_keeps_a_run_from_going_on(tmp_path, lines):
    history(tmp_path).parent.mkdir()
    history(tmp_path).write_bytes(lines)
    with RunJournal(tmp_path, resumed_at=4) as journal:
        train(journal, 5, 6)
    assert [record["step"] for record in told(tmp_path, "step")[-2:]] == [5, 6]
    assert 0 <= read_history(history(tmp_path))[-1]["seconds"] < 100


def test_a_long_history_is_read_as_a_stream(tmp_path):
    with RunJournal(tmp_path) as journal:
        for step in range(1, 20_001):
            journal.step(report(step))
    tracemalloc.start()
    with RunJournal(tmp_path, resumed_at=19_990) as journal:
        _, peak_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert history(tmp_path).stat().st_size > 3_000_000
    assert peak_bytes < 500_000
    assert len(journal.recorded) == 10


def test_a_run_that_was_moved_goes_on_where_it_is(tmp_path):
    with RunJournal(tmp_path / "a") as journal:
        train(journal, 1, 3)
    shutil.move(tmp_path / "a", tmp_path / "b")
    with RunJournal(tmp_path / "b", resumed_at=2) as journal:
        train(journal, 3, 4)
    assert [record["step"] for record in told(tmp_path / "b", "step")] == [1, 2, 3, 4]
    assert not (tmp_path / "a").exists()


def test_a_full_disk_is_an_error_and_leaves_no_half_line(tmp_path):
    with RunJournal(tmp_path) as journal:
        train(journal, 1, 3)
        journal.flush()
        before = history(tmp_path).read_bytes()
        message = r"history\.jsonl: cannot be written \(File too large\); make room"
        with room_for(len(before) + 10):
            with pytest.raises(StoreError, match=message):
                journal.event("x", 3)
            assert history(tmp_path).read_bytes() == before
        journal.event("y", 3)
    assert [record.get("event") for record in read_history(history(tmp_path))] == [None, None, None, "y"]


def test_a_full_disk_at_the_end_is_an_error(tmp_path):
    with pytest.raises(StoreError, match="File too large"), room_for(10), RunJournal(tmp_path) as journal:
        journal.step(report(1))


def test_what_ended_the_run_is_not_hidden_by_a_full_disk(tmp_path):
    def run() -> None:
        with room_for(10), RunJournal(tmp_path) as journal:
            journal.step(report(1))
            raise KeyError("the cause")

    with pytest.raises(KeyError, match="the cause"):
        run()
    assert journal_is_free(tmp_path)


def journal_is_free(run: Path) -> bool:
    with RunJournal(run):
        return True


@pytest.mark.parametrize("obstacle", ["logs", "logs/history.jsonl", "logs/.lock"])
def test_a_journal_that_cannot_be_written_is_an_error(tmp_path, obstacle):
    path = tmp_path / obstacle
    path.parent.mkdir(exist_ok=True)
    if obstacle == "logs":
        path.write_text("")
    else:
        path.mkdir()
    with pytest.raises(StoreError, match="cannot be written"):
        RunJournal(tmp_path)


HOLD = """
import fcntl, sys
file = open(sys.argv[1], "ab")
fcntl.lockf(file, fcntl.LOCK_EX)
print("held", flush=True)
sys.stdin.read()
"""


def test_a_run_that_another_process_is_writing_is_left_alone(tmp_path):
    with RunJournal(tmp_path) as journal:
        train(journal, 1, 3)
    with open(history(tmp_path), "ab") as file:
        file.write(b"half a li")
    before = history(tmp_path).read_bytes()
    command = [sys.executable, "-c", HOLD, str(tmp_path / "logs/.lock")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == b"held\n"
        with pytest.raises(RunError, match=rf"another process \(PID {other.pid}\) is training it"):
            RunJournal(tmp_path, resumed_at=3)
        assert history(tmp_path).read_bytes() == before
        other.kill()
    with RunJournal(tmp_path, resumed_at=3) as journal:
        train(journal, 4, 4)


def test_where_there_are_no_locks_a_run_goes_unguarded(tmp_path):
    def lock(file, flags):
        raise OSError(37, "No locks available")

    (tmp_path / "logs").mkdir()
    with claim_run(tmp_path, lock=lock) as file:
        assert not file.closed


def test_a_run_is_being_trained_while_its_journal_is_open_in_another_process(tmp_path):
    (tmp_path / "logs").mkdir()
    assert not being_trained(tmp_path)
    imports = "import sys; from pathlib import Path; from loopwright.journal import RunJournal"
    code = f"{imports}; journal = RunJournal(Path({str(tmp_path)!r})); print(1, flush=True); sys.stdin.read()"
    with subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdout.readline() == b"1\n"
        assert being_trained(tmp_path)
        other.stdin.close()
        other.wait(timeout=30)
    assert not being_trained(tmp_path)
    assert not being_trained(tmp_path / "nowhere")
    (tmp_path / "odd/logs/.lock").mkdir(parents=True)
    assert being_trained(tmp_path / "odd")


HOLD_AND_FORK = """
import os, sys
from pathlib import Path
from loopwright.journal import RunJournal
journal = RunJournal(Path(sys.argv[1]))
child = os.fork()
if child == 0:
    sys.stdin.read()
    os._exit(0)
print(child, flush=True)
sys.stdin.read()
"""


def test_a_run_belongs_to_the_process_that_trains_it_and_not_to_what_that_left_behind(tmp_path):
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs/.lock").write_text("1234")  # whatever an earlier process has left there
    assert not being_trained(tmp_path)
    command = [sys.executable, "-c", HOLD_AND_FORK, str(tmp_path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as parent:
        child = int(parent.stdout.readline())
        with pytest.raises(RunError, match=rf"another process \(PID {parent.pid}\) is training it"):
            RunJournal(tmp_path)
        parent.kill()
        parent.wait(timeout=30)
        os.kill(child, 0)  # the child of the one that is gone is still there, with its descriptor of the lock
        assert not being_trained(tmp_path)
        assert journal_is_free(tmp_path)
        os.kill(child, signal.SIGKILL)


def test_a_holder_that_has_gone_meanwhile_is_not_named(tmp_path):
    def lock(file, flags):
        raise BlockingIOError

    (tmp_path / "logs").mkdir()
    with pytest.raises(RunError, match=r": another process is training it; wait"):
        claim_run(tmp_path, lock=lock)


@pytest.mark.parametrize("name", ["history.jsonl", ".lock"])
@pytest.mark.parametrize("exists", [True, False])
def test_nothing_is_written_through_a_link(tmp_path, name, exists):
    (tmp_path / "run/logs").mkdir(parents=True)
    if exists:
        (tmp_path / "own").write_text("half a line")
    (tmp_path / "run/logs" / name).symlink_to(tmp_path / "own")
    with pytest.raises(StoreError, match=r"history\.jsonl: cannot be written"):
        RunJournal(tmp_path / "run", resumed_at=3)
    assert ((tmp_path / "own").read_text() == "half a line") if exists else not (tmp_path / "own").exists()


@pytest.mark.parametrize("name", ["history.jsonl", ".lock"])
def test_a_pipe_in_the_place_of_a_file_is_not_waited_for(tmp_path, name):
    (tmp_path / "logs").mkdir()
    os.mkfifo(tmp_path / "logs" / name)
    with pytest.raises(StoreError, match="cannot be written"):
        RunJournal(tmp_path)
    assert not being_trained(tmp_path) or name == ".lock"


def test_a_torn_line_is_cut_off_however_long_it_is(tmp_path):
    with RunJournal(tmp_path) as journal:
        train(journal, 1, 3)
    before = history(tmp_path).read_bytes()
    with open(history(tmp_path), "ab") as file:
        file.write(b"x" * (2 * MAX_LINE_BYTES + 5))
    with RunJournal(tmp_path, resumed_at=3):
        pass
    assert history(tmp_path).read_bytes() == before
