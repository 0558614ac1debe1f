from __future__ import annotations

import math
import sys
import threading
from pathlib import Path

import pytest

from loopwright.errors import StoreError, UsageError
from loopwright.journal import RunJournal
from loopwright.journal.tensorboard import TensorBoardSink
from tests.store.full_disk import room_for

STEP = {
    "kind": "step",
    "step": 3,
    "epoch": 0,
    "lr": 0.25,
    "samples": 8,
    "loss": {"total": 1.5, "mse": 1.5},
    "grad_norm": 2.0,
    "seconds": 0.1,
}
VALIDATION = {"kind": "validation", "step": 4, "epoch": 0, "metrics": {"loss": math.inf, "accuracy": 0.5, "f1": 0.75}}


def scalars(directory: Path) -> dict[str, list[tuple[int, float]]]:
    """What TensorBoard reads from the event files in `directory`."""
    loading = pytest.importorskip("tensorboard.backend.event_processing.event_file_loader")
    found: dict[str, list[tuple[int, float]]] = {}
    for path in sorted(directory.iterdir()):
        for event in loading.RawEventFileLoader(str(path)).Load():
            message = parse(event)
            for value in message.summary.value:
                found.setdefault(value.tag, []).append((message.step, value.simple_value))
    return found


def parse(event: bytes):
    from tensorboard.compat.proto.event_pb2 import Event

    return Event.FromString(event)


def test_tensorboard_reads_back_what_the_journal_told(tmp_path):
    sink = TensorBoardSink(tmp_path / "logs/tensorboard")
    for record in (STEP, VALIDATION, {"kind": "epoch", "step": 4}, {"kind": "event", "step": 4}):
        sink(record)
    sink.close()
    assert scalars(tmp_path / "logs/tensorboard") == {
        "Loss/train": [(3, 1.5)],
        "Loss/mse": [(3, 1.5)],
        "LearningRate": [(3, 0.25)],
        "GradientNorm": [(3, 2.0)],
        "Loss/val": [(4, math.inf)],
        "Accuracy/val": [(4, 0.5)],
        "f1/val": [(4, 0.75)],
    }


def test_it_is_a_sink_of_the_journal(tmp_path):
    sink = TensorBoardSink(tmp_path / "tensorboard")
    with RunJournal(tmp_path, sinks=[sink]) as journal:
        journal.validation(1, 0, {"perplexity": 2.0})
    sink.close()
    assert scalars(tmp_path / "tensorboard") == {"Perplexity/val": [(1, 2.0)]}


def test_where_it_is_not_installed_the_error_says_how_to(tmp_path, monkeypatch):
    for name in [name for name in sys.modules if name.partition(".")[0] == "tensorboard"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "tensorboard", None)
    with pytest.raises(UsageError, match=r"tensorboard: not installed; pip install 'loopwright\[tensorboard\]'"):
        TensorBoardSink(tmp_path)


def test_a_directory_that_cannot_be_made_is_an_error(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="file/tensorboard: cannot be written"):
        TensorBoardSink(tmp_path / "file/tensorboard")


def test_a_full_disk_is_an_error(tmp_path, monkeypatch):
    def write() -> None:
        sink = TensorBoardSink(tmp_path)
        with room_for(200):
            for _ in range(1000):
                sink(STEP)

    # TensorBoard's own thread dies of the error as well, and says so.
    monkeypatch.setattr(threading, "excepthook", lambda arguments: None)
    before = set(threading.enumerate())
    with pytest.raises(StoreError, match="cannot be written"):
        write()
    for thread in set(threading.enumerate()) - before:
        thread.join()
