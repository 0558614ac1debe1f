"""Which samples each step sees: the stream that every Data here is built on."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor

from loopwright.data.permutation import Int64, permuted
from loopwright.errors import DataError
from loopwright.protocols import Plan, Split
from loopwright.seeding import Purpose, fold

_BLOCK = 16384  # positions looked up at once: enough to make NumPy's calls cheap, few enough for the cache


def order(plan: Plan, size: int, start: int) -> Iterator[tuple[int, Tensor]]:
    """(epoch, sample numbers int64 (B,)) of step `start`, `start + 1`, … over `size` samples, without end.

    Raises DataError where a batch would be larger than the split.
    """
    check_batch_size(plan, size)
    return _order(plan, size, start)


def check_batch_size(plan: Plan, size: int) -> None:
    """Raise DataError where a batch would be larger than the training split of `size` samples, or that is empty."""
    if size == 0:
        raise DataError("the train split is empty: there must be at least one batch to train on")
    if plan.batch_size > size:
        raise DataError(
            f"batch_size {plan.batch_size} is larger than the train split ({size} samples): "
            f"choose --batch-size {size} or less"
        )


def spans(split: Split, size: int, batch_size: int) -> list[tuple[int, int]]:
    """(first, end) of the batches that pass over `split` once, in order; DataError where it holds nothing."""
    if size == 0:
        raise DataError(f"the {split} split is empty or missing: it was asked for, so it must hold samples")
    return [(first, min(first + batch_size, size)) for first in range(0, size, batch_size)]


def _order(plan: Plan, size: int, start: int) -> Iterator[tuple[int, Tensor]]:
    whole_batches = max(_BLOCK // plan.batch_size, 1) * plan.batch_size
    epoch, first, _ = plan.span(start, size)
    while True:
        end = min(first + whole_batches, size)
        epochs = range(epoch, epoch + (max(_BLOCK // size, 1) if first == 0 else 1))
        for block in _samples(plan, size, epochs, np.arange(first, end)):
            for samples in torch.split(torch.from_numpy(block), plan.batch_size):
                yield epoch, samples
            epoch += end == size
        first = end % size


def _samples(plan: Plan, size: int, epochs: range, positions: Int64) -> Int64:
    """(epochs, positions): the samples that stand there."""
    if not plan.shuffle:
        return np.tile(positions, (len(epochs), 1))
    return permuted(size, [fold(plan.seed, Purpose.SHUFFLE, epoch) for epoch in epochs], positions)
