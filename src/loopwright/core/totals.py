"""A step's loss: component sums of the shards, divided once by the global weights."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeVar

from torch import Tensor

from loopwright.errors import UsageError
from loopwright.protocols import Batch

T = TypeVar("T", float, Tensor)


class Totals:
    """Turns each shard's component sums into its share of the step's loss, and remembers the components.

    loss = sum over components c of (sum over shards s of sum_cs) / (sum over shards s of weight_cs)
    """

    def __init__(self, shards: Sequence[Batch]) -> None:
        names = shards[0].weights
        self.weights = {name: pairwise([shard.weights[name] for shard in shards]) or 1.0 for name in names}
        self.shares: dict[str, list[Tensor]] = {name: [] for name in names}

    def share(self, sums: Mapping[str, Tensor]) -> Tensor:
        """What a shard contributes to the loss, ready for its backward pass; UsageError on unknown components."""
        if not sums or not sums.keys() <= self.weights.keys():
            raise UsageError(
                f"loss: the task returned {sorted(sums)}, its batches weigh {sorted(self.weights)}; "
                "give each component of the loss a weight of the same name"
            )
        for name, total in sums.items():
            if not isinstance(total, Tensor) or total.ndim:
                found = f"a tensor {tuple(total.shape)}" if isinstance(total, Tensor) else f"a {type(total).__name__}"
                raise UsageError(f"loss: component {name!r} is {found}; it must be a sum, a tensor without dimensions")
        shares = {name: total / self.weights[name] for name, total in sums.items()}
        for name, share in shares.items():
            self.shares[name].append(share.detach())
        return pairwise(list(shares.values()))

    def parts(self) -> dict[str, Tensor]:
        """The step's components, over all shards."""
        return {name: pairwise(shares) for name, shares in self.shares.items() if shares}


def pairwise(values: Sequence[T]) -> T:
    """The sum of `values` in the fixed tree of `GradientTree`: neighbors first, then pairs of pairs."""
    level = list(values)
    while len(level) > 1:
        level = [a + b for a, b in zip(level[::2], level[1::2], strict=False)] + level[len(level) // 2 * 2 :]
    return level[0]
