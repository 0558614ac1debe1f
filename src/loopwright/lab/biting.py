"""Does a fault bite? Matched seeds, healthy against broken, and a sign-flip permutation test."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import product

LEVEL = 0.05


def sign_flip(differences: Sequence[float]) -> float:
    """The one-sided p value of "the mean difference is above 0": the share of all ways to flip signs that give a mean
    as large (Fisher, "The design of experiments", 1935, section 21). 1 of nothing; of n pairs at least 2**-n."""
    if not differences:
        return 1.0
    observed = sum(differences)
    flips = [
        sum(s * d for s, d in zip(signs, differences, strict=True))
        for signs in product((1, -1), repeat=len(differences))
    ]
    return sum(total >= observed - 1e-12 * abs(observed) for total in flips) / len(flips)


def worse_by(healthy: Sequence[float], broken: Sequence[float], *, larger_is_better: bool) -> list[float]:
    """By how much each broken run is worse than the healthy one of its seed; one without a number is worse than any."""
    known = [abs(value) for value in (*healthy, *broken) if math.isfinite(value)]
    lost = 10 * max(known, default=1.0) + 1
    differences = []
    for good, bad in zip(healthy, broken, strict=True):
        if not math.isfinite(good):
            differences.append(0.0)
        elif not math.isfinite(bad):
            differences.append(lost)
        else:
            differences.append(good - bad if larger_is_better else bad - good)
    return differences
