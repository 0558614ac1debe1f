"""Batches of sequences of similar length, so that little is computed on padding."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from loopwright.data.permutation import Int64, Permutation
from loopwright.errors import DataError
from loopwright.protocols import Plan
from loopwright.seeding import Purpose, fold

# Batches among which samples are sorted: enough to make padding rare, few enough to mix in every epoch anew.
_POOL = 64


def bucketed(lengths: npt.ArrayLike, plan: Plan, epoch: int) -> list[Int64]:
    """The batches of one epoch over sequences of `lengths` (N integers), keyed by `(plan.seed, epoch)`.

    Step t sees `bucketed(lengths, plan, epoch)[t % steps_per_epoch]`. Every sample occurs once. They are
    shuffled, sorted by length within pools of 64 batches, and cut; then the batches are shuffled. The short
    last batch, if any, is drawn from all lengths alike. `plan.shuffle=False` sorts each pool, and shuffles
    nothing. Raises DataError for a batch larger than the data.
    """
    sizes = np.asarray(lengths, dtype=np.int64)
    if not 0 < plan.batch_size <= len(sizes):
        raise DataError(f"batch_size {plan.batch_size} for {len(sizes)} sequences: choose one from 1 to that number")
    samples = _shuffled(len(sizes), plan, epoch, 0)
    num_full = len(sizes) // plan.batch_size
    full, short = np.split(samples, [num_full * plan.batch_size])
    pools = np.split(full, range(_POOL * plan.batch_size, len(full), _POOL * plan.batch_size))
    ordered = np.concatenate([pool[np.argsort(sizes[pool], kind="stable")] for pool in pools])
    batches = ordered.reshape(num_full, plan.batch_size)[_shuffled(num_full, plan, epoch, 1)]
    return [*batches, short] if len(short) else [*batches]


def _shuffled(size: int, plan: Plan, epoch: int, use: int) -> Int64:
    positions = np.arange(size)
    return (
        Permutation(size, fold(plan.seed, Purpose.SHUFFLE, epoch, use)).take(positions) if plan.shuffle else positions
    )
