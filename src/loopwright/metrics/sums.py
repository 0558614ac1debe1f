"""Sums that depend on no order and no grouping of their terms, so that no batch size shows in a metric."""

from __future__ import annotations

import math

from torch import Tensor

_COARSE_BITS = 20
_FINE_BITS = 60


class ExactSum:
    """A sum of float64 values kept as a whole number of units of 2^-60, since adding those is always exact.

    Each value is rounded once, to the nearest unit (9e-19). Infinite and NaN terms make the sum infinite or
    NaN.
    """

    def __init__(self) -> None:
        self._units = 0
        self._non_finite = 0.0

    def add(self, values: Tensor) -> None:
        """Add every element of `values` (*), float; |values| times their number must stay below 2^43."""
        values = values.double()
        finite = values.isfinite()
        self._non_finite += float(values[~finite].sum())
        # Two parts, since 2^60 units do not fit into int64 for values of 8 or more.
        chosen = values[finite]
        coarse = (chosen * 2.0**_COARSE_BITS).round()
        fine = ((chosen - coarse * 2.0**-_COARSE_BITS) * 2.0**_FINE_BITS).round()
        self._units += int(coarse.long().sum()) << (_FINE_BITS - _COARSE_BITS)
        self._units += int(fine.long().sum())

    def value(self) -> float:
        """The sum, rounded to the nearest float64."""
        return math.ldexp(self._units, -_FINE_BITS) + self._non_finite
