"""Long curves made short enough to draw: extremes that survive, means, and a smoothed line."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from loopwright.report.history import Floats, Series

# Beyond this, the arithmetic of an axis overflows; such a value is drawn as a mark, like an infinite one.
DRAWABLE = 1e100
"""What is larger is marked instead of drawn."""


def finite(series: Series) -> Series:
    """The part of `series` that can be drawn on an axis."""
    kept = np.abs(series.values) < DRAWABLE
    return Series(series.steps[kept], series.values[kept])


def non_finite(series: Series) -> Floats:
    """The steps at which `series` is nan, infinite, or too large to draw: float64 (m,)."""
    steps: Floats = series.steps[~(np.abs(series.values) < DRAWABLE)]
    return steps


def thin(series: Series, buckets: int = 600) -> Series:
    """At most `3 * buckets` points that draw the same line: each bucket's least and greatest value, in order.

    A bucket that holds a non-finite value ends in a nan, at which the line breaks.
    """
    values = np.where(np.abs(series.values) < DRAWABLE, series.values, np.nan)
    if len(series) <= 2 * buckets:
        return Series(series.steps, values)
    bounds = np.linspace(0, len(series), buckets + 1).astype(int)
    chosen = np.concatenate([_extremes(values, first, end) for first, end in pairwise(bounds)])
    return Series(series.steps[chosen], values[chosen])


def _extremes(values: Floats, first: int, end: int) -> list[int]:
    part = values[first:end]
    gaps = np.flatnonzero(np.isnan(part))[:1]
    if np.isnan(part).all():
        return [first]
    ends = sorted({int(np.nanargmin(part)), int(np.nanargmax(part))})
    return [first + place for place in [*ends, *gaps.tolist()]]


def means(series: Series, buckets: int = 600) -> Series:
    """The means of the drawable values in at most `buckets` runs of points, at the last step of each run."""
    series = finite(series)
    if len(series) <= buckets:
        return series
    bounds = np.linspace(0, len(series), buckets + 1).astype(int)
    sums = np.add.reduceat(series.values, bounds[:-1])
    return Series(series.steps[bounds[1:] - 1], sums / np.diff(bounds))


def smooth(series: Series, span: int) -> Series:
    """Debiased exponential moving average: `m[t] = b m[t-1] + (1-b) x[t]`, from which `m[t] / (1 - b^(t+1))`.

    `b = 1 - 2 / (span + 1)`, so that the weights' center of mass is that of `span` equal weights.
    Kingma and Ba, "Adam", ICLR 2015, section 3: without the division the line would start near zero.
    """
    decay = 1 - 2 / (span + 1)
    mean, weight, averaged = 0.0, 0.0, np.empty(len(series))
    for place, value in enumerate(series.values.tolist()):
        mean = decay * mean + (1 - decay) * value
        weight = decay * weight + (1 - decay)
        averaged[place] = mean / weight
    return Series(series.steps, averaged)


def rate(samples: Series, seconds: Series, windows: int = 50) -> Series:
    """Samples per second in each of at most `windows` runs of steps, at the last step of each run."""
    steps, first, second = np.intersect1d(samples.steps, seconds.steps, assume_unique=True, return_indices=True)
    done, spent = samples.values[first], seconds.values[second]
    usable = np.isfinite(done) & np.isfinite(spent) & (spent >= 0)
    steps, done, spent = steps[usable], done[usable], spent[usable]
    bounds = np.linspace(0, len(steps), min(windows, len(steps)) + 1).astype(int)
    if len(steps) == 0:
        return Series(steps, done)
    done, spent = np.add.reduceat(done, bounds[:-1]), np.add.reduceat(spent, bounds[:-1])
    timed = spent > 0
    return Series(steps[bounds[1:] - 1][timed], done[timed] / spent[timed])


def wants_log(series: list[Series]) -> bool:
    """Whether the drawable values are all positive and span more than about a decade."""
    values = np.concatenate([finite(one).values for one in series])
    return len(values) > 0 and bool(values.min() > 0 and values.max() > 15 * values.min())
