"""Curves of groups over each other: the mean over seeds with a band of one standard deviation."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from loopwright.comparing.comparison import Comparison
from loopwright.comparing.groups import Group
from loopwright.comparing.subject import Subject
from loopwright.report import curves
from loopwright.report.charts import Chart, Line, line
from loopwright.report.clock import Clock
from loopwright.report.history import EMPTY, Series
from loopwright.report.ink import render
from loopwright.report.strokes import SMOOTHED_FROM, draw_legend, draw_points, finish
from loopwright.values import number

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

COLORS = ("#4b87e8", "#e07b28", "#2f9e6b", "#a653c9", "#d0506c", "#1797a6", "#8a7a1f", "#6b7280")
"""The places of the pages' palette, legible on white and on near-black."""

LONGEST = 22
"""Letters of a label in a drawing."""

FINEST = 1200
"""Steps at which a mean over seeds is worked out."""


@dataclass(frozen=True)
class Overlay:
    """The curve of a group: `mean`, and where it has several seeds the edges of its band. `color` from 1 on."""

    group: Group
    color: int
    mean: Series
    low: Series | None = None
    high: Series | None = None

    @property
    def name(self) -> str:
        """The legend's entry: the group, what it is, how many seeds."""
        return f"{self.group.letter} {self.group.label}{self.seeds}"

    @property
    def short(self) -> str:
        """The same for a drawing, which has no room for long labels and no letters for every script."""
        label = self.group.label
        drawable = len(label) <= LONGEST and label.isascii() and label.isprintable()
        return f"{self.group.letter}{f' {plain(label)}' if drawable else ''}{self.seeds}"

    @property
    def seeds(self) -> str:
        """How many seeds there are, where there are several."""
        return f" (n = {n})" if (n := len(self.group.seeds)) > 1 else ""


@dataclass(frozen=True)
class Drawing:
    """A picture: `svg`, and the same as an interactive `chart`, where it can be one."""

    name: str
    title: str
    caption: str
    svg: str
    chart: Chart | None = None


def figures(comparison: Comparison) -> list[Drawing]:
    """The deciding metric on validation, the validation loss, the training loss: those that were recorded."""
    shown = drawn_groups(comparison)
    left_out = len(comparison.groups) - len(shown)
    more = f" {left_out} more groups are not drawn." if left_out else ""
    metric = comparison.deciding.measure.metric
    wanted: list[tuple[str, str, Callable[[Subject], Series], bool]] = [
        ("deciding", f"Validation {metric}", lambda run: run.curve(metric), False)
    ]
    if metric != "loss":
        wanted.append(("validation-loss", "Validation loss", lambda run: run.curve("loss"), False))
    wanted.append(("training-loss", "Training loss", lambda run: run.train, True))
    found = []
    for name, title, curve, noisy in wanted:
        overlays = [made for group, color in shown if len((made := overlay(group, color, curve)).mean)]
        if overlays:
            found.append(figure(name, title, overlays, f"{caption(overlays, noisy)}{more}", noisy=noisy))
    return found


def drawn_groups(comparison: Comparison) -> list[tuple[Group, int]]:
    """As many groups as there are colors, each with its own: the baseline, then the best."""
    samples = comparison.deciding.samples
    sign = -1.0 if comparison.deciding.direction == "max" else 1.0
    means = [sample.mean if sample.mean is not None else np.inf for sample in samples]
    order = sorted(range(1, len(means)), key=lambda place: sign * means[place])
    chosen = sorted([0, *order[: len(COLORS) - 1]])
    return [(comparison.groups[place], color) for color, place in enumerate(chosen, start=1)]


def overlay(group: Group, color: int, curve: Callable[[Subject], Series]) -> Overlay:
    """The mean of a curve over the runs of a group, at each step over those that got there."""
    series = [found for run in group.subjects if len(found := curve(run))]
    if len(series) == 1:
        return Overlay(group, color, series[0])
    series = [finite for one in series if len(finite := curves.finite(one))]
    if not series:
        return Overlay(group, color, EMPTY)
    steps = np.unique(np.concatenate([one.steps for one in series]))
    if len(steps) > FINEST:
        steps = np.unique(np.linspace(steps[0], steps[-1], FINEST).round())
    table = np.stack([np.interp(steps, one.steps, one.values, left=np.nan, right=np.nan) for one in series])
    there = np.isfinite(table)
    count = there.sum(0)
    steps, table, there, count = steps[count > 0], table[:, count > 0], there[:, count > 0], count[count > 0]
    mean = np.where(there, table, 0.0).sum(0) / count
    spread = np.sqrt(np.where(there, (table - mean) ** 2, 0.0).sum(0) / np.maximum(count - 1, 1))
    return Overlay(group, color, Series(steps, mean), Series(steps, mean - spread), Series(steps, mean + spread))


def caption(overlays: Sequence[Overlay], noisy: bool) -> str:
    """What the lines and bands are."""
    bands = "Line: mean over seeds; band: one sample standard deviation. " if any(one.low for one in overlays) else ""
    return f"{bands}{'Training is measured in the step; means of neighboring steps.' if noisy else ''}".strip()


def figure(name: str, title: str, overlays: Sequence[Overlay], text: str, *, noisy: bool) -> Drawing:
    """The overlaid curves, static and interactive."""
    log = curves.wants_log([one.mean for one in overlays])
    lines = [as_line(one, noisy=noisy) for one in overlays]
    chart = Chart(name, title, lines, log=log, note=text, source="logs/history.jsonl")

    def draw(figure: Figure) -> None:
        axes = figure.subplots()
        for one in overlays:
            draw_overlay(axes, one, noisy=noisy, log=log)
        finish(axes, [one.mean for one in overlays], int(max(one.mean.steps[-1] for one in overlays)), log=log)
        draw_legend(figure, axes)

    rows = -(-len(overlays) // 2)
    return Drawing(name, title, text, render(draw, 830, 300 + 10 * rows), chart)


def as_line(one: Overlay, *, noisy: bool) -> Line:
    """The interactive line of a group."""
    band = (one.low, one.high) if one.low is not None and one.high is not None else None
    smoothed = noisy and len(one.mean) >= SMOOTHED_FROM
    return line(one.name, one.mean, clock(one.group), color=one.color, band=band, smoothed=smoothed)


def draw_overlay(axes: Axes, one: Overlay, *, noisy: bool, log: bool) -> None:
    """The static curve of a group, and its band."""
    color = COLORS[one.color - 1]
    mean = one.mean
    if noisy and len(mean) >= SMOOTHED_FROM:
        mean = curves.smooth(curves.finite(mean), span=max(8, len(mean) // 50))
    elif one.low is not None and one.high is not None:
        floor = one.mean.values.min() / 2 if log else -np.inf
        axes.fill_between(
            one.low.steps, np.maximum(one.low.values, floor), one.high.values, color=color, alpha=0.16, linewidth=0
        )
    draw_points(axes, mean, color, one.short)


def plain(text: str) -> str:
    """A text for matplotlib, to which dollars would be formulas."""
    return text.replace("$", r"\$")


def clock(group: Group) -> Clock:
    """Epochs, samples and seconds of a group's steps: those of its longest run."""
    run = max(group.subjects, key=lambda run: run.last_step)
    known = {"samples": run.samples, "seconds": run.seconds}
    epochs, steps = number(run.record.metrics.get("epochs")), run.steps
    if epochs and steps > 0:
        known["epoch"] = Series(np.array([float(steps)]), np.array([epochs]))
    return Clock({name: from_nothing(series) for name, series in known.items() if len(series)})


def from_nothing(series: Series) -> Series:
    """A total, from 0 at step 0 on."""
    if series.steps[0] <= 0:
        return series
    return Series(np.concatenate([[0.0], series.steps]), np.concatenate([[0.0], series.values]))
