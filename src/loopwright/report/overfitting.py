"""Onset of overfitting: from where on training improves while validation does not. The only definition there is."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from loopwright.report import curves
from loopwright.report.history import Floats, Series
from loopwright.report.values import show_metric

_FEWEST = 5
"""Validations; with fewer nothing is said."""
_WORSE = 0.1
"""By which share of its best level validation has to get worse, beyond its noise."""
_GAP = 0.25
"""By which share of validation's level training has to pull away while validation stalls."""


@dataclass(frozen=True, slots=True)
class Onset:
    """Overfitting begins at `step`, validation's best. `kind`: `worsens` or `stalls`.

    `best`, `last`: validation's value there and its level at the end; `train_then`, `train_now`: training's levels.
    """

    step: int
    kind: str
    best: float
    last: float
    train_then: float
    train_now: float

    @property
    def reason(self) -> str:
        """What was seen, in a sentence without its full stop."""
        falls = f"training falls from {show_metric(self.train_then)} to {show_metric(self.train_now)}"
        if self.kind == "worsens":
            found = f"validation is best at step {self.step:,} ({show_metric(self.best)}) and rises"
            return f"{found} to {show_metric(self.last)} (median of the last), while {falls}"
        found = f"validation gains nothing after step {self.step:,} ({show_metric(self.best)}, at the end"
        return f"{found} {show_metric(self.last)}), while {falls}"


def onset(train: Series, validation: Series) -> Onset | None:
    """Where overfitting sets in, from two losses over steps (less is better); None where nothing says that it does.

    Validation `worsens` when its level at the end is above its best by a tenth of it and by more than its noise;
    it `stalls` when its best came in the first half and nothing was gained after it, while training pulls away from it
    by a quarter of its level. In both, training has to improve by more than its own noise. Levels are medians, noise is
    the median size of what remains of neighboring differences, so that a single outlier decides nothing.
    """
    train, validation = curves.finite(train), curves.finite(validation)
    if len(validation) < _FEWEST or len(train) < _FEWEST:
        return None
    level = _running_median(validation.values)
    place = int(level.argmin())
    # The level is lowest around the best value, which is what a checkpoint was kept of.
    near = slice(max(0, place - 1), place + 2)
    place = near.start + int(validation.values[near].argmin())
    step, tail = int(validation.steps[place]), max(3, len(validation) // 5)
    if len(validation) - place <= 3:
        return None
    then, now, noise = _training(train, step)
    if not now < then - noise:
        return None
    best, last = float(level.min()), float(np.median(validation.values[-tail:]))
    doubt = 2 * _noise(validation.values) / tail**0.5
    scale = abs(best) if validation.values.min() > 0 else float(np.ptp(level))
    if last - best > max(_WORSE * scale, doubt):
        return Onset(step, "worsens", float(validation.values[place]), last, then, now)
    step, place = _arrival(validation, last + doubt)
    then, now, noise = _training(train, step)
    if place < len(validation) / 2 and then - now > max(_GAP * scale, noise):
        return Onset(step, "stalls", float(validation.values[place]), last, then, now)
    return None


def _arrival(validation: Series, level: float) -> tuple[int, int]:
    """Step and place at which validation first was as good as it would become."""
    place = int(np.argmax(_running_median(validation.values) <= level))
    return int(validation.steps[place]), place


def _running_median(values: Floats) -> Floats:
    """Of each value and its two neighbors; of the ends themselves, for there is no knowing better."""
    if len(values) < 3:
        return values
    inner = np.median(np.stack([values[:-2], values[1:-1], values[2:]]), axis=0)
    return np.concatenate([values[:1], inner, values[-1:]])


def _noise(values: Floats) -> float:
    """The standard deviation of what is not trend, from second differences."""
    bends = np.diff(values, 2)
    return float(1.4826 * np.median(np.abs(bends)) / 6**0.5) if len(bends) else 0.0


def _training(train: Series, step: float) -> tuple[float, float, float]:
    """Training's level from `step` on and at the end, and how far apart the two can be by noise alone."""
    window, place = max(3, len(train) // 20), int(np.searchsorted(train.steps, step))
    # What came before the step is no part of it: on a steep curve it would be a fall that validation shared.
    then, now = train.values[place : place + window], train.values[place:][-window:]
    if len(then) < 3:
        return 0.0, 0.0, 0.0
    return float(np.median(then)), float(np.median(now)), 2 * _noise(train.values) / len(now) ** 0.5
