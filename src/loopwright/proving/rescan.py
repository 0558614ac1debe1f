"""The same evaluation with other batch sizes: a copy of the task whose data scan in batches of a given size."""

from __future__ import annotations

import copy
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from loopwright.protocols import Batch, Data, Split, Task

T = TypeVar("T")

MOST_BATCHES = 2000
"""Small batches are left out of the comparison where a split would need more of them."""
ABSOLUTE = 1e-6
RELATIVE = 1e-5
RELATIVE_TF32 = 1e-2


def sizes(samples: int) -> list[int]:
    """The batch sizes to try on a split of `samples`: 1, 7, 64 and the whole, as far as they are sensible."""
    small = [size for size in (1, 7, 64) if size < samples <= size * MOST_BATCHES]
    return [*small, samples]


@dataclass
class Scans:
    """Gives what `data` scans, in batches of `size` (None: as asked for); `asked` notes what was asked for."""

    data: Data
    size: int | None
    asked: list[int] = field(default_factory=list)

    def scan(self, split: Split, batch_size: int = 1024) -> Iterator[Batch]:
        """All samples of `split` once, in order."""
        self.asked.append(batch_size)
        return self.data.scan(split, self.size or batch_size)


def rescanning(task: Task, scans: Scans) -> Task:
    """A copy of `task` whose data scan as `scans` does, and are otherwise the same."""

    def scan(data: Data, split: Split, batch_size: int = 1024) -> Iterator[Batch]:
        return scans.scan(split, batch_size)

    data = overriding(scans.data, scan=scan)
    return overriding(task, data=property(lambda task: data))


def overriding(instance: T, **members: Any) -> T:
    """A copy of `instance` whose class has other `members`; works on frozen dataclasses and cached properties."""
    kind = type(instance)
    changed = copy.copy(instance)
    object.__setattr__(changed, "__class__", type(kind.__name__, (kind,), {"__slots__": (), **members}))
    return changed


def tolerance(precision: str, device: str) -> float:
    """The relative difference that rounding explains: single precision's, or TF32's where that is on."""
    return RELATIVE_TF32 if precision == "fp32-fast" and device.startswith("cuda") else RELATIVE


@dataclass(frozen=True)
class Spread:
    """How far metrics depend on the batch size: `broken` names the worst one beyond rounding, else "".

    `largest` is the largest difference of a metric that rounding explains, 0 where all bits are equal.
    """

    largest: float = 0.0
    name: str = ""
    broken: str = ""


def spread(results: Mapping[str, Mapping[str, float]], relative: float) -> Spread:
    """Compare the metrics by batch size, the first the reference; |a - b| <= ABSOLUTE + `relative` max(|a|, |b|)."""
    (asked, reference), *others = results.items()
    found = Spread()
    for size, metrics in others:
        if metrics.keys() != reference.keys():
            names = ", ".join(sorted(metrics.keys() ^ reference.keys()))
            return Spread(broken=f"batches of {size}: has or lacks {names}")
        for name, value in metrics.items():
            other = reference[name]
            if value == other or (math.isnan(value) and math.isnan(other)):
                continue
            apart = abs(value - other)
            if not apart <= ABSOLUTE + relative * max(abs(value), abs(other)):
                return Spread(broken=f"{name} is {other:.9g} in batches of {asked}, {value:.9g} in batches of {size}")
            found = max(found, Spread(apart, name), key=lambda one: one.largest)
    return found
