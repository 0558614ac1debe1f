"""What a field does: the deciding number over the values of each field that was varied."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from loopwright.comparing.groups import Group, Sample
from loopwright.comparing.keys import ABSENT, Key
from loopwright.identity import spelled
from loopwright.values import number

DRAWN = 3
"""Values of a field that are worth a picture."""


@dataclass(frozen=True)
class Place:
    """One value of a field, where it lies on the axis, and the numbers of all runs that had it."""

    value: str
    at: float
    numbers: tuple[float, ...]

    @property
    def mean(self) -> float:
        """The mean over the runs."""
        return statistics.fmean(self.numbers)

    @property
    def deviation(self) -> float | None:
        """The sample standard deviation; None of one run."""
        return statistics.stdev(self.numbers) if len(self.numbers) > 1 else None


@dataclass(frozen=True)
class Scatter:
    """The deciding number over a field: `places` by value; words instead of numbers lie side by side."""

    field: str
    places: tuple[Place, ...]
    numeric: bool
    log: bool

    @property
    def drawn(self) -> bool:
        """Whether it is worth a picture."""
        return len(self.places) >= DRAWN


def scatters(groups: Sequence[Group], samples: Sequence[Sample], keys: Sequence[Key]) -> list[Scatter]:
    """A scatter for each key that counts and has several values, where the number was measured."""
    found = [scatter(groups, samples, key) for key in keys if key.counts and len(set(key.values) - {ABSENT}) > 1]
    return [one for one in found if len(one.places) > 1]


def scatter(groups: Sequence[Group], samples: Sequence[Sample], key: Key) -> Scatter:
    """The scatter of one key; runs that have not got it are left out."""
    by_value: dict[str, tuple[object, list[float]]] = {}
    for group, sample in zip(groups, samples, strict=True):
        if sample.n and key.name in group.first.config:
            value = group.first.config[key.name]
            by_value.setdefault(spelled(value), (value, []))[1].extend(sample.values)
    raw = [number(value) for value, _ in by_value.values()]
    numeric = all(value is not None and math.isfinite(value) for value in raw)
    at = [value for value in raw if value is not None] if numeric else [float(place) for place in range(len(raw))]
    places = [
        Place(shown, place, tuple(numbers)) for (shown, (_, numbers)), place in zip(by_value.items(), at, strict=True)
    ]
    places.sort(key=lambda place: place.at)
    return Scatter(key.name, tuple(places), numeric, numeric and geometric([place.at for place in places]))


def geometric(values: Sequence[float]) -> bool:
    """Whether ascending values are spaced more evenly by their ratios than by their differences.

    >>> geometric([1e-4, 3e-4, 1e-3]), geometric([16, 32, 64]), geometric([1, 2, 3])
    (True, True, False)
    """
    if len(values) < 2 or values[0] <= 0 or values[-1] / values[0] < 4:
        return False
    if len(values) == 2:
        return True
    ratios = [math.log(after / before) for before, after in pairwise(values)]
    differences = [after - before for before, after in pairwise(values)]
    return unevenness(ratios) < unevenness(differences)


def unevenness(gaps: Sequence[float]) -> float:
    """The standard deviation of gaps as a share of their mean."""
    return statistics.pstdev(gaps) / statistics.fmean(gaps)
