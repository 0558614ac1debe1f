"""A hook multiplies a layer's gradients by zero: the factor of a gradient reversal that was to be annealed upwards.

The gradients are there, so no check for None finds anything, and the layer never moves. Its neighbors learn around it.
The loss is a little higher than it could be.
"""

from __future__ import annotations

from torch import Tensor, nn

from loopwright.core.experiment import Experiment
from loopwright.faults.fault import Fault
from loopwright.faults.graph_cut import has_middle, middle_layer
from loopwright.faults.seams import with_model


def nothing_of(gradient: Tensor) -> Tensor:
    """A gradient times zero."""
    return gradient * 0


def with_hooks(model: nn.Module) -> nn.Module:
    """The model with hooks on the middle layer's weight and bias."""
    for parameter in middle_layer(model).parameters():
        parameter.register_hook(nothing_of)
    return model


def inject(experiment: Experiment) -> Experiment:
    """Make the middle layer's gradients zero."""
    return with_model(experiment, with_hooks)


FAULT = Fault(
    name="zeroed-gradient",
    number=46,
    line="layer.weight.register_hook(lambda g: g * self.factor)   (factor is still 0)",
    symptom="the loss falls a little slower and ends a little higher",
    why="one layer gets gradients that are zero throughout, and stays as it was initialized",
    causes=("zeroed-gradient",),
    inject=inject,
    applies=has_middle,
)
