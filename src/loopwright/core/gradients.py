"""Adding up the gradients of a step's shards in an order that is fixed by the shards' numbers, and clipping them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

import torch
from torch import Tensor, nn

from loopwright.core.parallel import Leaf, Workers
from loopwright.core.parameters import Unchanged, separate
from loopwright.core.statistics import RunningStatistics
from loopwright.core.tree import Node, join


class Tree(Protocol):
    """Adds up what a step's shards leave behind."""

    def collect(self, number: int) -> None:
        """Take what shard `number` has left; to be called in the order of the numbers."""
        ...

    def release(self) -> None:
        """Put the sums where the step goes on with them."""
        ...


class ShardTree:
    """Takes what each of a step's shards leaves behind as a leaf, and puts the sum over all shards there at the end.

    A leaf is the gradients, from `.grad`, and by how much the shard has moved the model's running statistics.
    """

    def __init__(self, model: nn.Module, parameters: Sequence[nn.Parameter], total: int, workers: Workers) -> None:
        self.parameters = parameters
        self.total = total
        self.workers = workers
        self.statistics = RunningStatistics(model)
        self.unchanged = Unchanged(model)
        self.nodes: dict[Node, Leaf] = {}

    def collect(self, number: int) -> None:
        """Take what shard `number` has left; to be called in the order of the numbers."""
        self.unchanged.check("with several shards, a forward pass that")
        separate(self.parameters)
        leaf = [*(parameter.grad for parameter in self.parameters), *self.statistics.take()]
        join(self.nodes, number, leaf, add)
        for parameter in self.parameters:
            parameter.grad = None

    def release(self) -> None:
        """Put the sum over all workers' shards into `.grad`, and move the running statistics once."""
        like = [*(parameter.detach() for parameter in self.parameters), *self.statistics.like()]
        summed = self.workers.combine(self.nodes, self.total, like, add)
        for parameter, gradient in zip(self.parameters, summed, strict=False):
            parameter.grad = gradient
        self.statistics.move(summed[len(self.parameters) :], self.total)


class OneShard:
    """An experiment of one shard has nothing to add up: gradients and statistics stay where they are."""

    def __init__(self, parameters: Sequence[nn.Parameter]) -> None:
        self.parameters = parameters

    def collect(self, number: int) -> None:
        """Nothing is taken."""

    def release(self) -> None:
        """Everything is there; each gradient gets memory of its own."""
        separate(self.parameters)


def add(left: Leaf, right: Leaf) -> Leaf:
    """The sum of two leaves, in the memory of the left one; a tensor that is missing on one side is the other's."""
    both = [(a, b) for a, b in zip(left, right, strict=True) if a is not None and b is not None]
    if both:
        torch._foreach_add_([a for a, _ in both], [b for _, b in both])
    return [b if a is None else a for a, b in zip(left, right, strict=True)]


def norms(parameters: Sequence[nn.Parameter]) -> Sequence[Tensor]:
    """The 2-norm of each gradient there is, 0-dimensional."""
    gradients = [parameter.grad for parameter in parameters if parameter.grad is not None]
    return torch._foreach_norm(gradients) if gradients else []


def total_norm(
    parameters: Sequence[nn.Parameter], norms: Callable[[Sequence[nn.Parameter]], Sequence[Tensor]] = norms
) -> Tensor:
    """The joint 2-norm of all gradients, a 0-dimensional tensor; 0 where there is none.

    Taken per parameter and combined in the parameters' order, so it does not depend on how the work was divided.
    """
    found = list(norms(parameters))
    if not found:
        return torch.zeros((), device=parameters[0].device if parameters else None)
    norm: Tensor = torch.linalg.vector_norm(torch.stack(found))
    return norm


def clip(parameters: Sequence[nn.Parameter], norm: Tensor, max_norm: float) -> None:
    """Scale the gradients in place so that their joint norm, which is `norm` (0-dimensional), is at most `max_norm`.

    g <- g min(1, max_norm / (norm + 1e-6)), the bits of `torch.nn.utils.clip_grad_norm_` (Pascanu et al., "On the
    difficulty of training recurrent neural networks", ICML 2013, algorithm 1). 0 leaves the gradients alone.
    """
    gradients = [parameter.grad for parameter in parameters if parameter.grad is not None]
    if max_norm > 0 and gradients and (factor := max_norm / (norm + 1e-6)).item() < 1:
        torch._foreach_mul_(gradients, factor)
