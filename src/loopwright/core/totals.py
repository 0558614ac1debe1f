"""A step's loss: component sums of the shards, divided once by the global weights."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeVar

import torch
from torch import Tensor

from loopwright.core.parallel import ALONE, Workers
from loopwright.errors import UsageError
from loopwright.protocols import Batch

T = TypeVar("T", float, Tensor)


class Totals:
    """Turns each shard's component sums into its share of the step's loss, and remembers the components.

    loss = sum over components c of (sum over shards s of sum_cs) / (sum over shards s of weight_cs)

    `total` is the number of the step's shards, `numbers` which of them are this worker's, `samples` how many samples
    the step has. The workers tell each other their shards' weights before, and their shares after the backward passes.
    """

    def __init__(self, shards: Sequence[Batch], workers: Workers = ALONE) -> None:
        self.workers, self.shards = workers, shards
        own = [{name: float(weight) for name, weight in shard.weights.items()} for shard in shards]
        told = workers.exchange({"weights": own, "samples": sum(len(shard) for shard in shards)})
        weights = workers.in_order([of_worker["weights"] for of_worker in told])
        self.samples = sum(of_worker["samples"] for of_worker in told)
        self.total = len(weights)
        self.numbers = workers.worker.numbers(self.total)
        for weight in weights:
            if weight.keys() != weights[0].keys():
                raise UsageError(
                    f"weights: one shard has {sorted(weight)}, another {sorted(weights[0])}; "
                    "give each batch a weight for each component, 0 where it has none of it"
                )
        self.weights = {name: pairwise([weight[name] for weight in weights]) or 1.0 for name in weights[0]}
        self.shares: list[dict[str, Tensor]] = []

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
        self.shares.append({name: share.detach() for name, share in shares.items()})
        return pairwise(list(shares.values()))

    def parts(self, device: torch.device) -> dict[str, Tensor]:
        """The step's components over all shards, on `device`, in its widest dtype; a single shard's are not read."""
        if self.total == 1 and self.workers.worker.size == 1:
            only = self.shares[0]
            return {name: only[name].to(widest(device)) for name in self.weights if name in only}
        told = self.workers.in_order(self.workers.exchange([numbers(shares) for shares in self.shares]))
        return {
            name: torch.tensor(pairwise(shares), dtype=widest(device), device=device)
            for name in self.weights
            if (shares := [share[name] for share in told if name in share])
        }

    def sample_numbers(self) -> list[int]:
        """The numbers of all samples of the step, from all workers."""
        told = self.workers.exchange([shard.samples.tolist() for shard in self.shards])
        return [number for shard in self.workers.in_order(told) for number in shard]


def numbers(shares: Mapping[str, Tensor]) -> dict[str, float]:
    """A shard's shares as numbers, read from the device at once."""
    return dict(zip(shares, torch.stack(list(shares.values())).tolist(), strict=True))


def widest(device: torch.device) -> torch.dtype:
    """The widest floating-point dtype of `device`."""
    return torch.float32 if device.type == "mps" else torch.float64


def pairwise(values: Sequence[T]) -> T:
    """The sum of `values` in the fixed tree of `core.tree`: neighbors first, then pairs of pairs."""
    level = list(values)
    while len(level) > 1:
        level = [a + b for a, b in zip(level[::2], level[1::2], strict=False)] + level[len(level) // 2 * 2 :]
    return level[0]
