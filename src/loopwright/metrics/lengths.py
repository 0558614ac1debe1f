"""Accuracy by length of the sequence: the quickest sign of failure beyond the lengths seen in training."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor

from loopwright.errors import ConfigError


@dataclass(frozen=True, slots=True)
class LengthBin:
    """Sequences with shortest <= length <= longest (None: no limit): how many, and how many of them right."""

    shortest: int
    longest: int | None
    count: int
    right: int

    @property
    def accuracy(self) -> float:
        """right / count; NaN of an empty bin."""
        return self.right / self.count if self.count else float("nan")


def length_binned_accuracy(right: Tensor, lengths: Tensor, longest: Sequence[int]) -> list[LengthBin]:
    """One bin up to each of `longest` (inclusive, ascending), and a last one for everything longer.

    Each sequence is in exactly one bin, so the bins' counts add up to those of the whole. `right` bool (B,),
    `lengths` whole numbers (B,). Raises ConfigError where `longest` does not ascend.
    """
    if not longest or any(later <= earlier for earlier, later in pairwise(longest)):
        raise ConfigError(f"length bins end at {list(longest)}; give at least one length, in ascending order")
    edges = torch.tensor(longest, dtype=torch.int64)
    bins = torch.bucketize(lengths.cpu().long(), edges)
    counts = torch.bincount(bins, minlength=len(longest) + 1).tolist()
    rights = torch.bincount(bins[right.cpu()], minlength=len(longest) + 1).tolist()
    starts = [0, *(length + 1 for length in longest)]
    ends = [*longest, None]
    return [LengthBin(*bounds) for bounds in zip(starts, ends, counts, rights, strict=True)]
