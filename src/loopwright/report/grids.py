"""Tables for a reader: cells that are already text, with what the page needs to align and shade them."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from loopwright.report.record import Record
from loopwright.report.values import show, show_metric, show_seconds
from loopwright.values import Table, number, numbers, table, tables

_ROWS = 300  # of a table that comes from a file or a history; a longer one is thinned


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell. `full`: the number unrounded. `shade`: "" | "hit" | "miss", `percent` (0 to 100) strong."""

    text: str
    numeric: bool = False
    full: str = ""
    shade: str = ""
    percent: int = 0


@dataclass(frozen=True, slots=True)
class Grid:
    """A table with its title and the file that its numbers come from. `marked` are the rows to highlight.

    `kind`: "" | "dense" (many rows) | "matrix" (classes against classes).
    """

    title: str
    columns: list[str]
    rows: list[list[Cell]]
    source: str
    note: str = ""
    marked: frozenset[int] = field(default_factory=frozenset)
    kind: str = ""

    @property
    def numeric(self) -> list[bool]:
        """For each column, whether it holds numbers, which are aligned right."""
        places = range(len(self.columns))
        return [any(row[place].numeric for row in self.rows if place < len(row)) for place in places]


def cell(value: Any) -> Cell:
    """The cell for a value of any type out of a file."""
    found = number(value)
    return Cell(show(value)) if found is None else Cell(show(value), True, repr(value))


def metric_cell(value: float | None) -> Cell:
    """The cell for a metric; a dash where it was not measured."""
    return Cell(show_metric(value), True, "" if value is None else repr(value))


def members(record: Record) -> Grid | None:
    """The runs of a study, a row each: how it ended, what it reached, and which of its claims it kept."""
    rows = [_member(member) for member in tables(record.metrics.get("members"))]
    columns = ["run", "status", "steps", "decided by", "best val", "test at best", "training time", "claims kept"]
    if not any(row[-1].text for row in rows):
        columns, rows = columns[:-1], [row[:-1] for row in rows]
    return Grid("Runs", columns, rows, "metrics.json") if rows else None


def _member(metrics: Table) -> list[Cell]:
    metric = str(table(metrics, "decided_by").get("metric") or "")
    val, test = (numbers(table(metrics, split, "best")).get(metric) for split in ("val", "test"))
    claims = tables(metrics.get("claims"))
    kept = f"{sum(claim.get('holds') is True for claim in claims)} of {len(claims)}" if claims else ""
    seconds = number(table(metrics, "timing").get("train_seconds"))
    known = [
        Cell(show(metrics.get("name") or metrics.get("experiment"))),
        Cell(show(metrics.get("status"))),
        cell(metrics.get("steps")),
    ]
    return [*known, Cell(metric), metric_cell(val), metric_cell(test), Cell(show_seconds(seconds), True), Cell(kept)]


def results(record: Record) -> Grid | None:
    """Every metric of the summary: on test, val and train, of the best and the last checkpoint."""
    places = [(split, which) for split in ("test", "val", "train") for which in ("best", "last")]
    columns = {place: numbers(table(record.metrics, *place)) for place in places}
    columns = {place: measured for place, measured in columns.items() if measured}
    deciding, _ = record.deciding
    names = sorted(
        {name for measured in columns.values() for name in measured},
        key=lambda name: (name != deciding, natural(name)),
    )
    rows = [[Cell(name), *(metric_cell(columns[place].get(name)) for place in columns)] for name in names]
    head = ["metric", *(f"{split} {which}" for split, which in columns)]
    note = f"{deciding} decides which step is best." if deciding in names else ""
    return Grid("Results", head, rows, "metrics.json", note, frozenset({0} if note else ())) if rows else None


def natural(name: str) -> list[str | int]:
    """A key that sorts the numbers in names by their value.

    >>> sorted(["up_to_14", "up_to_7"], key=natural)
    ['up_to_7', 'up_to_14']
    """
    return [int(part) if part.isdecimal() else part for part in re.split(r"(\d+)", name)]


def progress(record: Record, best: int | None) -> Grid | None:
    """What was measured at each validation and at the end of each epoch, by step, the best step marked."""
    by_step: dict[int, Table] = {}
    for epoch in record.history.epochs:
        means = {"epoch": epoch.get("epoch"), "train loss": epoch.get("train_loss"), "lr": epoch.get("lr")}
        by_step[epoch["step"]] = means | {"gradient norm": epoch.get("grad_norm")}
    for validation in record.history.validations:
        metrics = {f"val {name}": value for name, value in numbers(validation.get("metrics")).items()}
        known = by_step.get(validation["step"], {"epoch": validation.get("epoch")})
        by_step[validation["step"]] = known | metrics
    columns = _progress_columns(by_step)
    steps = _thinned(sorted(by_step), best)
    rows = [[cell(step), *_progress_cells(by_step[step], columns)] for step in steps]
    marked = frozenset(place for place, step in enumerate(steps) if step == best)
    fewer = f"{len(steps)} of {len(by_step):,} rows are shown." if len(steps) < len(by_step) else ""
    return Grid("Progress", ["step", *columns], rows, "logs/history.jsonl", fewer, marked, "dense") if rows else None


def _progress_columns(by_step: dict[int, Table]) -> list[str]:
    """Epoch, losses, metrics, learning rate, gradient norm; without those that are nowhere known."""
    known = dict.fromkeys(name for row in by_step.values() for name, value in row.items() if value is not None)
    order = {"epoch": 0, "train loss": 1, "val loss": 2, "lr": 4, "gradient norm": 5}
    return sorted(known, key=lambda name: order.get(name, 3))


def _progress_cells(row: Table, columns: list[str]) -> list[Cell]:
    exact = {"epoch", "lr"}
    return [cell(row.get(name)) if name in exact else metric_cell(number(row.get(name))) for name in columns]


def _thinned(steps: list[int], best: int | None) -> list[int]:
    stride = -(-len(steps) // _ROWS) or 1
    return [step for place, step in enumerate(steps) if place % stride == 0 or step in (best, steps[-1])]


def from_file(content: Table, name: str) -> Grid | None:
    """The table that a task wrote as `{"title", "columns", "rows", "note"}`; None where it is none."""
    columns, rows = content.get("columns"), content.get("rows")
    if not isinstance(columns, list) or not isinstance(rows, list) or not all(isinstance(row, list) for row in rows):
        return None
    kept = rows[:_ROWS]
    more = f"The first {_ROWS} of {len(rows):,} rows." if len(rows) > _ROWS else ""
    note = " ".join(filter(None, (str(content.get("note") or ""), more)))
    decimals = [_decimals([row[place] for row in kept if place < len(row)]) for place in range(len(columns))]
    cells = [[_aligned(value, *decimals[place : place + 1]) for place, value in enumerate(row)] for row in kept]
    grid = Grid(
        str(content.get("title") or name),
        [show(column) for column in columns],
        cells,
        f"artifacts/{name}",
        note,
    )
    return _shaded(grid, kept) if _is_confusion(grid, kept) else grid


def _decimals(values: list[Any]) -> int | None:
    """How many decimals a column of floats of about one size needs, at four significant digits each."""
    sizes = [abs(value) for value in values if isinstance(value, float) and math.isfinite(value) and value]
    if not sizes or min(sizes) < 1e-4 or max(sizes) >= 1e6 or max(sizes) > 1e3 * min(sizes):
        return None
    return min(5, max(len(f"{size:.4g}".partition(".")[2]) for size in sizes))


def _aligned(value: Any, decimals: int | None = None) -> Cell:
    if decimals is None or not isinstance(value, float) or not math.isfinite(value):
        return cell(value)
    return Cell(f"{value:,.{decimals}f}", True, repr(value))


def _is_confusion(grid: Grid, rows: Sequence[list[Any]]) -> bool:
    """Whether this is a square of numbers whose title or labels say that rows and columns mean the same."""
    size = len(rows)
    square = [[number(value) for value in row[-size:]] for row in rows]
    if size < 2 or any(
        len(row) not in (size, size + 1) or None in part for row, part in zip(rows, square, strict=True)
    ):
        return False
    same_labels = grid.columns[1:] == [show(row[0]) for row in rows]
    return same_labels or "confusion" in grid.title.lower()


def _shaded(grid: Grid, rows: Sequence[list[Any]]) -> Grid:
    """The diagonal in one color, the rest in another; the square root makes single mistakes visible."""
    size = len(rows)
    values = [[number(value) or 0.0 for value in row[-size:]] for row in rows]
    most = max(max(0.0, value) for row in values for value in row if value < float("inf"))
    shaded = []
    for line, row in enumerate(values):
        cells = list(grid.rows[line])
        for place, value in enumerate(row):
            share = min(1.0, value / most) ** 0.5 if value > 0 and most > 0 else 0.0
            kind = "hit" if place == line else "miss"
            cells[place - size] = replace(cells[place - size], shade=kind if share else "", percent=round(62 * share))
        shaded.append(cells)
    return replace(grid, rows=shaded, kind="matrix")
