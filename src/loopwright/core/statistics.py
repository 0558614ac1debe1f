"""Running statistics (BatchNorm's and their like) of a step with several shards: each shard's own, moved once a step.

Every shard starts from the statistics that the step began with and normalizes by its own samples. What it would have
made of them is added up like a gradient, and their mean over the shards is what the step leaves: the same for any
number of workers, and one update a step, as without shards.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from torch import Tensor, nn
from torch.nn.modules.batchnorm import SyncBatchNorm, _NormBase

from loopwright.bits import same_bits
from loopwright.errors import ConfigError


@dataclass(frozen=True)
class Buffer:
    """A buffer of a module as it is when a step begins."""

    place: str
    module: nn.Module
    name: str
    tensor: Tensor
    before: Tensor

    def check(self, changed: bool) -> None:
        """Raise ConfigError where the forward pass has `changed` this buffer, or put another in its place."""
        if changed or self.module._buffers[self.name] is not self.tensor:
            place = f"{self.place or 'the model'} ({type(self.module).__name__}), buffer {self.name}"
            raise ConfigError(
                f"{place}: changes in the forward pass, and how to combine it over shards is not known; "
                "use --shards 1, or a module without such a buffer"
            )


class RunningStatistics:
    """The statistics of `model` as they are now, at the start of a step."""

    def __init__(self, model: nn.Module) -> None:
        self.moving: list[Buffer] = []
        self.fixed: list[Buffer] = []
        seen: set[int] = set()
        for place, module in model.named_modules():
            if isinstance(module, SyncBatchNorm):
                raise ConfigError(
                    f"{place}: SyncBatchNorm ties the samples of all workers together, whose number must not matter "
                    "here; use BatchNorm, whose statistics are each shard's own, or GroupNorm"
                )
            # The common base of BatchNorm and InstanceNorm has no public name.
            found = self.moving if isinstance(module, _NormBase) else self.fixed
            for name, buffer in module.named_buffers(recurse=False):
                if id(buffer) not in seen:  # two modules may share one
                    seen.add(id(buffer))
                    found.append(Buffer(place, module, name, buffer, buffer.clone()))

    def like(self) -> list[Tensor]:
        """A tensor of the shape and dtype of each that `take` gives: the statistic's own, a counter's float32."""
        return [floating(buffer.before) for buffer in self.moving]

    def take(self) -> list[Tensor]:
        """By how much the shard just computed has moved each statistic; they are set back for the next shard.

        Raises ConfigError where another buffer has changed, for how to combine that is not known.
        """
        # Not by the version counter of the buffer: F.batch_norm changes its arguments without counting.
        for buffer in self.fixed:
            buffer.check(not same_bits(buffer.tensor, buffer.before))
        for buffer in self.moving:
            buffer.check(False)
        moved = [floating(buffer.tensor - buffer.before) for buffer in self.moving]
        for buffer in self.moving:
            buffer.tensor.copy_(buffer.before)
        return moved

    def move(self, summed: Sequence[Tensor | None], total: int) -> None:
        """Move each statistic by the mean over the step's `total` shards; a counter by one where any shard counted."""
        for buffer, sum_of in zip(self.moving, summed, strict=True):
            if sum_of is not None:
                mean = sum_of / total
                buffer.tensor.add_(mean if buffer.tensor.is_floating_point() else mean.ceil().to(buffer.tensor.dtype))


def floating(tensor: Tensor) -> Tensor:
    """A tensor that can be added up and divided: itself, or a counter as float32."""
    return tensor if tensor.is_floating_point() else tensor.float()


@contextmanager
def single_samples_named() -> Iterator[None]:
    """Where BatchNorm has a single sample to normalize by, raise a ConfigError that says how to give it more."""
    try:
        yield
    except ValueError as error:
        if "more than 1 value per channel" not in str(error):
            raise
        raise ConfigError(
            "BatchNorm: a shard holds a single sample, which has no statistics; set fewer --shards or a larger "
            "--batch-size, or a --batch-size that leaves more than one sample for the last batch"
        ) from error
