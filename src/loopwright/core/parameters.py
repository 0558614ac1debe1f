"""What the loop relies on of a model's parameters and their gradients, made so or refused by name."""

from __future__ import annotations

from collections.abc import Iterable

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
    """The parameters of a model as they are now, but those of `besides`; `check` refuses one that was written to."""

    def __init__(self, model: nn.Module, besides: Iterable[Tensor] = ()) -> None:
        known = {id(tensor) for tensor in besides}
        self.model = model
        self.versions = [(each, each._version) for each in model.parameters() if id(each) not in known]

    def check(self, where: str) -> None:
        """Raise ConfigError where a parameter was changed in place (an Embedding with max_norm does), as far as PyTorch
        counts it: not through `.data`."""
        changed = next((parameter for parameter, version in self.versions if parameter._version != version), None)
        if changed is not None:
            name = next((name for name, other in self.model.named_parameters() if other is changed), "a parameter")
            raise ConfigError(
                f"{name}: {where} changes this parameter, which is the optimizer's to change; "
                "work on a copy (an Embedding: without max_norm)"
            )
