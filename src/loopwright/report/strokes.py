"""What is drawn on a pair of axes: curves, smoothed curves, the best step, and values that are not finite."""

from __future__ import annotations

from typing import TYPE_CHECKING

from loopwright.report import curves
from loopwright.report.history import Series
from loopwright.report.ink import ALARM, TEXT, TRAIN, VALIDATION, count_axis, value_axis
from loopwright.report.overfitting import Onset
from loopwright.report.values import show_metric

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

SMOOTHED_FROM = 60  # points; fewer are drawn as they are
_MARKED_UP_TO = 40  # points that carry a dot each


def draw_noisy(axes: Axes, series: Series, label: str, color: str = TRAIN) -> None:
    """A quantity of every step; where there are many, faint, with a debiased moving average over it."""
    if len(series) < SMOOTHED_FROM:
        draw_points(axes, series, color, label)
        return
    raw, averaged = curves.thin(series, _buckets(axes)), curves.means(series)
    line = curves.smooth(averaged, span=max(8, len(averaged) // 50))
    axes.plot(raw.steps, raw.values, color=color, alpha=0.3, linewidth=0.9)
    axes.plot(line.steps, line.values, color=color)
    _mark_last(axes, line, color, label)


def draw_points(axes: Axes, series: Series, color: str, label: str) -> None:
    """A quantity as it was measured; few points carry a dot each. Nothing where there is no point."""
    if len(series) == 0:
        return
    marker = "o" if len(series) <= _MARKED_UP_TO else ""
    line = curves.thin(series, _buckets(axes))
    axes.plot(line.steps, line.values, color=color, marker=marker, markersize=2.6)
    _mark_last(axes, line, color, label)


def draw_best(axes: Axes, series: Series, step: int | None) -> None:
    """A line at the best step, and a ring around the value of `series` there."""
    if step is None:
        return
    axes.axvline(step, color=TEXT, alpha=0.6, linewidth=0.8, linestyle=(0, (2, 3)), zorder=1)
    at = curves.finite(Series(series.steps[series.steps == step], series.values[series.steps == step]))
    label = f"best, step {step:,}"
    axes.plot(at.steps, at.values, "o", color=VALIDATION, markerfacecolor="none", markersize=9, label=label)


def draw_onset(axes: Axes, found: Onset | None) -> None:
    """A line at the step from which on the model overfits."""
    if found is not None:
        label = f"overfitting from step {found.step:,}"
        axes.axvline(found.step, color=ALARM, linewidth=1, linestyle=(0, (4, 3)), zorder=1, label=label)


def draw_break(axes: Axes, step: int | None, last_step: int) -> None:
    """A line where the run broke: at its end, for the step itself has no numbers."""
    if step is not None:
        axes.axvline(min(step, last_step), color=ALARM, linewidth=1.4, zorder=1, label=f"broke in step {step:,}")


def finish(axes: Axes, drawn: list[Series], last_step: int, log: bool) -> None:
    """Axes, and a mark at the top for each step whose value is not finite: that is part of the story."""
    count_axis(axes, last_step)
    value_axis(axes, log)
    lost = sorted({float(step) for series in drawn for step in curves.non_finite(series)})
    if lost:
        shown = lost[:: -(-len(lost) // 300)]
        label, top = f"not finite ({len(lost):,})", axes.get_xaxis_transform()
        axes.plot(shown, [0.98] * len(shown), "|", color=ALARM, markersize=9, transform=top, label=label)
    if not any(len(curves.finite(series)) for series in drawn):
        axes.set_yticks([])
        axes.text(0.5, 0.5, "no finite value", transform=axes.transAxes, ha="center", va="center")


def draw_legend(figure: Figure, axes: Axes) -> None:
    """The legend above the axes, in one row where the figure is wide enough."""
    columns = 4 if figure.get_figwidth() > 6 else 2
    axes.legend(loc="lower left", bbox_to_anchor=(-0.01, 1.0), ncols=columns, handlelength=1, columnspacing=1.4)


def _buckets(axes: Axes) -> int:
    """As many as a spike's width goes into the width of the axes; more would only blacken the drawing."""
    return max(50, int(axes.bbox.width / 2))


def _mark_last(axes: Axes, line: Series, color: str, label: str) -> None:
    """A dot on the last value, and the legend's entry with the value."""
    line = curves.finite(line)
    value = f" {show_metric(float(line.values[-1]))}" if len(line) else ""
    axes.plot(line.steps[-1:], line.values[-1:], "o", color=color, markersize=4.5, label=f"{label}{value}")
