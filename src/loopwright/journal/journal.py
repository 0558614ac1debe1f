"""The journal of a run: history.jsonl, written in blocks so that a GPU is not asked for numbers after every step.

The history is append-only. A run that was killed has often written down more steps than its newest checkpoint holds;
when it goes on, it computes those steps again. They are compared with what is written instead of being written twice:
equal, bit for bit, they prove the resume; any difference is recorded as an event.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

from loopwright.errors import StoreError
from loopwright.files import make_directory, refusals, sync_directory
from loopwright.journal.lock import claim_run
from loopwright.journal.past import recall
from loopwright.lines import MAX_LINE_BYTES, Record, comparable, to_line
from loopwright.reading import open_plain

if TYPE_CHECKING:
    from loopwright.protocols import StepReport

Sink = Callable[[Record], None]

APPENDING = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW
"""Never through a link: a run that a stranger made could lead it to any file."""

BLOCK_STEPS = 64
BLOCK_SECONDS = 0.2


class RunJournal:
    """Appends to `run/logs/history.jsonl` and shows each record to the `sinks` (progress line, TensorBoard …).

    `resumed_at` is the step of the checkpoint that the run goes on from, 0 for a new one. Raises StoreError where the
    file cannot be written, RunError where another process is writing it. Usable as a context: leaving it writes down
    what is pending.
    """

    def __init__(self, run: Path, *, sinks: Sequence[Sink] = (), resumed_at: int = 0) -> None:
        self.path = run / "logs" / "history.jsonl"
        self.sinks = sinks
        self.pending: list[StepReport] = []
        self.pending_seconds: list[float] = []
        self.differences = 0
        make_directory(self.path.parent)
        with refusals(self.path), ExitStack() as opened:
            opened.enter_context(claim_run(run))
            self.file = opened.enter_context(open_plain(self.path, APPENDING, "ab"))
            # An fsync of the file alone does not promise that its name is there after a power failure.
            sync_directory(self.path.parent)
            drop_torn_line(self.path)
            past = recall(self.path, resumed_at)
            self.opened = opened.pop_all()
        self.recorded, self.sums = past.recorded, past.sums
        self.earlier = past.seconds
        """Seconds of the parts of the run before this one, as far as they are on record."""
        self.start = time.perf_counter() - past.seconds
        self.flushed = time.perf_counter()

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
        numbers = {name: float(value) for name, value in metrics.items()}
        self.write([{"kind": "validation", "step": step, "epoch": epoch, "metrics": numbers}])

    def epoch(self, step: int, epoch: int) -> None:
        """Write down the means over the epoch that ended with `step`; the loss is weighted by samples."""
        self.write_pending()
        if self.sums.epoch == epoch:
            self.write([{"kind": "epoch", "step": step, "epoch": epoch, **self.sums.means()}])

    def event(self, name: str, step: int, **details: Any) -> None:
        """Write down something that happened to the run rather than in it: resumed, interrupted, failed …"""
        self.write_pending()
        self.write([{"kind": "event", "step": step, "event": name, **details}])

    def flush(self) -> None:
        """Everything told so far is on the disk when this returns."""
        self.write_pending()
        with refusals(self.path):
            os.fsync(self.file.fileno())

    def write_pending(self) -> None:
        """Read the numbers of the pending steps from the device, all at once, and write them down."""
        reports, seconds = self.pending, self.pending_seconds
        self.pending, self.pending_seconds = [], []
        if reports:
            self.write(step_records(reports, seconds))
        self.flushed = time.perf_counter()

    def write(self, records: Sequence[Record]) -> None:
        """Append what is not written already; of a step, its sums are taken. The sinks see every record."""
        for record in records:
            record.setdefault("seconds", time.perf_counter() - self.start)
            if record["kind"] == "step":
                self.sums.add(record)
        self.append([line for record in records for line in self.news(record)])
        for record in records:
            for sink in self.sinks:
                sink(record)

    def news(self, record: Record) -> list[str]:
        """The lines to append for `record`: none where it is written already, an event besides where it differs."""
        line, known = to_line(record), self.recorded.pop((record["kind"], record["step"]), None)
        if known is None:
            return [line]
        # The texts tell -0.0 from 0.0, and NaN equals itself.
        if to_line(comparable(known)) == to_line(comparable(record)):
            return []
        self.differences += 1
        event = {"kind": "event", "step": record["step"], "event": "differs", "recorded": known}
        return [to_line({**event, "seconds": record["seconds"]}), line]

    def append(self, lines: Sequence[str]) -> None:
        """Append lines; the operating system has them, or nothing of them, when this returns."""
        rest = "".join(line + "\n" for line in lines).encode()
        with refusals(self.path):
            end = self.file.seek(0, os.SEEK_END)
            try:
                while rest:
                    rest = rest[self.file.write(rest) :]
            except OSError:
                # Half a line would swallow the next one.
                self.file.truncate(end)
                raise

    def __enter__(self) -> RunJournal:
        return self

    def __exit__(self, kind: type[BaseException] | None, *exception: object) -> None:
        try:
            self.flush()
        except StoreError:
            # What stopped the run is the news, not that there is no room to write it down.
            if kind is None:
                raise
        finally:
            self.opened.close()


def step_records(reports: Sequence[StepReport], seconds: Sequence[float]) -> list[Record]:
    """The records of several steps; this waits for the device once."""
    import torch

    told = [value for report in reports for value in (report.loss, report.grad_norm, *report.parts.values())]
    numbers = iter(torch.stack(told).tolist())
    records = []
    for report, elapsed in zip(reports, seconds, strict=True):
        loss, norm = next(numbers), next(numbers)
        losses = {"total": loss, **{name: next(numbers) for name in report.parts}}
        record = {"kind": "step", "step": report.step, "epoch": report.epoch, "lr": report.lr}
        records.append({**record, "samples": report.samples, "loss": losses, "grad_norm": norm, "seconds": elapsed})
    return records


def drop_torn_line(path: Path) -> None:
    """Cut off a last line that was not finished when the run died."""
    read_bytes = whole_bytes = 0
    with open_plain(path) as file:
        while piece := file.readline(MAX_LINE_BYTES):
            read_bytes += len(piece)
            whole_bytes = read_bytes if piece.endswith(b"\n") else whole_bytes
    if whole_bytes < read_bytes:
        os.truncate(path, whole_bytes)
