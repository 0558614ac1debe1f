"""The plots of a run: loss, validation metrics, learning rate, gradient norm, throughput; an SVG each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import cycle
from typing import TYPE_CHECKING

from loopwright.report import curves
from loopwright.report.history import Series
from loopwright.report.ink import PALETTE, TRAIN, VALIDATION, render
from loopwright.report.overfitting import Onset
from loopwright.report.record import Record, broke_at
from loopwright.report.strokes import (
    SMOOTHED_FROM,
    draw_best,
    draw_break,
    draw_legend,
    draw_noisy,
    draw_onset,
    draw_points,
    finish,
)
from loopwright.values import number, numbers, table, whole

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_PANELS = 6
PACE = "Samples per second while training; evaluation and saving left out."
"""What a reader has to know of the throughput."""


@dataclass(frozen=True, slots=True)
class Plot:
    """The plot `plots/<name>.svg`. `small`: a third of a page wide."""

    name: str
    title: str
    caption: str
    svg: str
    small: bool = False


def draw_plots(record: Record, found: Onset | None = None) -> list[Plot]:
    """All plots for which `record` holds anything, with the onset of overfitting where one was `found`."""
    candidates = [
        _loss(record, found),
        _components(record),
        _metrics(record),
        _curve(record, "lr", "learning_rate", "Learning rate"),
        _gradient_norm(record),
        _throughput(record),
    ]
    return [plot for plot in candidates if plot is not None]


def best_step(record: Record) -> int | None:
    """The step that the summary calls best; without a summary, the best of the validations in the history."""
    recorded = whole(table(record.metrics, "best").get("step"))
    metric, mode = record.deciding
    series = curves.finite(record.history.validation(metric))
    if recorded is not None or len(series) == 0:
        return recorded
    place = series.values.argmin() if mode == "min" else series.values.argmax()
    return int(series.steps[place])


def clip_norm(record: Record) -> float | None:
    """The configured clipping threshold; None where there is no clipping."""
    threshold = number(record.config.get("clip_norm"))
    return threshold if threshold is not None and 0 < threshold < float("inf") else None


def _loss(record: Record, found: Onset | None) -> Plot | None:
    train, validation = record.history.curve("loss"), record.history.validation("loss")
    if len(train) + len(validation) == 0:
        return None

    def draw(figure: Figure) -> None:
        axes = figure.subplots()
        draw_noisy(axes, train, "training")
        draw_points(axes, validation, VALIDATION, "validation")
        draw_best(axes, validation, best_step(record))
        draw_onset(axes, found)
        draw_break(axes, broke_at(record.metrics), record.history.last_step)
        finish(axes, [train, validation], record.history.last_step, log=curves.wants_log([train, validation]))
        draw_legend(figure, axes)

    return Plot("loss", "Loss", loss_caption(len(train)), render(draw, 830, 330))


def components(record: Record) -> dict[str, Series]:
    """The parts that the training loss is made of, by name; none where there is but one, which is the loss itself."""
    found = {name.removeprefix("loss."): curve for name, curve in record.history.curves.items()}
    parts = {name: found[name] for name in sorted(found) if f"loss.{name}" in record.history.curves}
    return parts if len(parts) > 1 else {}


def _components(record: Record) -> Plot | None:
    parts = components(record)
    if not parts:
        return None

    def draw(figure: Figure) -> None:
        axes = figure.subplots()
        for color, (name, series) in zip(cycle(PALETTE), parts.items(), strict=False):
            draw_noisy(axes, series, name, color)
        finish(axes, [*parts.values()], record.history.last_step, log=curves.wants_log([*parts.values()]))
        draw_legend(figure, axes)

    return Plot("components", "Components of the training loss", "", render(draw, 830, 330))


def metric_names(record: Record) -> list[str]:
    """The validation metrics besides the loss, the deciding one first; at most as many as are drawn."""
    return _measured(record)[:_PANELS]


def throughput(record: Record) -> Series:
    """Samples per second while training."""
    return curves.rate(record.history.curve("samples"), record.history.curve("busy_seconds"))


def _measured(record: Record) -> list[str]:
    deciding, _ = record.deciding
    measured = {name for validation in record.history.validations for name in numbers(validation.get("metrics"))}
    return sorted(measured - {"loss"}, key=lambda name: (name != deciding, name))


def _metrics(record: Record) -> Plot | None:
    deciding, mode = record.deciding
    shown, best, more = metric_names(record), best_step(record), len(_measured(record)) - _PANELS
    if not shown:
        return None

    def draw(figure: Figure, columns: int) -> None:
        panels = figure.subplots(-(-len(shown) // columns), columns, squeeze=False).flatten()
        for axes, name in zip(panels, shown, strict=False):
            series, decides = record.history.validation(name), name == deciding
            draw_points(axes, series, VALIDATION if decides else TRAIN, name)
            draw_best(axes, series, best)
            finish(axes, [series], record.history.last_step, log=False)
            axes.set_title(f"{name} · decides ({mode})" if decides else name, weight="bold" if decides else "normal")
        for axes in panels[len(shown) :]:
            axes.set_axis_off()

    columns = 2 if len(shown) in (2, 4) else min(3, len(shown))
    height = 215 * -(-len(shown) // columns)
    others = f" {more} more are in the table." if more > 0 else ""
    return Plot(
        "metrics",
        "Validation metrics",
        f"The ring marks the best step.{others}" if best else others.strip(),
        render(lambda figure: draw(figure, columns), 830, height),
    )


def _curve(record: Record, quantity: str, name: str, title: str) -> Plot | None:
    series = record.history.curve(quantity)

    def draw(axes: Axes) -> None:
        draw_points(axes, series, TRAIN, title)
        finish(axes, [series], record.history.last_step, log=False)

    return _small(name, title, "", draw) if len(series) else None


def _gradient_norm(record: Record) -> Plot | None:
    series, threshold = record.history.curve("grad_norm"), clip_norm(record)

    def draw(axes: Axes) -> None:
        draw_noisy(axes, series, "gradient norm")
        if threshold is not None:
            axes.axhline(threshold, color=VALIDATION, linewidth=1, linestyle=(0, (4, 3)))
        finish(axes, [series], record.history.last_step, log=curves.wants_log([series]))

    clipped = "" if threshold is None else f" Dashed: clipped at {threshold:g}."
    caption = f"Before clipping.{clipped}"
    return _small("gradient_norm", "Gradient norm", caption, draw) if len(series) else None


def _throughput(record: Record) -> Plot | None:
    series = throughput(record)

    def draw(axes: Axes) -> None:
        draw_points(axes, series, TRAIN, "samples per second")
        axes.set_ylim(0, 1.1 * float(curves.finite(series).values.max(initial=1e-9)))
        finish(axes, [series], record.history.last_step, log=False)

    return _small("throughput", "Throughput", PACE, draw) if len(series) else None


def loss_caption(count: int) -> str:
    """What a reader has to know of the curve of `count` training losses."""
    faint = "each step" if count <= 1000 else "least and greatest of neighboring steps"
    smoothed = f"Faint: {faint}. Solid: their moving average. " if count >= SMOOTHED_FROM else ""
    measured = "Training is measured in the step, with dropout, augmentation and label smoothing where there are any"
    return f"{smoothed}{measured}; validation without."


def _small(name: str, title: str, caption: str, draw: Callable[[Axes], None]) -> Plot:
    return Plot(name, title, caption, render(lambda figure: draw(figure.subplots()), 290, 190), small=True)
