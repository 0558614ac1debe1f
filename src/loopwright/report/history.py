"""logs/history.jsonl: a line a record, read as a stream; the steps are kept as columns of numbers."""

from __future__ import annotations

from array import array
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from loopwright.lines import scan_history
from loopwright.report.values import Table, number, table, whole

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Series:
    """One quantity: `steps` float64 (n,), strictly increasing, and `values` float64 (n,)."""

    steps: Floats
    values: Floats

    def __len__(self) -> int:
        return len(self.steps)

    @staticmethod
    def of(steps: Any, values: Any) -> Series:
        """From two sequences in the order of writing; of a step written again on resume, the later stays."""
        numbers, written = np.asarray(steps, dtype=np.float64), np.asarray(values, dtype=np.float64)
        if not np.all(np.diff(numbers) > 0):
            numbers, last = np.unique(numbers[::-1], return_index=True)
            written = written[::-1][last]
        return Series(numbers, written)


EMPTY = Series(np.empty(0), np.empty(0))


@dataclass(frozen=True, slots=True)
class History:
    """What happened. `curves`, by quantity: `loss`, `lr`, `grad_norm`, `samples`, `busy_seconds`.

    `busy_seconds` is the time since the record before, which leaves out an evaluation that came in between.
    """

    curves: dict[str, Series] = field(default_factory=dict)
    validations: list[Table] = field(default_factory=list)
    epochs: list[Table] = field(default_factory=list)
    events: list[Table] = field(default_factory=list)

    @staticmethod
    def load(path: Path, notes: list[str]) -> History:
        """Read the history at `path`; add to `notes` what could not be read."""
        name = f"{path.parent.name}/{path.name}"
        try:
            lost: list[int] = []
            found = _collect(scan_history(path, revived=True, unreadable=lost.append))
            if lost:
                many = f"{len(lost)} lines" if len(lost) > 1 else "one line"
                notes.append(f"{name}: {many} could not be read, the first is line {lost[0]}")
            return found
        except FileNotFoundError:
            notes.append(f"{name} is missing")
        except OSError as error:
            notes.append(f"{name} could not be read: {error.strerror}")
        return History()

    def curve(self, name: str) -> Series:
        """The curve of that name; an empty one where nothing was recorded."""
        return self.curves.get(name, EMPTY)

    def validation(self, metric: str) -> Series:
        """A validation metric over the steps at which it was measured."""
        found = [(record["step"], number(table(record, "metrics").get(metric))) for record in self.validations]
        found = [(step, value) for step, value in found if value is not None]
        return Series.of([step for step, _ in found], [value for _, value in found])

    @property
    def last_step(self) -> int:
        """The last step that any record tells of; 0 where there is none."""
        seen = [int(curve.steps[-1]) for curve in self.curves.values() if len(curve)]
        return max(seen + [record["step"] for record in self.validations + self.epochs], default=0)


class _Columns:
    """The steps' numbers while they are read: 16 bytes a number instead of a table a step."""

    def __init__(self) -> None:
        self.steps: dict[str, array[float]] = defaultdict(lambda: array("d"))
        self.values: dict[str, array[float]] = defaultdict(lambda: array("d"))

    def add_step(self, record: Table, busy_seconds: float | None) -> None:
        step, loss = whole(record.get("step")), record.get("loss")
        if step is None:
            return
        self.add(step, "loss", number(loss.get("total") if isinstance(loss, dict) else loss))
        self.add(step, "busy_seconds", busy_seconds)
        for name in ("lr", "grad_norm", "samples"):
            self.add(step, name, number(record.get(name)))

    def add(self, step: int, name: str, value: float | None) -> None:
        if value is not None:
            self.steps[name].append(step)
            self.values[name].append(value)

    def curves(self) -> dict[str, Series]:
        return {name: Series.of(self.steps[name], self.values[name]) for name in self.steps}


def _collect(records: Iterator[Table]) -> History:
    columns, before = _Columns(), 0.0
    others: dict[str, list[Table]] = defaultdict(list)
    for record in records:
        now = number(record.get("seconds"))
        if record.get("kind") == "step":
            columns.add_step(record, None if now is None else now - before)
        else:
            others[str(record.get("kind"))].append(record)
        before = before if now is None else now
    return History(columns.curves(), _by_step(others["validation"]), _by_step(others["epoch"]), others["event"])


def _by_step(records: list[Table]) -> list[Table]:
    """The records by step, one each: where a resumed run wrote a step again, the later one stays."""
    latest = {step: record | {"step": step} for record in records if (step := whole(record.get("step"))) is not None}
    return [latest[step] for step in sorted(latest)]
