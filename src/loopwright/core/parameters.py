"""What the loop relies on of a model's parameters and their gradients, made so or refused by name."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager

import torch
from torch import Tensor, nn
from torch.nn.parameter import is_lazy

from loopwright.errors import ConfigError


def settle(model: nn.Module) -> None:
    """Give each parameter memory without gaps, for fused optimizers walk through it element by element.

    A parameter made of a slice, `nn.Parameter(v[:rank])` say, has gaps. Raises ConfigError for one without a shape yet.
    """
    for name, parameter in model.named_parameters():
        if is_lazy(parameter):
            raise ConfigError(f"{name}: a lazy parameter has no shape before the first batch; build it with its shape")
        if not dense(parameter):
            parameter.data = parameter.detach().clone(memory_format=torch.contiguous_format)


def dense(tensor: Tensor) -> bool:
    """Whether a tensor's elements lie side by side, in whatever order of its dimensions."""
    expected = 1
    for stride, size in sorted(zip(tensor.stride(), tensor.shape, strict=True)):
        if size == 0:
            return True
        if size > 1 and stride != expected:
            return False
        expected *= size
    return True


def separate(parameters: Iterable[nn.Parameter]) -> None:
    """Give each gradient memory of its own: two parameters that are only added, a + b, get one gradient from autograd.

    Raises ConfigError for a sparse gradient, which is not added up.
    """
    seen: set[int] = set()
    for parameter in parameters:
        gradient = parameter.grad
        if gradient is None:
            continue
        if gradient.layout != torch.strided:
            raise ConfigError(f"a parameter {tuple(parameter.shape)} has a sparse gradient; build it with sparse=False")
        place = gradient.data_ptr()
        if place in seen:
            parameter.grad = gradient.clone()
        elif place:
            seen.add(place)


class Unchanged:
    """The parameters as they are now; `check` refuses one that was written to meanwhile."""

    def __init__(self, model: nn.Module) -> None:
        self.model = model
        self.versions = [parameter._version for parameter in model.parameters()]

    def check(self, where: str) -> None:
        """Raise ConfigError where a parameter was changed in place (an Embedding with max_norm does), as far as PyTorch
        counts it: not through `.data`."""
        for (name, parameter), version in zip(self.model.named_parameters(), self.versions, strict=False):
            if parameter._version != version:
                raise ConfigError(
                    f"{name}: {where} changes this parameter, which is the optimizer's to change; "
                    "work on a copy (an Embedding: without max_norm)"
                )


@contextmanager
def restored(parameters: Sequence[Tensor]) -> Iterator[None]:
    """Give parameters that an evaluation is known to change their bits back."""
    kept = [parameter.detach().clone() for parameter in parameters]
    try:
        yield
    finally:
        with torch.no_grad():
            for parameter, before in zip(parameters, kept, strict=True):
                parameter.copy_(before)
