"""The charts of a run's page, from the curves that its static plots show too."""

from __future__ import annotations

from loopwright.report import curves
from loopwright.report.charts import Chart, Line, Mark, line, mark
from loopwright.report.clock import Clock
from loopwright.report.history import Series
from loopwright.report.overfitting import Onset
from loopwright.report.plots import (
    PACE,
    best_step,
    clip_norm,
    components,
    loss_caption,
    metric_names,
    throughput,
)
from loopwright.report.record import Record, broke_at
from loopwright.report.strokes import SMOOTHED_FROM
from loopwright.report.values import show
from loopwright.values import whole

_MARKS = 6
_TONES = {"error": "bad", "warning": "warn"}
_BUCKETS = 300
"""Of a small chart."""


def draw_charts(record: Record, clock: Clock, found: Onset | None) -> dict[str, list[Chart]]:
    """All charts for which `record` holds anything, by the name of the static plot that shows the same."""
    rate = record.history.curve("lr")
    made = {
        "loss": [_loss(record, clock, found)],
        "components": [_components(record, clock)],
        "metrics": [_metric(record, clock, name, place) for place, name in enumerate(metric_names(record))],
        "learning_rate": [_small("learning-rate", "Learning rate", rate, clock)],
        "gradient_norm": [_gradient_norm(record, clock)],
        "throughput": [_small("throughput", "Throughput", throughput(record), clock, unit="samples/s", note=PACE)],
    }
    return {name: [chart for chart in charts if chart.lines] for name, charts in made.items()}


def _loss(record: Record, clock: Clock, found: Onset | None) -> Chart:
    train, validation = record.history.curve("loss"), record.history.validation("loss")
    lines = [
        *_drawn("training", train, clock, smoothed=True),
        *_drawn("validation", validation, clock, color=2, best=best_step(record)),
    ]
    log = curves.wants_log([train, validation])
    return Chart("loss", "Loss", lines, _marks(record, clock, found), log=log, note=loss_caption(len(train)))


def _marks(record: Record, clock: Clock, found: Onset | None) -> list[Mark]:
    """The step that broke, the onset of overfitting, and the steps at which the doctor saw something."""
    broke, last = broke_at(record.metrics), record.history.last_step
    marks = [mark(min(broke, last), f"broke in step {broke:,}", clock, "bad")] if broke else []
    marks += [mark(found.step, f"overfitting from step {found.step:,}", clock, "warn")] if found else []
    for finding in record.findings or []:
        step, tone = whole(finding.get("step")), _TONES.get(str(finding.get("severity")))
        if step is not None and 0 < step <= record.history.last_step and tone:
            marks.append(mark(step, f"{show(finding.get('cause'))}, step {step:,}", clock, tone))
    return marks[:_MARKS]


def _components(record: Record, clock: Clock) -> Chart:
    parts = components(record)
    lines = [
        made
        for place, (name, series) in enumerate(parts.items())
        for made in _drawn(name, series, clock, color=1 + place % 8, smoothed=True, buckets=_BUCKETS)
    ]
    log = curves.wants_log([*parts.values()]) if parts else False
    return Chart("components", "Components of the training loss", lines, log=log)


def _metric(record: Record, clock: Clock, name: str, place: int) -> Chart:
    series, (deciding, mode) = record.history.validation(name), record.deciding
    decides = name == deciding
    drawn = _drawn(name, series, clock, color=2 if decides else 1, best=best_step(record), buckets=_BUCKETS)
    unit = f"validation, decides ({mode})" if decides else "validation"
    return Chart(f"metric-{place}", name, drawn, unit=unit, small=True)


def _gradient_norm(record: Record, clock: Clock) -> Chart:
    series, threshold = record.history.curve("grad_norm"), clip_norm(record)
    return Chart(
        "gradient-norm",
        "Gradient norm",
        _drawn("gradient norm", series, clock, smoothed=True, buckets=_BUCKETS),
        log=curves.wants_log([series]),
        levels=[] if threshold is None else [threshold],
        note="Before clipping." + ("" if threshold is None else f" Dashed: clipped at {threshold:g}."),
        small=True,
    )


def _small(name: str, title: str, series: Series, clock: Clock, *, unit: str = "", note: str = "") -> Chart:
    lines = _drawn(title.lower(), series, clock, buckets=_BUCKETS)
    return Chart(name, title, lines, unit=unit, note=note, from_zero=True, small=True)


def _drawn(
    name: str,
    series: Series,
    clock: Clock,
    *,
    color: int = 1,
    smoothed: bool = False,
    best: int | None = None,
    buckets: int = 600,
) -> list[Line]:
    """The line of a curve; none where nothing was recorded. Few points are not smoothed."""
    if len(series) == 0:
        return []
    noisy = smoothed and len(series) >= SMOOTHED_FROM
    return [line(name, series, clock, color=color, smoothed=noisy, best=best, buckets=buckets)]
