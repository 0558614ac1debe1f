"""Data that fits in memory: whole batches are gathered from tensors, no sample is touched by Python."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property

from torch import Tensor, arange

from loopwright.data.digest import tensors_sha256
from loopwright.data.sampling import order, spans
from loopwright.data.splits import check_names
from loopwright.errors import DataError
from loopwright.protocols import Batch, Plan, Split
from loopwright.seeding import Uniform, uniform

Tensors = Mapping[str, Tensor]
Weigh = Callable[[Tensors], Mapping[str, float]]
Augment = Callable[[Tensors, Uniform], Tensors]


@dataclass(frozen=True)
class Count:
    """Weighs each component of the loss with the number of samples: for losses that are sums over samples."""

    names: tuple[str, ...]

    def __call__(self, tensors: Tensors) -> dict[str, float]:
        """The number of samples in `tensors`, for each name."""
        return dict.fromkeys(self.names, float(len(next(iter(tensors.values())))))


def count(*names: str) -> Count:
    """The `weigh` of losses that are sums over samples.

    >>> import torch
    >>> count("cross_entropy")({"x": torch.zeros(3, 2)})
    {'cross_entropy': 3.0}
    """
    return Count(names)


@dataclass(frozen=True, eq=False)
class TensorData:
    """Splits held as CPU tensors by name, first dimension the samples; a `protocols.Data`.

    `weigh` gives a batch's weights. `augment` changes training batches, never what `scan` gives, with random
    numbers that belong to each sample in each epoch. Raises DataError for an unknown split and for tensors of
    a split that disagree in length.
    """

    splits: Mapping[Split, Tensors]
    weigh: Weigh
    augment: Augment | None = None

    def __post_init__(self) -> None:
        check_names(self.splits)
        for split, tensors in self.splits.items():
            lengths = {name: len(tensor) for name, tensor in tensors.items()}
            if len(set(lengths.values())) != 1:
                found = ", ".join(f"{name} {length}" for name, length in lengths.items()) or "none"
                raise DataError(
                    f"the {split} split needs one tensor at least, and all of the same length; found: {found}"
                )

    def size(self, split: Split) -> int:
        """How many samples `split` has; 0 where there is no such split."""
        return len(next(iter(self.splits[split].values()))) if split in self.splits else 0

    def batches(self, plan: Plan, start: int) -> Iterator[Sequence[Batch]]:
        """The shards of step `start`, `start + 1`, … of the training split.

        Raises DataError for a batch larger than the split.
        """
        return self._batches(plan, order(plan, self.size("train"), start))

    def _batches(self, plan: Plan, steps: Iterator[tuple[int, Tensor]]) -> Iterator[Sequence[Batch]]:
        cut, train, weigh, augment = cache(plan.cut), self.splits["train"], self.weigh, self.augment
        for epoch, step in steps:
            shards = []
            for first, end in cut(len(step)):
                samples = step[first:end]
                tensors: Tensors = {name: tensor.index_select(0, samples) for name, tensor in train.items()}
                if augment is not None:
                    tensors = augment(tensors, uniform(plan.seed, epoch, samples))
                shards.append(Batch(tensors, weigh(tensors), samples))
            yield shards

    def scan(self, split: Split, batch_size: int = 1024) -> Iterator[Batch]:
        """All samples of `split` once, in order, not augmented; DataError where it is empty or missing."""
        return (self._slice(split, *span) for span in spans(split, self.size(split), batch_size))

    def _slice(self, split: Split, first: int, end: int) -> Batch:
        # Copies, so that a model that works in place cannot change the data.
        tensors = {name: tensor[first:end].clone() for name, tensor in self.splits[split].items()}
        return Batch(tensors, self.weigh(tensors), arange(first, end))

    def sha256(self) -> str:
        """A digest of all names, dtypes, shapes and bytes, whatever the order of the names; computed once."""
        return self._sha256

    @cached_property
    def _sha256(self) -> str:
        return tensors_sha256(
            (f"{split}/{name}", self.splits[split][name])
            for split in sorted(self.splits)
            for name in sorted(self.splits[split])
        )
