"""Running statistics (BatchNorm's and their like) of a step with several shards: each shard's own, moved once a step.

Every shard starts from the statistics that the step began with and normalizes by its own samples. What it would have
made of them is added up like a gradient, and their mean over the shards is what the step leaves: the same for any
number of workers, and one update a step, as without shards.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import SyncBatchNorm, _NormBase

from loopwright.errors import ConfigError


class RunningStatistics:
    """The statistics of `model` as they are now, at the start of a step."""

    def __init__(self, model: nn.Module) -> None:
        self.moving: list[Tensor] = []
        self.fixed: list[tuple[str, Tensor, Tensor]] = []
        for place, module in model.named_modules():
            if isinstance(module, SyncBatchNorm):
                raise ConfigError(
                    f"{place}: SyncBatchNorm ties the samples of all workers together, whose number must not matter "
                    "here; use BatchNorm, whose statistics are each shard's own, or GroupNorm"
                )
            found = dict(module.named_buffers(recurse=False))
            if isinstance(module, _NormBase):
                self.moving += found.values()
            else:
                label = f"{place or 'the model'} ({type(module).__name__})"
                self.fixed += [(f"{label}, buffer {name}", buffer, buffer.clone()) for name, buffer in found.items()]
        self.before = [buffer.clone() for buffer in self.moving]

    def like(self) -> list[Tensor]:
        """A tensor of the shape and dtype of each that `take` gives."""
        return [before if before.is_floating_point() else before.float() for before in self.before]

    def take(self) -> list[Tensor]:
        """By how much the shard just computed has moved each statistic; they are set back for the next shard.

        Raises ConfigError where another buffer has changed, for how to combine that is not known.
        """
        for place, buffer, before in self.fixed:
            if not same_bits(buffer, before):
                raise ConfigError(
                    f"{place}: changes in the forward pass, and how to combine it over shards is not known; "
                    "use --shards 1, or a module without such a buffer"
                )
        moved = [buffer - before for buffer, before in zip(self.moving, self.before, strict=True)]
        for buffer, before in zip(self.moving, self.before, strict=True):
            buffer.copy_(before)
        return [move if move.is_floating_point() else move.float() for move in moved]

    def move(self, summed: Sequence[Tensor | None], total: int) -> None:
        """Move each statistic by the mean over the step's `total` shards; a counter by one where any shard counted."""
        for buffer, sum_of in zip(self.moving, summed, strict=True):
            if sum_of is not None:
                mean = sum_of / total
                buffer.add_(mean if buffer.is_floating_point() else mean.ceil().to(buffer.dtype))


def same_bits(left: Tensor, right: Tensor) -> bool:
    """Whether two tensors of one shape and dtype are equal byte by byte, so that NaN equals itself."""
    return torch.equal(*(tensor.contiguous().reshape(-1).view(torch.uint8) for tensor in (left, right)))
