"""Is a difference between few runs more than noise? Permutation tests, and how many seeds it takes to tell.

Random draws come from a generator with a fixed seed: the same numbers give the same p.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import combinations
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

LEVEL = 0.05
"""What a p value has to be at most."""

POWER = 0.8
"""How sure one wants to be of seeing a difference that is there."""

MOST_PAIRS = 16
MOST_CHOICES = 60_000
DRAWS = 60_000
"""Where there are more ways than these to flip signs or to choose, so many random ones stand for them."""

MOST_SEEDS = 10_000


RESOLUTION = 1e-6
"""A difference that is a smaller share of the numbers is none: single precision rounds at a tenth of that."""


def sign_flip(differences: Sequence[float]) -> float:
    """The one-sided p value of "the mean difference is above 0": the share of all ways to flip signs that give a mean
    as large (Fisher, "The design of experiments", 1935, section 21). 1 of nothing; of n pairs at least 2**-n."""
    values = np.asarray(differences, dtype=np.float64)
    if len(values) > MOST_PAIRS:
        signs = generator().integers(0, 2, (DRAWS, len(values)), dtype=np.int8) * 2 - 1
        return drawn_share(signs @ values, values.sum(), scale=np.abs(values).sum())
    totals = np.zeros(1)
    for value in values:
        totals = np.concatenate([totals + value, totals - value])
    return share(totals, values.sum(), scale=np.abs(values).sum())


def permutation(a: Sequence[float], b: Sequence[float]) -> float:
    """The one-sided p value of "`b` has the larger mean": the share of all ways to choose which of the values are
    `b`'s that give a difference of means as large (Pitman, "Significance tests which may be applied to samples from
    any populations", 1937). 1 where either is empty; else at least 1 / C(len(a) + len(b), len(b))."""
    pooled = np.asarray([*a, *b], dtype=np.float64)
    if not len(a) or not len(b):
        return 1.0
    # The mean of the rest is a falling function of this sum, so the sum orders the choices as the difference does.
    observed, scale = float(np.sum(b, dtype=np.float64)), float(np.abs(pooled).sum())
    if math.comb(len(pooled), len(b)) > MOST_CHOICES:
        order = generator().permuted(np.tile(pooled, (DRAWS, 1)), axis=1)
        return drawn_share(order[:, : len(b)].sum(1), observed, scale=scale)
    chosen = np.array(list(combinations(range(len(pooled)), len(b))))
    return share(pooled[chosen].sum(1), observed, scale=scale)


def share(totals: npt.NDArray[np.float64], observed: float, *, scale: float) -> float:
    """The share of `totals` that are as large as `observed`, up to rounding in sums of the size `scale`."""
    return float(np.mean(totals >= observed - 1e-12 * scale))


def drawn_share(totals: npt.NDArray[np.float64], observed: float, *, scale: float) -> float:
    """The same for random draws, the observed one counted among them, so that p is never 0 (Phipson and Smyth,
    "Permutation p-values should never be zero", 2010)."""
    count = int(np.sum(totals >= observed - 1e-12 * scale))
    return (count + 1) / (len(totals) + 1)


def generator() -> np.random.Generator:
    """Random numbers that are the same each time."""
    return np.random.Generator(np.random.PCG64(0))


def least_pairs() -> int:
    """How many pairs it takes before `sign_flip` can come to LEVEL at all."""
    return math.ceil(-math.log2(LEVEL))


def least_each() -> int:
    """How many values of each it takes before `permutation` can come to LEVEL at all."""
    return next(n for n in range(1, 100) if 1 / math.comb(2 * n, n) <= LEVEL)


def pairs_needed(difference: float, spread: float) -> int | None:
    """How many pairs show a mean `difference` with the chance POWER at the one-sided LEVEL, where the differences have
    the standard deviation `spread`:

        n = ((z[1-LEVEL] + z[POWER]) spread / difference)**2 + z[1-LEVEL]**2 / 2

    rounded up, and at least `least_pairs`. The last term is what not knowing the spread costs (Guenther, "Sample size
    formulas for normal theory t tests", The American Statistician 35, 1981). None where it is more than MOST_SEEDS.
    """
    return rounded(difference, spread, factor=1.0, least=least_pairs())


def each_needed(difference: float, spread: float) -> int | None:
    """How many values of each of two groups, of the standard deviation `spread` both, show a `difference` of means:

        n = 2 ((z[1-LEVEL] + z[POWER]) spread / difference)**2 + z[1-LEVEL]**2 / 4

    rounded up, and at least `least_each`; otherwise as `pairs_needed`.
    """
    return rounded(difference, spread, factor=2.0, least=least_each())


def rounded(difference: float, spread: float, *, factor: float, least: int) -> int | None:
    """`factor` ((z + z) spread / difference)**2 + z**2 / (2 factor), as a number of seeds."""
    if not difference or not math.isfinite(difference) or not math.isfinite(spread):
        return None
    level, power = NormalDist().inv_cdf(1 - LEVEL), NormalDist().inv_cdf(POWER)
    root = (level + power) * spread / abs(difference)
    if root**2 > MOST_SEEDS:
        return None
    return max(least, math.ceil(factor * root**2 + level**2 / (2 * factor)))
