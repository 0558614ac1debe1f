"""A `detach()` in the middle of the model, left from a look at the activations.

Everything in front of it goes on putting numbers out, and gets no gradient. What stands behind learns to make the best
of layers that stay as they were drawn. Small models do surprisingly well like that, so it is not seen for long.
"""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn

from loopwright.core.experiment import Experiment
from loopwright.faults.fault import Fault
from loopwright.faults.seams import depth, weighted_layers, with_model


def middle_layer(model: nn.Module) -> nn.Module:
    """The layer in the middle of those with weights, neither the first nor the last of three or more."""
    layers = weighted_layers(model)
    return layers[len(layers) // 2][1]


def has_middle(experiment: Experiment) -> bool:
    """Whether there is a layer that is neither the first nor the last."""
    return depth(experiment) >= 3


def without_graph(layer: nn.Module, given: Any, output: Tensor) -> Tensor:
    """What a layer puts out, without where it came from."""
    return output.detach()


def cut(model: nn.Module) -> nn.Module:
    """The model with its graph cut behind the middle layer."""
    middle_layer(model).register_forward_hook(without_graph)
    return model


def inject(experiment: Experiment) -> Experiment:
    """Cut the graph in the middle of the model."""
    return with_model(experiment, cut)


FAULT = Fault(
    name="graph-cut",
    number=40,
    line="x = self.middle(x).detach()",
    symptom="the loss falls slower and levels off higher",
    why="no gradient gets past the cut: what is in front of it stays as it was initialized",
    causes=("graph-cut",),
    inject=inject,
    applies=has_middle,
)
