"""Adding up the gradients of a step's shards in an order that is fixed by the shards' numbers, and clipping them.

Floating-point addition is not associative, so the order is part of the experiment: leaves are added pairwise by shard
number in a binary tree. Streaming, this is a binary counter: at most log2(shards) + 1 sets of gradients are alive.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

Leaf = list[Tensor | None]


class GradientTree:
    """Takes each shard's gradients from `.grad` after its backward pass and puts their sum there at the end."""

    def __init__(self, parameters: Sequence[nn.Parameter], shards: int) -> None:
        self.parameters = parameters
        self.shards = shards
        self.partial: list[tuple[int, Leaf]] = []

    def collect(self) -> None:
        """Take one shard's gradients as the next leaf. With a single shard they stay where they are."""
        if self.shards == 1:
            return
        height, leaf = 0, [parameter.grad for parameter in self.parameters]
        while self.partial and self.partial[-1][0] == height:
            leaf = add(self.partial.pop()[1], leaf)
            height += 1
        self.partial.append((height, leaf))
        for parameter in self.parameters:
            parameter.grad = None

    def release(self) -> None:
        """Add what is left, the smallest subtrees first, and put the sum into `.grad`."""
        if not self.partial:
            return
        total = self.partial.pop()[1]
        while self.partial:
            total = add(self.partial.pop()[1], total)
        for parameter, gradient in zip(self.parameters, total, strict=True):
            parameter.grad = gradient


def add(left: Leaf, right: Leaf) -> Leaf:
    """The sum of two leaves, in the memory of the left one; a gradient that is missing on one side is the other's."""
    both = [(a, b) for a, b in zip(left, right, strict=True) if a is not None and b is not None]
    if both:
        torch._foreach_add_([a for a, _ in both], [b for _, b in both])
    return [b if a is None else a for a, b in zip(left, right, strict=True)]


def total_norm(parameters: Sequence[nn.Parameter]) -> Tensor:
    """The joint 2-norm of all gradients, a 0-dimensional tensor; 0 where there is none.

    Taken per parameter and combined in the parameters' order, so it does not depend on how the work was divided.
    """
    gradients = [parameter.grad for parameter in parameters if parameter.grad is not None]
    if not gradients:
        return torch.zeros((), device=parameters[0].device if parameters else None)
    norm: Tensor = torch.linalg.vector_norm(torch.stack(torch._foreach_norm(gradients)))
    return norm


def clip(parameters: Sequence[nn.Parameter], norm: Tensor, max_norm: float) -> None:
    """Scale the gradients in place so that their joint norm, which is `norm` (0-dimensional), is at most `max_norm`.

    g <- g min(1, max_norm / (norm + 1e-6)), the bits of `torch.nn.utils.clip_grad_norm_` (Pascanu et al., "On the
    difficulty of training recurrent neural networks", ICML 2013, algorithm 1). 0 leaves the gradients alone.
    """
    gradients = [parameter.grad for parameter in parameters if parameter.grad is not None]
    if max_norm > 0 and gradients and (factor := max_norm / (norm + 1e-6)).item() < 1:
        torch._foreach_mul_(gradients, factor)
