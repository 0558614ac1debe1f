"""Interactive charts as plain data, for any page of ours: `charts.js` draws them, `charts.html.j2` places them.

A page says `{% import "charts.html.j2" as charts with context %}`, puts `charts.head()` into its head, `charts.foot()`
at its end, and between them, inside `{% call charts.group() %}`, a `charts.figure(chart)` for each chart. The charts of
a group share their controls: the axis, the smoothing, the zoom and the cursor. `page.environment` renders it.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field

import numpy as np

from loopwright.report import curves
from loopwright.report.clock import AXES, Clock
from loopwright.report.history import Floats, Series

MARKED = 300
"""How many values that cannot be drawn are marked at most; their number is told whatever it is."""

Places = dict[str, list[float]]
Values = list[float | None]


@dataclass(frozen=True, slots=True)
class Trace:
    """What is drawn: `ys` over positions `xs` on each axis, by its key, ascending; None where a line breaks."""

    xs: Places
    ys: Values


@dataclass(frozen=True, slots=True)
class Spot:
    """A point that is singled out: a ring (`best`) or a dot (`last`), at `x` on each axis."""

    x: dict[str, float]
    y: float
    label: str
    kind: str = "last"


@dataclass(frozen=True, slots=True)
class Mark:
    """A vertical line at `x` on each axis, with a word or two. `tone`: good | warn | bad | calm."""

    x: dict[str, float]
    label: str
    tone: str = "calm"


@dataclass(frozen=True, slots=True)
class Line:
    """One curve.

    `averaged`: means of the same curve, at even distances, from which the page smooths; None: it is never smoothed.
    `low` and `high`: a band around it, a value for each of `trace.ys`. `color`: a place in the palette, from 1 to 8
    (training is 1, blue; validation 2, orange). `faint`: drawn thin, and not in the legend. `dots`: points, no line.
    `lost` and `lost_count`: where values are not finite, and how many.
    """

    name: str
    trace: Trace
    averaged: Trace | None = None
    low: Values | None = None
    high: Values | None = None
    color: int = 1
    dashed: bool = False
    faint: bool = False
    dots: bool = False
    spots: list[Spot] = field(default_factory=list)
    lost: Places = field(default_factory=dict)
    lost_count: int = 0


@dataclass(frozen=True, slots=True)
class Chart:
    """Lines over a common axis. `name`: of letters and dashes, unique on its page.

    `axes`: what it can be drawn over, by key and word; the reader chooses among those that all charts of a group have.
    `unit`: of the values. `log`: whether their axis is logarithmic at first, `log_x`: whether the horizontal one is.
    `from_zero`: the vertical axis begins at 0. `levels`: horizontal lines, such as a threshold. `note`: what a reader
    has to know; `source`: the file it comes from. `small`: a third of the page wide.
    """

    name: str
    title: str
    lines: list[Line]
    marks: list[Mark] = field(default_factory=list)
    axes: dict[str, str] = field(default_factory=lambda: dict(AXES))
    unit: str = ""
    log: bool = False
    log_x: bool = False
    from_zero: bool = False
    levels: list[float] = field(default_factory=list)
    note: str = ""
    source: str = ""
    small: bool = False

    @property
    def data(self) -> str:
        """What the page's script reads, as JSON that can stand inside a script element."""
        content = asdict(self) | {"axes": self.common_axes()}
        text = json.dumps(content, separators=(",", ":"), allow_nan=False)
        return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")

    def common_axes(self) -> dict[str, str]:
        """The axes on which every line has positions."""
        return {key: word for key, word in self.axes.items() if all(key in line.trace.xs for line in self.lines)}


def line(
    name: str,
    series: Series,
    clock: Clock,
    *,
    color: int = 1,
    band: tuple[Series, Series] | None = None,
    smoothed: bool = False,
    best: float | None = None,
    buckets: int = 600,
) -> Line:
    """A line of a run's curve, short enough for a page however long the run was.

    `band`: least and greatest values, over the steps of `series`. `smoothed`: whether the reader can smooth it.
    `best`: a step whose value gets a ring; the last one gets a dot.
    """
    thin = curves.thin(series, buckets)
    low, high = (_on(edge, thin.steps) for edge in band) if band else (None, None)
    lost = curves.non_finite(series)
    return Line(
        name,
        trace(thin, clock),
        averaged=trace(curves.means(series, buckets), clock) if smoothed else None,
        low=low,
        high=high,
        color=color,
        spots=_spots(series, clock, best),
        lost=_places(lost[:: max(1, -(-len(lost) // MARKED))], clock) if len(lost) else {},
        lost_count=len(lost),
    )


def trace(series: Series, clock: Clock) -> Trace:
    """`series` over all axes; what is not finite as None."""
    return Trace(_places(series.steps, clock), short(series.values))


def mark(step: float, label: str, clock: Clock, tone: str = "calm") -> Mark:
    """A vertical line at `step`."""
    return Mark(_place(step, clock), label, tone)


def short(values: Floats | Sequence[float], digits: int = 6) -> Values:
    """`values` rounded to `digits` significant digits, so that they are short as text; None where not finite."""
    drawable = np.asarray(values, dtype=np.float64)
    return [float(f"{value:.{digits}g}") if abs(value) < curves.DRAWABLE else None for value in drawable.tolist()]


def _places(steps: Floats, clock: Clock) -> Places:
    """Positions on every axis: steps to the last digit, the others to eight, so that they stay in order."""
    return {
        key: [int(place) if place == int(place) else float(f"{place:.8g}") for place in places.tolist()]
        for key, places in clock.at(steps).items()
    }


def _place(step: float, clock: Clock) -> dict[str, float]:
    return {key: places[0] for key, places in _places(np.array([step], dtype=np.float64), clock).items()}


def _spots(series: Series, clock: Clock, best: float | None) -> list[Spot]:
    drawable = curves.finite(series)
    if len(drawable) == 0:
        return []
    spots = [Spot(_place(float(drawable.steps[-1]), clock), float(drawable.values[-1]), "last", "last")]
    at = drawable.values[drawable.steps == best]
    if best is not None and len(at):
        spots.append(Spot(_place(best, clock), float(at[0]), "best", "best"))
    return spots


def _on(edge: Series, steps: Floats) -> Values:
    """The values of `edge` at those of its steps that are drawn."""
    known = dict(zip(edge.steps.tolist(), edge.values.tolist(), strict=True))
    return short([known.get(step, np.nan) for step in steps.tolist()])
