"""Tensors laid end to end, for the way from worker to worker: a few large messages instead of many small ones."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

BUCKET_BYTES = 1 << 25


@dataclass(frozen=True)
class Bucket:
    """Some tensors of a leaf: their positions in it, and one of the same shape, dtype and device as each.

    Behind the tensors stands for each whether it is there. One that is not is filled with -0.0, to which x + -0.0 = x
    for every x: a sum with it is the other's, bit for bit.
    """

    positions: tuple[int, ...]
    like: tuple[Tensor, ...]

    @property
    def width(self) -> int:
        """Elements in all."""
        return sum(tensor.numel() for tensor in self.like) + len(self.like)

    def empty(self, *shape: int) -> Tensor:
        """Memory of this bucket's dtype, on its device."""
        return self.like[0].new_empty(shape)

    def flat(self, leaf: Sequence[Tensor | None]) -> Tensor:
        """The bucket's tensors of `leaf`, (width,)."""
        found = [leaf[position] for position in self.positions]
        there = self.like[0].new_tensor([float(tensor is not None) for tensor in found])
        filled = [
            torch.full_like(like, -0.0) if tensor is None else tensor
            for tensor, like in zip(found, self.like, strict=True)
        ]
        return torch.cat([*(tensor.reshape(-1) for tensor in filled), there])

    def tensors(self, flat: Tensor) -> Iterator[tuple[int, Tensor | None]]:
        """Position and tensor of each from (width,), in memory of its own; None for one that no leaf had."""
        there = flat[self.width - len(self.like) :].tolist()
        first = 0
        for position, like, leaves in zip(self.positions, self.like, there, strict=True):
            tensor = torch.empty_like(like)
            tensor.copy_(flat[first : first + like.numel()].view(like.shape))
            yield position, tensor if leaves else None
            first += like.numel()


def buckets(like: Sequence[Tensor], limit_bytes: int = BUCKET_BYTES) -> list[Bucket]:
    """Tensors of one dtype and device together, in their order, no bucket above the limit but for one tensor alone."""
    found: list[Bucket] = []
    open_at: dict[tuple[torch.dtype, torch.device], int] = {}
    for position, tensor in enumerate(like):
        kind = (tensor.dtype, tensor.device)
        at = open_at.get(kind)
        if at is not None and sum(other.nbytes for other in found[at].like) + tensor.nbytes <= limit_bytes:
            found[at] = Bucket((*found[at].positions, position), (*found[at].like, tensor))
        else:
            open_at[kind] = len(found)
            found.append(Bucket((position,), (tensor,)))
    return found
