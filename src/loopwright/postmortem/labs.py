"""What fault labs have shown: how much each fault hurt, and in which curve it was to be seen first.

Labs are read from the `results.json` that `loopwright break` writes; the lab itself need not be there.
"""

from __future__ import annotations

import json
import math
import statistics
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from loopwright.directions import direction
from loopwright.lines import revive
from loopwright.postmortem.statements import Statement
from loopwright.reading import read_at_most
from loopwright.report import curves
from loopwright.report.history import Series
from loopwright.values import Table, number, table, tables, texts, whole

RESULTS = "results.json"
NEWEST = 20
"""So many labs are read at most."""
MOST_BYTES = 64_000_000
LAST_STEP = 10**12
PARTS = {
    1: "the data",
    15: "the targets",
    21: "the loss and its masks",
    31: "the modes, train() and eval()",
    37: "zero_grad",
    39: "backward",
    44: "clipping",
    45: "backward",
    47: "the learning rate",
    49: "the optimizer's step",
    53: "the learning rate",
    55: "the optimizer's step",
    58: "the initialization",
    60: "the model",
    66: "the precision",
    72: "the evaluation",
    79: "the checkpoints",
}
"""The part of the loop that the faults from this number of the catalogue on belong to."""
SIGNALS = {"losses": "training loss", "norms": "gradient norm", "metrics": "validation"}


@dataclass(frozen=True)
class Trained:
    """One training of a lab. `end`: the last metric, `honest`: as the healthy task measures it; NaN where it broke."""

    seed: int
    curves: dict[str, Series]
    end: float
    honest: float
    broke: str


@dataclass(frozen=True)
class Harm:
    """A fault in an experiment, beside its healthy twins."""

    lab: str
    experiment: str
    metric: str
    larger_is_better: bool
    fault: str
    number: int
    causes: tuple[str, ...]
    p: float
    bites: bool
    named: float
    step: int | None
    first: str
    healthy: list[Trained] = field(repr=False)
    trials: list[Trained] = field(repr=False)

    def says(self, text: str) -> Statement:
        """A statement of this lab's results."""
        return Statement(text, self.lab, RESULTS)

    @property
    def part(self) -> str:
        """The part of the loop that it breaks."""
        return PARTS[max((first for first in PARTS if first <= self.number), default=1)]

    @property
    def lost(self) -> int:
        """How many seeds ended without a number."""
        return sum(not math.isfinite(trial.end) for trial in self.trials)

    @property
    def worse(self) -> float:
        """By how much the metric is worse in the median seed, as the task itself or as the healthy one measures it,
        whichever tells more. NaN where there is no number."""
        return max((gap for gap in map(self.gap, ("end", "honest")) if not math.isnan(gap)), default=math.nan)

    def gap(self, measure: str) -> float:
        """By how much `measure` is worse than that of the healthy twin of the same seed, in the median."""
        sign = 1 if self.larger_is_better else -1
        pairs = zip(self.healthy, self.trials, strict=False)
        gaps = [sign * (getattr(good, measure) - getattr(bad, measure)) for good, bad in pairs]
        return median([gap for gap in gaps if math.isfinite(gap)])

    @property
    def hurt(self) -> tuple[int, float]:
        """What faults are ranked by: seeds without a number, then by how much the others are worse."""
        return self.lost, -math.inf if math.isnan(self.worse) else self.worse

    @property
    def growth(self) -> float:
        """The last training loss over the first, of the median seed; 1 where there are none."""
        points = [curves.finite(trial.curves["losses"]).values for trial in self.trials]
        return statistics.median([float(one[-1] / one[0]) if len(one) > 1 and one[0] > 0 else 1.0 for one in points])

    @cached_property
    def seen(self) -> dict[str, int]:
        """For each signal the first step at which most seeds lie outside of all healthy twins."""
        found = {name: self.left(curve) for curve, name in SIGNALS.items()}
        return {name: step for name, step in found.items() if step is not None}

    def left(self, curve: str) -> int | None:
        """The first step at which most seeds are outside of what the healthy ones span, by more than a tenth."""
        twins = [as_steps(trial.curves[curve]) for trial in self.healthy]
        sick = [as_steps(trial.curves[curve]) for trial in self.trials]
        for step in sorted({step for one in sick for step in one}):
            good = [one[step] for one in twins if math.isfinite(one.get(step, math.nan))]
            bad = [one.get(step, math.nan) for one in sick]
            if not good:
                continue
            low, high = min(good) - 0.1 * abs(min(good)), max(good) + 0.1 * abs(max(good))
            if 2 * sum(not low <= value <= high for value in bad) > len(bad):
                return step
        return None

    def measured(self, which: str) -> float:
        """The median metric of the `healthy` or the broken (`trials`), by the measure that tells more."""
        measure = max(("end", "honest"), key=lambda name: -math.inf if math.isnan(self.gap(name)) else self.gap(name))
        return median([getattr(trial, measure) for trial in getattr(self, which)])

    def loss(self, which: str) -> float:
        """The median of the last training losses; infinite where a run broke."""
        ends = [math.inf if one.broke else last(one.curves["losses"]) for one in getattr(self, which)]
        return statistics.median(ends) if ends else math.nan


def read_labs(places: Sequence[Path]) -> list[Harm]:
    """The faults of all labs at `places`: lab directories, or directories that hold labs.

    Of a fault that was tried on an experiment more than once, the newest.
    """
    newest = sorted(results_at(places), key=lambda path: path.stat().st_mtime, reverse=True)
    found: dict[tuple[str, str], Harm] = {}
    for path in newest[:NEWEST]:
        for harm in read_lab(path):
            found.setdefault((harm.experiment, harm.fault), harm)
    return list(found.values())


def results_at(places: Sequence[Path]) -> list[Path]:
    """The results.json at and below `places`, each once."""
    shapes = ("results.json", "*/results.json", "*/*/results.json")
    paths = [path for place in places for shape in shapes for path in place.glob(shape)]
    plain = [path for path in paths if path.is_file() and not path.parent.is_symlink()]
    found: dict[Path, Path] = {}
    for path in plain:
        found.setdefault(path.resolve(), path)
    return list(found.values())


def read_lab(path: Path) -> Iterator[Harm]:
    """The faults of one lab; none where its file cannot be read."""
    try:
        content = table(revive(json.loads(read_at_most(path, MOST_BYTES))))
    except (OSError, ValueError, RecursionError):
        return
    metric = str(content.get("metric") or "loss")
    healthy = [trained(trial) for trial in tables(content.get("healthy"))]
    for told in tables(content.get("faults")):
        trials = [trained(trial) for trial in tables(told.get("trials"))]
        if not trials or len(trials) != len(healthy):
            continue
        yield Harm(
            lab=str(path.parent),
            experiment=str(content.get("experiment")),
            metric=metric,
            larger_is_better=direction(metric, declared(content, metric)) != "min",
            fault=str(told.get("fault")),
            number=whole(told.get("number")) or 0,
            causes=tuple(texts(told.get("causes"))),
            p=real(told.get("p"), 1.0),
            bites=told.get("bites") is True,
            named=real(told.get("named"), 0.0),
            step=whole(told.get("step")),
            first=next(iter(texts(told.get("said"))), ""),
            healthy=healthy,
            trials=trials,
        )


def trained(trial: Table) -> Trained:
    """One trial, as it stands in results.json."""
    found = {name: series(trial.get(name)) for name in SIGNALS}
    broke = str(trial.get("broke") or "")
    honest = math.nan if broke else real(trial.get("honest"), math.nan)
    end = math.nan if broke else last(found["metrics"])
    return Trained(whole(trial.get("seed")) or 0, found, end, honest, broke)


def series(points: Any) -> Series:
    """A curve from its pairs of step and value; what is no step of any training is left out."""
    pairs = points if isinstance(points, list) else []
    pairs = [pair for pair in pairs if isinstance(pair, list) and len(pair) == 2]
    read = [(whole(step), number(value)) for step, value in pairs]
    known = [(step, value) for step, value in read if step is not None and value is not None and 0 <= step < LAST_STEP]
    return Series.of([step for step, _ in known], [value for _, value in known])


def as_steps(curve: Series) -> dict[int, float]:
    """The values of a curve by step."""
    return {int(step): value for step, value in zip(curve.steps.tolist(), curve.values.tolist(), strict=True)}


def last(curve: Series) -> float:
    """The last value; NaN where there is none."""
    return float(curve.values[-1]) if len(curve) else math.nan


def median(values: Sequence[float]) -> float:
    """The median of what is a number; NaN where nothing is."""
    known = [value for value in values if math.isfinite(value)]
    return statistics.median(known) if known else math.nan


def real(value: Any, otherwise: float) -> float:
    """A number, or what stands in for it."""
    found = number(value)
    return otherwise if found is None else found


def declared(content: Table, metric: str) -> dict[str, str]:
    """Which way the lab's metric gets better, where the lab says so."""
    mode = content.get("mode")
    return {metric: mode} if isinstance(mode, str) else {}
