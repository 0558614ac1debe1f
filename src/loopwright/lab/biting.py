"""Does a fault bite? Matched seeds, healthy against broken."""

from __future__ import annotations

import math
from collections.abc import Sequence


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
