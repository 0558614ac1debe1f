"""A slow copy of the weights: their exponential moving average, which is what gets evaluated where it is on."""

from __future__ import annotations

from typing import Any, Protocol

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel


class Average(Protocol):
    """What the loop needs of an average."""

    module: nn.Module

    def update(self, model: nn.Module) -> None:
        """Take in the weights that `model` has now."""
        ...

    def state_dict(self) -> dict[str, Any]:
        """Tensors and plain values, for a checkpoint."""
        ...

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore what `state_dict` gave."""
        ...


class NoAverage:
    """No average: the model itself is evaluated."""

    def __init__(self, model: nn.Module) -> None:
        self.module = model

    def update(self, model: nn.Module) -> None:
        """There is nothing to update."""

    def state_dict(self) -> dict[str, Any]:
        """There is nothing to keep."""
        return {}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """There is nothing to restore."""


class ExponentialAverage:
    """average <- d average + (1 - d) weights, d = min(decay, (1 + n) / (10 + n)) after n updates; buffers are copied.

    The warm-up of d keeps the first, random weights out of the average of a short run (as in TensorFlow's
    ExponentialMovingAverage with `num_updates`).
    """

    def __init__(self, model: nn.Module, decay: float) -> None:
        def blend(averages: Any, weights: Any, updates: Tensor | int) -> None:
            n = int(updates)
            torch._foreach_lerp_(averages, weights, 1 - min(decay, (1 + n) / (10 + n)))

        self.average = AveragedModel(model, multi_avg_fn=blend)
        self.module: nn.Module = self.average.module

    def update(self, model: nn.Module) -> None:
        """One more set of weights."""
        self.average.update_parameters(model)

    def state_dict(self) -> dict[str, Any]:
        """The average and the number of updates."""
        return self.average.state_dict()

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore what `state_dict` gave."""
        self.average.load_state_dict(state)


def build_average(model: nn.Module, decay: float) -> Average:
    """The average for `decay`; 0 is none."""
    return ExponentialAverage(model, decay) if decay > 0 else NoAverage(model)
