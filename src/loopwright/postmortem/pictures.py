"""A few curves with a mark or two, described once: a static drawing for markdown, an interactive chart for the page."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from loopwright.report import charts, curves
from loopwright.report.charts import Chart, Line
from loopwright.report.clock import Clock
from loopwright.report.history import Series
from loopwright.report.ink import ALARM, TEXT, TRAIN, VALIDATION, render
from loopwright.report.strokes import SMOOTHED_FROM, draw_legend, draw_noisy, draw_points, finish

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

COLORS = {"training": TRAIN, "healthy": TRAIN, "validation": VALIDATION, "broken": ALARM}
PLACES = {"training": 1, "healthy": 1, "validation": 2, "broken": 5}
"""The same colors in the palette of the page."""
STEPS = Clock({})
"""Pictures are drawn over steps alone: they are beside each other, and of several runs."""


@dataclass(frozen=True, slots=True)
class Curve:
    """One quantity. `kind`: training | validation | healthy | broken. `faint`: one of several, without a label."""

    label: str
    kind: str
    series: Series
    faint: bool = False


@dataclass(frozen=True, slots=True)
class Picture:
    """What is drawn as `plots/postmortem-NAME.svg`. `marks`: steps with a word each. `source`: where it comes from."""

    name: str
    title: str
    curves: tuple[Curve, ...]
    marks: tuple[tuple[float, str], ...] = ()
    source: str = ""

    @property
    def drawn(self) -> list[Series]:
        """All series."""
        return [curve.series for curve in self.curves]

    @property
    def log(self) -> bool:
        """Whether the vertical axis is logarithmic."""
        return curves.wants_log(self.drawn)

    def chart(self) -> Chart:
        """The interactive drawing."""
        drawn = [line_of(curve) for curve in self.curves]
        marks = [charts.mark(step, word, STEPS, "bad") for step, word in self.marks]
        return Chart(self.name, self.title, drawn, marks, log=self.log, source=self.source)

    def svg(self, width: float = 830, height: float = 300) -> str:
        """The static drawing."""

        def draw(figure: Figure) -> None:
            axes = figure.subplots()
            for curve in self.curves:
                draw_curve(axes, curve)
            for step, word in self.marks:
                axes.axvline(step, color=TEXT, alpha=0.6, linewidth=0.8, linestyle=(0, (2, 3)), zorder=1, label=word)
            last = max((int(series.steps[-1]) for series in self.drawn if len(series)), default=1)
            finish(axes, self.drawn, last, log=self.log)
            draw_legend(figure, axes)

        return render(draw, width, height)


def draw_curve(axes: Axes, curve: Curve) -> None:
    """One curve: training's with its noise, the others as they were measured, twins thin."""
    color = COLORS[curve.kind]
    if curve.faint:
        line = curves.thin(curve.series)
        axes.plot(line.steps, line.values, color=color, alpha=0.35, linewidth=0.9)
    elif curve.kind == "training":
        draw_noisy(axes, curve.series, curve.label)
    else:
        draw_points(axes, curve.series, color, curve.label)


def line_of(curve: Curve) -> Line:
    """One curve of the page: training's can be smoothed where it is long."""
    smoothed = curve.kind == "training" and len(curve.series) >= SMOOTHED_FROM
    line = charts.line(curve.label, curve.series, STEPS, color=PLACES[curve.kind], smoothed=smoothed)
    return replace(line, faint=True, spots=[]) if curve.faint else line
