"""What quality costs: time, steps and samples to a target, parameters, memory, throughput."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from loopwright.comparing.groups import Group, Sample
from loopwright.comparing.subject import Subject
from loopwright.directions import Direction
from loopwright.report import curves
from loopwright.report.history import Series
from loopwright.report.values import show, show_seconds
from loopwright.values import number, table

MEMORY = ("peak_memory_bytes", "memory_bytes", "max_memory_bytes", "peak_memory", "rss_bytes")
"""Names under which a record may hold how much memory was taken at most."""


@dataclass(frozen=True)
class Cost:
    """A line of the table of costs: what it is, the text of each group, and the numbers, by group."""

    name: str
    texts: tuple[str, ...]
    samples: tuple[Sample, ...]
    note: str = ""
    medians: bool = False

    @property
    def middles(self) -> list[float | None]:
        """What each group's text says in the middle: the median, else the mean."""
        return [sample.median if self.medians else sample.mean for sample in self.samples]


@dataclass(frozen=True)
class Target:
    """A value of the deciding metric on validation that is waited for, and where it comes from."""

    metric: str
    value: float
    origin: str


def target_of(groups: Sequence[Group], metric: str, direction: Direction, wanted: float | None) -> Target | None:
    """`wanted`, or the worst of the finished runs' best values: what all of them reach. None where there is none."""
    if wanted is not None:
        return Target(metric, wanted, "as it was asked for") if direction else None
    found = [
        (value, run)
        for group in groups
        for run in group.subjects
        if run.finished and not sick(run) and (value := best_of(run.curve(metric), direction)) is not None
    ]
    if not found or not direction:
        return None
    value, run = (min if direction == "max" else max)(found, key=lambda pair: pair[0])
    return Target(metric, value, f"the best of {run.name}, the worst of the healthy finished runs")


def sick(run: Subject) -> bool:
    """Whether the doctor found an error: what a broken run reaches is no target."""
    return any(finding.get("severity") == "error" for finding in run.record.findings or [])


def best_of(series: Series, direction: Direction) -> float | None:
    """The best finite value of a curve."""
    values = curves.finite(series).values
    if not len(values) or not direction:
        return None
    return float(values.max() if direction == "max" else values.min())


def costs(groups: Sequence[Group], target: Target | None, direction: Direction) -> list[Cost]:
    """The table of costs; lines of which nothing is recorded are left out."""
    timing = {
        "training time": ("train_seconds", show_seconds),
        "samples per second": ("samples_per_second", counted),
        "evaluation time": ("evaluate_seconds", show_seconds),
    }
    lines = [
        *(line(groups, name, told(key), shown) for name, (key, shown) in timing.items()),
        line(groups, "steps", lambda run: float(run.steps), counted),
        *(to_target(groups, target, direction) if target else []),
        line(groups, "parameters", parameters, counted),
        line(groups, "peak memory", memory, lambda value: f"{value / 1e6:,.0f} MB"),
    ]
    return [cost for cost in lines if any(sample.n for sample in cost.samples)]


def to_target(groups: Sequence[Group], target: Target, direction: Direction) -> list[Cost]:
    """Steps, samples and seconds until the target was first reached, in the median over seeds."""
    note = f"val {target.metric} {'≥' if direction == 'max' else '≤'} {target.value:.6g}: {target.origin}"

    def steps(run: Subject) -> float | None:
        return reached(run.curve(target.metric), target.value, direction)

    def samples(run: Subject) -> float | None:
        return up_to(run.samples, steps(run))

    def seconds(run: Subject) -> float | None:
        return up_to(run.seconds, steps(run))

    return [
        reaching(groups, "steps to target", steps, counted, note),
        reaching(groups, "samples to target", samples, counted, ""),
        reaching(groups, "training time to target", seconds, show_seconds, ""),
    ]


def reached(series: Series, value: float, direction: Direction) -> float | None:
    """The first step at which a curve is as good as `value`."""
    good = series.values >= value if direction == "max" else series.values <= value
    return float(series.steps[int(np.argmax(good))]) if good.any() else None


def up_to(series: Series, step: float | None) -> float | None:
    """What was spent up to and with `step`."""
    return None if step is None or not len(series) else float(np.interp(step, series.steps, series.values))


def reaching(
    groups: Sequence[Group],
    name: str,
    value: Callable[[Subject], float | None],
    shown: Callable[[float], str],
    note: str,
) -> Cost:
    """A line of medians, with how many of the runs have the number."""
    samples = tuple(group.sample(value) for group in groups)
    texts = []
    for group, sample in zip(groups, samples, strict=True):
        many = len(group.seeds)
        middle = "never" if sample.median is None else shown(sample.median)
        texts.append(middle + (f" ({sample.n} of {many})" if sample.n != many and sample.n else ""))
    return Cost(name, tuple(texts), samples, note, medians=True)


def line(
    groups: Sequence[Group], name: str, value: Callable[[Subject], float | None], shown: Callable[[float], str]
) -> Cost:
    """A line of means, with the standard deviation where there is one."""
    samples = tuple(group.sample(value) for group in groups)
    return Cost(name, tuple(spread(sample, shown) for sample in samples), samples)


def spread(sample: Sample, shown: Callable[[float], str]) -> str:
    """`mean ± sd`; the mean alone where nothing varies."""
    if sample.mean is None:
        return show(None)
    return shown(sample.mean) + (f" ± {shown(sample.deviation)}" if sample.deviation else "")


def counted(value: float) -> str:
    """A count, or a rate."""
    return f"{value:,.0f}" if abs(value) >= 100 or value.is_integer() else f"{value:.3g}"


def told(key: str) -> Callable[[Subject], float | None]:
    """A number of the summary's timing."""
    return lambda run: number(table(run.record.metrics, "timing").get(key))


def parameters(run: Subject) -> float | None:
    """How many numbers the model holds."""
    found = number(run.record.metrics.get("parameters"))
    return number(run.record.env.get("parameters")) if found is None else found


def memory(run: Subject) -> float | None:
    """The most memory that was taken, where somebody wrote it down."""
    metrics = run.record.metrics
    for place in (metrics, table(metrics, "timing"), table(metrics, "memory")):
        for name in MEMORY:
            if (found := number(place.get(name))) is not None and math.isfinite(found):
                return found
    return None
