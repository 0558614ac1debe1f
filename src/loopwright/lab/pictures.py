"""The curves of a broken experiment over those of its healthy twin."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from loopwright.lab.breaking import Broken
from loopwright.report.ink import ALARM, TEXT, TRAIN, count_axis, render, value_axis

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Curve = Sequence[tuple[int, float]]
PANELS = (("losses", "training loss"), ("metrics", ""), ("norms", "gradient norm"))


def curves_picture(broken: Broken, metric: str, width: float = 900) -> str:
    """Loss, deciding metric and gradient norm, healthy in blue and broken in red, each seed a line; an SVG."""

    def draw(figure: Figure) -> None:
        for axes, (name, title) in zip(figure.subplots(1, 3), PANELS, strict=True):
            healthy = [getattr(trial, name) for trial in broken.healthy]
            sick = [getattr(trial, name) for trial in broken.trials]
            draw_panel(axes, healthy, sick, title or f"validation {metric}", log=name != "metrics")

    return render(draw, width, 230)


def draw_panel(axes: Axes, healthy: Sequence[Curve], sick: Sequence[Curve], title: str, *, log: bool) -> None:
    """One quantity of all seeds."""
    last = max((curve[-1][0] for curve in (*healthy, *sick) if curve), default=1)
    known = [value for curve in (*healthy, *sick) for _, value in curve if math.isfinite(value)]
    log = log and bool(known) and min(known) > 0
    for curves, color, label in ((healthy, TRAIN, "healthy"), (sick, ALARM, "broken")):
        for number, curve in enumerate(curves):
            finite = [(step, value) for step, value in curve if math.isfinite(value)]
            axes.plot(
                [step for step, _ in finite],
                [value for _, value in finite],
                color=color,
                alpha=0.75 if number == 0 else 0.3,
                linewidth=1.6 if number == 0 else 0.9,
                marker="o" if len(finite) == 1 else "",
                label=label if number == 0 else None,
            )
    axes.set_title(title)
    count_axis(axes, last)
    value_axis(axes, log)
    if known and log and max(known) > 1e6 * min(known):
        axes.set_ylim(top=1e6 * sorted(known)[len(known) // 2])
    axes.legend(loc="best", labelcolor=TEXT)
