"""logs/history.jsonl: a line a record, read in blocks; the steps are kept as columns of numbers."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from loopwright.lines import blocks
from loopwright.reading import open_plain
from loopwright.report.cache import WORTH, Mark, cache_of, load, save
from loopwright.report.columns import Columns, Floats, Reading
from loopwright.values import Table, number, table, whole

__all__ = ["EMPTY", "Floats", "History", "Series"]


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
    """What happened. `curves`, by quantity: `loss`, `lr`, `grad_norm`, `samples`, `epoch`, `seconds`, `busy_seconds`,
    and where the loss has several components, each as `loss.<component>`.

    `seconds` is the run's clock. `busy_seconds` is the time since the record before, which leaves out an evaluation
    that came in between.
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
            reading = read(path)
            if reading.lost:
                many = f"{reading.lost} lines" if reading.lost > 1 else "one line"
                notes.append(f"{name}: {many} could not be read, the first is line {reading.first_lost}")
            others = reading.others
            validations, epochs = (_by_step(others[kind]) for kind in ("validation", "epoch"))
            return History(curves_of(reading.columns()), validations, epochs, others["event"])
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


def read(path: Path) -> Reading:
    """All that the history at `path` tells, as far as it can from its cache. Raises OSError where it cannot be read."""
    with open_plain(path) as file:
        status = os.fstat(file.fileno())
        cache = cache_of(path) if status.st_size >= WORTH else None
        reading, start = load(cache, file) if cache else (Reading(), 0)
        end = file.seek(start)
        torn = b""
        for block in blocks(file):
            if block.endswith(b"\n"):
                reading.read(block)
                end = file.tell()
            else:
                whole = block.rfind(b"\n") + 1
                reading.read(block[:whole])
                end, torn = end + whole, block[whole:]
        if cache and end - start >= max(WORTH, start // 4):
            save(cache, reading, Mark.of(file, status, end))
    reading.read(torn)
    return reading


def curves_of(columns: Columns) -> dict[str, Series]:
    """A curve for each name, of the rows in which it has a value."""
    found, increasing = {}, bool(np.all(np.diff(columns.steps) > 0))
    for name, values in columns.values.items():
        absent = columns.absent[name]
        if increasing and not len(absent):
            found[name] = Series(columns.steps, values)
        else:
            there = np.ones(len(values), dtype=bool)
            there[absent.astype(np.int64)] = False
            found[name] = Series.of(columns.steps[there], values[there])
    return {name: series for name, series in found.items() if len(series)}


def _by_step(records: list[Table]) -> list[Table]:
    """The records by step, one each: where a resumed run wrote a step again, the later one stays."""
    latest = {step: record | {"step": step} for record in records if (step := whole(record.get("step"))) is not None}
    return [latest[step] for step in sorted(latest)]
