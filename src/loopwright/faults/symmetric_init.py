"""All weights begin as 0.01: a constant seemed as good a start as any.

The units of a layer then compute the same, get the same gradient, and stay the same. However wide the model is, each
layer has one unit, many times over. The loss falls a little, to what such a model can do.
"""

from __future__ import annotations

from torch import nn

from loopwright.core.experiment import Experiment
from loopwright.faults.fault import Fault
from loopwright.faults.frozen import has_backbone
from loopwright.faults.seams import weighted_layers, with_weights

VALUE = 0.01


def constant(model: nn.Module) -> None:
    """Make all weights the same and all biases zero."""
    for _, layer in weighted_layers(model):
        for name, parameter in layer.named_parameters():
            parameter.fill_(VALUE if name == "weight" else 0.0)


def inject(experiment: Experiment) -> Experiment:
    """Begin with all units alike."""
    return with_weights(experiment, constant)


FAULT = Fault(
    name="symmetric-init",
    number=58,
    line="nn.init.constant_(layer.weight, 0.01)",
    symptom="the loss begins at that of guessing, falls a little and levels off high",
    why="units that begin alike get the same gradients and stay alike: each layer is one unit wide",
    causes=("symmetric-init",),
    inject=inject,
    applies=has_backbone,
)
