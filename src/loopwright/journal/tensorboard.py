"""TensorBoard event files from the journal's records, written by TensorBoard's own writer."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from loopwright.errors import UsageError
from loopwright.files import refusals
from loopwright.lines import Record

TITLES = {"loss": "Loss", "accuracy": "Accuracy", "perplexity": "Perplexity"}


class TensorBoardSink:
    """A sink of the journal that writes scalars `Loss/train`, `Loss/val`, `Accuracy/val`, `LearningRate`,
    `GradientNorm` …

    Raises UsageError where TensorBoard is not installed; this and every call StoreError where a file cannot be written.
    """

    def __init__(self, directory: Path) -> None:
        try:
            from tensorboard.compat.proto import event_pb2, summary_pb2
            from tensorboard.summary.writer.event_file_writer import EventFileWriter
        except ImportError as error:
            raise UsageError("tensorboard: not installed; pip install 'loopwright[tensorboard]'") from error
        self.event: Any = event_pb2.Event
        self.summary: Any = summary_pb2.Summary
        self.directory = directory
        with refusals(directory):
            self.writer: Any = EventFileWriter(str(directory))

    def __call__(self, record: Record) -> None:
        """Write the scalars of one record."""
        values = [self.summary.Value(tag=tag, simple_value=value) for tag, value in scalars(record).items()]
        if values:
            summary = self.summary(value=values)
            event = self.event(wall_time=time.time(), step=record["step"], summary=summary)
            with refusals(self.directory):
                self.writer.add_event(event)

    def close(self) -> None:
        """Write what is pending and close the file."""
        with refusals(self.directory):
            self.writer.close()


def scalars(record: Record) -> dict[str, float]:
    """TensorBoard's tags and values of one record of the history."""
    if record["kind"] == "step":
        losses = {f"Loss/{'train' if name == 'total' else name}": value for name, value in record["loss"].items()}
        return {**losses, "LearningRate": record["lr"], "GradientNorm": record["grad_norm"]}
    if record["kind"] == "validation":
        return {f"{TITLES.get(name, name)}/val": value for name, value in record["metrics"].items()}
    return {}
