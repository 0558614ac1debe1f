"""Which evaluation was the best so far, and how long there was nothing better: for `best.pt` and for early stopping."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

Mode = Literal["min", "max"]


@dataclass(frozen=True)
class Progress:
    """The memory of best-model selection and early stopping.

    `best` is the best value ever seen, at step `best_step`; of equal ones, as accuracies on small splits often are, the
    latest. `reference` is the value that patience counts from: it moves only when it is beaten by more than
    `min_delta`; `stale` evaluations in a row did not do so.
    """

    best: float | None = None
    best_step: int = 0
    reference: float | None = None
    stale: int = 0

    def after(self, value: float, *, step: int, mode: Mode, min_delta: float = 0.0) -> Progress:
        """The memory after an evaluation at `step` that gave `value`; NaN is never an improvement."""
        improved = better(value, self.best, mode) or value == self.best
        counted = better(value, self.reference, mode, min_delta)
        return Progress(
            best=value if improved else self.best,
            best_step=step if improved else self.best_step,
            reference=value if counted else self.reference,
            stale=0 if counted else self.stale + 1,
        )

    def exhausted(self, patience: int | None) -> bool:
        """Whether `patience` evaluations in a row brought nothing better; None waits for ever."""
        return patience is not None and self.stale >= patience


def better(value: float, best: float | None, mode: Mode, min_delta: float = 0.0) -> bool:
    """Whether `value` beats `best` by more than `min_delta`. Nothing beats with NaN; anything else beats None."""
    if math.isnan(value):
        return False
    if best is None:
        return True
    return value > best + min_delta if mode == "max" else value < best - min_delta
