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
RELATIVE = 1e-5
"""Some hundred roundings of single precision, 6e-8 each: a batch of another size adds up in another order."""
RELATIVE_TF32 = 1e-2
"""Twenty roundings of TF32's products, 5e-4 each."""
ABSOLUTE = 1e-6
"""For metrics near zero, as is the loss of a sample that is known well: the logits around it have a size of one."""

WHOLE = 1e-6
"""How far a count that was divided by the samples in double precision, and multiplied again, may be from an integer."""
FEW = 3
"""So many samples may lie that near to a tie."""


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
    """How far metrics depend on the batch size: `broken` names the first one found beyond rounding, else "".

    `largest` is the largest difference of a metric that rounding explains, 0 where all bits are equal.
    """

    largest: float = 0.0
    name: str = ""
    broken: str = ""


def spread(results: Mapping[str, Mapping[str, float]], relative: float, samples: int) -> Spread:
    """Compare the metrics by batch size, the first the reference; |a - b| <= ABSOLUTE + `relative` max(|a|, |b|).

    A share of the `samples` jumps where rounding decides between two classes that are equally likely. No tolerance
    tells that from a mistake, so it counts as a difference, and how many samples it is about is said.
    """
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
                told = f"{name} is {other:.9g} in batches of {asked}, {value:.9g} in batches of {size}"
                return Spread(broken=told + flips(other, value, samples))
            found = max(found, Spread(apart, name), key=lambda one: one.largest)
    return found


def flips(a: float, b: float, samples: int) -> str:
    """The end of a sentence, where two numbers are shares of `samples`: of how many samples the difference is."""
    if not all(0 <= share <= 1 and abs(share * samples - round(share * samples)) < WHOLE for share in (a, b)):
        return ""
    count = abs(round(a * samples) - round(b * samples))
    perhaps = "; rounding may have decided a tie" if count <= FEW else ""
    return f": {count} of {samples} samples{perhaps}"
