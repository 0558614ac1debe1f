"""Sequences of different lengths that fit in memory, in batches that are no wider than their longest."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import count

import torch
from torch import Tensor

from loopwright.data.buckets import bucketed
from loopwright.data.sampling import check_batch_size, spans
from loopwright.data.tensors import TensorData, Tensors, Weigh
from loopwright.errors import DataError
from loopwright.protocols import Batch, Plan, Split

LENGTH = "length"
"""The name of the tensor that holds each sequence's number of real tokens."""


@dataclass(frozen=True, eq=False)
class SequenceData:
    """Splits held as padded CPU tensors by name, first dimension the samples; a `protocols.Data`.

    Among them is `length`, int64 (N,): how many real tokens each sequence begins with, at least 1. The second dimension
    of every tensor with two or more is the positions T, the same in all of a split. Training batches hold sequences of
    similar length (`bucketed`). All shards of a step are cropped to the step's longest sequence, so that a shard's
    shape does not depend on the workers. `weigh` gives a batch's weights. Raises DataError as TensorData, and for
    lengths and widths that do not fit together.
    """

    splits: Mapping[Split, Tensors]
    weigh: Weigh

    def __post_init__(self) -> None:
        for split, tensors in self._whole.splits.items():
            _check(split, tensors)

    @cached_property
    def _whole(self) -> TensorData:
        return TensorData(self.splits, self.weigh)

    def size(self, split: Split) -> int:
        """How many sequences `split` has; 0 where there is no such split."""
        return self._whole.size(split)

    def batches(self, plan: Plan, start: int) -> Iterator[Sequence[Batch]]:
        """The shards of step `start`, `start + 1`, … of the training split.

        Raises DataError for a batch larger than the split.
        """
        check_batch_size(plan, self.size("train"))
        return self._batches(plan, start)

    def _batches(self, plan: Plan, start: int) -> Iterator[Sequence[Batch]]:
        lengths = self.splits["train"][LENGTH].numpy()
        first, within = divmod(start, plan.steps_per_epoch(len(lengths)))
        for epoch in count(first):
            for step in bucketed(lengths, plan, epoch)[within:]:
                longest, samples = int(lengths[step].max()), torch.from_numpy(step)
                yield [self._batch("train", samples[begin:end], longest) for begin, end in plan.cut(len(step))]
            within = 0

    def scan(self, split: Split, batch_size: int = 1024) -> Iterator[Batch]:
        """All sequences of `split` once, in order, cropped; DataError where it is empty or missing."""
        steps = [torch.arange(*span) for span in spans(split, self.size(split), batch_size)]
        return (self._batch(split, samples, int(self.splits[split][LENGTH][samples].max())) for samples in steps)

    def _batch(self, split: Split, samples: Tensor, longest: int) -> Batch:
        cropped = {
            name: tensor[:, :longest] if tensor.ndim > 1 else tensor for name, tensor in self.splits[split].items()
        }
        tensors = {name: tensor.index_select(0, samples) for name, tensor in cropped.items()}
        return Batch(tensors, self.weigh(tensors), samples)

    def sha256(self) -> str:
        """A digest of all names, dtypes, shapes and bytes, as TensorData's."""
        return self._whole.sha256()


def _check(split: Split, tensors: Tensors) -> None:
    """Raise DataError unless there are lengths, and positions for all of them."""
    length = tensors.get(LENGTH)
    if length is None or length.dtype != torch.int64 or length.ndim != 1:
        found = "none" if length is None else f"{length.dtype} {tuple(length.shape)}"
        raise DataError(
            f"the {split} split needs a tensor {LENGTH!r}, int64 (N,), the numbers of tokens; found: {found}"
        )
    widths = {name: tensor.shape[1] for name, tensor in tensors.items() if tensor.ndim > 1}
    found = ", ".join(f"{name} {width}" for name, width in widths.items()) or "none"
    if len(set(widths.values())) != 1:
        raise DataError(f"the {split} split needs a tensor with positions, and in all as many of them; found: {found}")
    if len(length) and not 1 <= int(length.min()) <= int(length.max()) <= max(widths.values()):
        raise DataError(
            f"the {split} split has lengths from {int(length.min())} to {int(length.max())}: "
            f"each must be at least 1 and fit into the positions ({found})"
        )
