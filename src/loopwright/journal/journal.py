"""The journal of a run: history.jsonl, written in blocks so that a GPU is not asked for numbers after every step.

The history is append-only. A run that was killed has often written down more steps than its newest checkpoint holds; when it
goes on, it computes those steps again. They are compared with what is written instead of being written twice: equal, bit for
bit, they prove the resume; any difference is recorded as an event.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch

from loopwright.errors import StoreError
from loopwright.journal.lines import Record, comparable, finite, read_history, to_line
from loopwright.protocols import StepReport

Sink = Callable[[Record], None]

BLOCK_STEPS = 64
BLOCK_SECONDS = 0.2


class RunJournal:
    """Appends to `run/logs/history.jsonl` and shows each record to the `sinks` (progress line, TensorBoard …).

    `resumed_at` is the step of the checkpoint that the run goes on from, 0 for a new one. Raises StoreError where the file
    cannot be written. Usable as a context: leaving it writes down what is pending.
    """

    def __init__(self, run: Path, *, sinks: Sequence[Sink] = (), resumed_at: int = 0) -> None:
        self.path = run / "logs" / "history.jsonl"
        self.sinks = sinks
        self.pending: list[StepReport] = []
        self.pending_seconds: list[float] = []
        self.differences = 0
        past = read_history(self.path)
        drop_torn_line(self.path)
        self.recorded = {identity(record): record for record in past if record["kind"] != "event"}
        self.epoch_steps = [record for record in past if record["kind"] == "step" and record["step"] <= resumed_at]
        self.start = time.perf_counter() - max((record.get("seconds", 0.0) for record in past), default=0.0)
        self.flushed = time.perf_counter()
        self.file = open(self.path, "a", encoding="utf-8")  # noqa: SIM115 - closed by __exit__

    def step(self, report: StepReport) -> None:
        """Note a step; its numbers are read later, in a block."""
        now = time.perf_counter()
        self.pending.append(report)
        self.pending_seconds.append(now - self.start)
        if len(self.pending) >= BLOCK_STEPS or now - self.flushed > BLOCK_SECONDS:
            self.write_pending()

    def validation(self, step: int, epoch: int, metrics: Mapping[str, float]) -> None:
        """Write down an evaluation on the validation split."""
        self.write_pending()
        self.write({"kind": "validation", "step": step, "epoch": epoch, "metrics": dict(metrics)})

    def epoch(self, step: int, epoch: int) -> None:
        """Write down the means over the epoch that ended with `step`; the loss is weighted by samples."""
        self.write_pending()
        steps = [record for record in self.epoch_steps if record["epoch"] == epoch]
        self.epoch_steps = []
        if steps:
            samples = sum(record["samples"] for record in steps)
            loss = sum(float(record["loss"]["total"]) * record["samples"] for record in steps) / samples
            norm = sum(float(record["grad_norm"]) for record in steps) / len(steps)
            means = {"train_loss": loss, "grad_norm": norm, "lr": steps[-1]["lr"]}
            self.write({"kind": "epoch", "step": step, "epoch": epoch, **means})

    def event(self, name: str, step: int, **details: Any) -> None:
        """Write down something that happened to the run rather than in it: resumed, interrupted, failed …"""
        self.write_pending()
        self.write({"kind": "event", "step": step, "event": name, **details})

    def flush(self) -> None:
        """Everything told so far is on the disk when this returns."""
        self.write_pending()
        try:
            self.file.flush()
            os.fsync(self.file.fileno())
        except OSError as error:
            raise StoreError(f"{self.path}: {error.strerror}; make room, then resume the run") from error

    def write_pending(self) -> None:
        """Read the numbers of the pending steps from the device, all at once, and write them down."""
        reports, seconds = self.pending, self.pending_seconds
        self.pending, self.pending_seconds = [], []
        if reports:
            rows = torch.stack([torch.stack([r.loss, r.grad_norm, *r.parts.values()]).double() for r in reports])
            for report, elapsed, (loss, norm, *parts) in zip(reports, seconds, rows.tolist(), strict=True):
                losses = {"total": loss, **dict(zip(report.parts, parts, strict=True))}
                record = {"kind": "step", "step": report.step, "epoch": report.epoch, "lr": report.lr}
                record |= {"samples": report.samples, "loss": losses, "grad_norm": norm, "seconds": elapsed}
                self.epoch_steps.append(record)
                self.write(record)
        self.flushed = time.perf_counter()

    def write(self, record: Record) -> None:
        """Append one record, or, where it is written already, compare."""
        record.setdefault("seconds", time.perf_counter() - self.start)
        known = self.recorded.pop(identity(record), None) if record["kind"] != "event" else None
        if known is None:
            self.append(record)
        elif comparable(known) != comparable(finite(record)):
            self.differences += 1
            self.append({"kind": "event", "step": record["step"], "event": "differs", "recorded": known})
            self.append(record)
        for sink in self.sinks:
            sink(record)

    def append(self, record: Record) -> None:
        """One more line; the operating system has it when this returns."""
        try:
            self.file.write(to_line(record) + "\n")
            self.file.flush()
        except OSError as error:
            raise StoreError(f"{self.path}: {error.strerror}; make room, then resume the run") from error

    def __enter__(self) -> RunJournal:
        return self

    def __exit__(self, *exception: object) -> None:
        try:
            self.flush()
        finally:
            self.file.close()


def identity(record: Mapping[str, Any]) -> tuple[str, int]:
    """What a record is about: its kind and step."""
    return record["kind"], record["step"]


def drop_torn_line(path: Path) -> None:
    """Cut off a last line that was not finished when the run died."""
    if path.is_file():
        data = path.read_bytes()
        end = data.rfind(b"\n") + 1
        if end < len(data):
            os.truncate(path, end)
