"""The numbers of the steps as columns, eight bytes each, and a history while it is read into them."""

from __future__ import annotations

from array import array
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from loopwright.lines import MAX_LINE_BYTES, parse, revive
from loopwright.report.layout import UNKNOWN, Layout, measured
from loopwright.values import Table, number, whole

Floats = npt.NDArray[np.float64]

LAYOUTS = 8
"""So many layouts are tried in one history: a pattern takes as long to make as a thousand lines to read."""


@dataclass(frozen=True, slots=True)
class Columns:
    """`steps` (n,) in the order of writing, `values` (n,) by name; `absent`: the rows in which one has no value."""

    steps: Floats = field(default_factory=lambda: np.empty(0))
    values: Mapping[str, Floats] = field(default_factory=dict)
    absent: Mapping[str, Floats] = field(default_factory=dict)

    def followed_by(self, later: Columns) -> Columns:
        """These rows and then those of `later`."""
        if not len(later.steps) or not len(self.steps):
            return self if len(self.steps) else later
        rows, more = len(self.steps), len(later.steps)
        values, absent = {}, {}
        for name in [*self.values, *(name for name in later.values if name not in self.values)]:
            first, second = self.values.get(name, np.full(rows, np.nan)), later.values.get(name, np.full(more, np.nan))
            values[name] = np.concatenate([first, second])
            gaps = self.absent.get(name, np.empty(0) if name in self.values else np.arange(rows, dtype=np.float64))
            others = later.absent.get(name, np.empty(0) if name in later.values else np.arange(more, dtype=np.float64))
            absent[name] = np.concatenate([gaps, others + rows])
        return Columns(np.concatenate([self.steps, later.steps]), values, absent)


class Growing:
    """Columns while rows are added to them."""

    def __init__(self) -> None:
        self.steps = array("d")
        self.values: dict[str, array[float]] = {}
        self.absent: dict[str, array[float]] = {}

    def add(self, steps: Sequence[float], values: Mapping[str, Sequence[float]]) -> None:
        """More rows; a name that is new was absent before, one that is not in `values` is absent here."""
        rows, more = len(self.steps), len(steps)
        for name in values:
            if name not in self.values:
                self.values[name] = array("d", [np.nan]) * rows
                self.absent[name] = array("d", range(rows))
        for name, column in self.values.items():
            if name in values:
                column.extend(values[name])
            else:
                column.extend(array("d", [np.nan]) * more)
                self.absent[name].extend(range(rows, rows + more))
        self.steps.extend(steps)

    def columns(self) -> Columns:
        """What has been added so far."""
        values, absent = (
            {name: floats(column) for name, column in each.items()} for each in (self.values, self.absent)
        )
        return Columns(floats(self.steps), values, absent)


def floats(column: array[float]) -> Floats:
    """The numbers of an array, not copied: nothing may be added to it after that."""
    return np.frombuffer(column, dtype=np.float64) if column else np.empty(0)


@dataclass
class Reading:
    """What a history has told so far, read on block by block.

    `lines` were there, of which `lost` could not be read, `first_lost` the first of them. `before`: the run's clock at
    the last record. `kept` are columns from a cache, `rows` what was read after them.
    """

    lines: int = 0
    lost: int = 0
    first_lost: int = 0
    before: float = 0.0
    others: dict[str, list[Table]] = field(default_factory=lambda: defaultdict(list))
    kept: Columns = field(default_factory=Columns)
    rows: Growing = field(default_factory=Growing)
    layout: Layout = UNKNOWN
    tried: int = 0

    def columns(self) -> Columns:
        """The steps' numbers."""
        return self.kept.followed_by(self.rows.columns())

    def read(self, block: bytes) -> None:
        """The lines of one more block; the last may lack its end."""
        if not block:
            return
        rows = self.layout.rows(block if block.endswith(b"\n") else block + b"\n")
        names, start = self.layout.names, 0
        for place in [*(place for place, row in enumerate(rows) if not row[0]), len(rows)]:
            if start < place:
                self.add_rows(names, rows[start:place])
            if place < len(rows):
                self.add_line(rows[place][-1])
            start = place + 1

    def add_rows(self, names: Sequence[str], rows: Sequence[Sequence[bytes]]) -> None:
        """Lines as they are laid out, as the texts of their numbers."""
        self.lines += len(rows)
        found = {name: as_floats(texts) for name, texts in zip(names, zip(*rows, strict=True), strict=False)}
        self.add_steps(found.pop("step"), found)

    def add_line(self, line: bytes) -> None:
        """A line that json has to read."""
        line = line[:MAX_LINE_BYTES]
        self.lines += 1
        if not line.strip():
            return
        record = parse(line)
        if record is None:
            self.lost += 1
            self.first_lost = self.first_lost or self.lines
            return
        if b'nan"' in line or b'inf"' in line:
            record = revive(record)
        if record.get("kind") != "step":
            self.others[str(record.get("kind"))].append(record)
            now = number(record.get("seconds"))
            self.before = self.before if now is None else now
            return
        step, found = whole(record.get("step")), measured(record)
        if step is not None:
            self.add_steps([step], {name: array("d", [value]) for name, value in found.items()})
        self.before = found.get("seconds", self.before)
        if self.tried < LAYOUTS and not self.layout.fits(line):
            self.tried += 1
            self.layout = Layout.of(line, record) or self.layout

    def add_steps(self, steps: Sequence[float], found: dict[str, array[float]]) -> None:
        """Steps, and the time that each took: since the record before, which leaves out an evaluation in between."""
        if "seconds" in found:
            clock = np.concatenate([[self.before], floats(found["seconds"])])
            with np.errstate(invalid="ignore", over="ignore"):
                found = {**found, "busy_seconds": array("d", np.diff(clock).tobytes())}
            self.before = float(clock[-1])
        self.rows.add(steps, found)


def as_floats(texts: Sequence[bytes]) -> array[float]:
    """The numbers that the texts show."""
    if texts[0] == texts[-1] and texts.count(texts[0]) == len(texts):
        return array("d", [float(texts[0])]) * len(texts)
    return array("d", map(float, texts))
