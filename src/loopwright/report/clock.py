"""Where the steps of a run lie on the other axes of a chart: epochs, samples, time."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from loopwright.report import curves
from loopwright.report.history import Floats, History, Series
from loopwright.values import number, whole

AXES = {"step": "steps", "epoch": "epochs", "samples": "samples", "seconds": "time"}
"""What a chart can be drawn over, in this order, and the word for it."""


@dataclass(frozen=True, slots=True)
class Clock:
    """Steps as epochs done, samples seen and seconds spent; `known` has those of the three that the record tells."""

    known: dict[str, Series]

    @staticmethod
    def of(history: History, epochs: float | None = None) -> Clock:
        """From what a run recorded; `epochs` is how many it had done at its last step, where a summary says so."""
        seconds = history.curve("seconds")
        found = {
            "epoch": _epochs(history, epochs),
            "samples": _total(history.curve("samples")),
            "seconds": seconds if len(seconds) else _total(history.curve("busy_seconds")),
        }
        return Clock({name: _rising(series) for name, series in found.items() if len(curves.finite(series))})

    def at(self, steps: Floats) -> dict[str, Floats]:
        """The positions of `steps`, float64 (n,), on every axis, linear between what is known."""
        places = {"step": steps}
        for name, series in self.known.items():
            places[name] = np.interp(steps, series.steps, series.values)
        return places


def _total(series: Series) -> Series:
    """The sum up to and with each step."""
    series = curves.finite(series)
    return Series(series.steps, np.cumsum(series.values))


def _epochs(history: History, epochs: float | None) -> Series:
    """Epochs done: whole ones where an epoch ended, going on at the same pace after the last of them."""
    ended = [(record["step"], whole(record.get("epoch"))) for record in history.epochs]
    knots = {step: epoch + 1.0 for step, epoch in ended if epoch is not None and step > 0}
    last = history.last_step
    if epochs is not None and last > 0 and last not in knots:
        knots[last] = epochs
    if knots and last > max(knots):
        pace = knots[max(knots)] / max(knots)
        knots[last] = knots[max(knots)] + pace * (last - max(knots))
    return Series.of(sorted(knots), [number(knots[step]) for step in sorted(knots)])


def _rising(series: Series) -> Series:
    """From nothing at step 0, and never back: a clock that was set back must not fold a curve."""
    series = curves.finite(series)
    start = [] if series.steps[0] <= 0 else [0.0]
    steps, values = np.concatenate([start, series.steps]), np.concatenate([start, series.values])
    return Series(steps, np.maximum.accumulate(np.maximum(values, 0.0)))
