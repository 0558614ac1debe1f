"""Weights that begin a thousand times too small: 0.02 was right for one network and is scaled down for another.

Each layer makes the signal smaller, until what comes out is the bias. The gradients shrink on their way back in the
same manner. The loss rests at that of guessing for long, in deep networks for good.
"""

from __future__ import annotations

from torch import nn

from loopwright.core.experiment import Experiment
from loopwright.faults.fault import Fault
from loopwright.faults.graph_cut import has_middle
from loopwright.faults.seams import weighted_layers, with_weights

FACTOR = 1e-3


def shrink(model: nn.Module) -> None:
    """Make all weights a thousand times smaller and all biases zero."""
    for _, layer in weighted_layers(model):
        for name, parameter in layer.named_parameters():
            parameter.mul_(FACTOR if name == "weight" else 0.0)


def inject(experiment: Experiment) -> Experiment:
    """Begin with tiny weights."""
    return with_weights(experiment, shrink)


FAULT = Fault(
    name="init-too-small",
    number=59,
    line="nn.init.normal_(layer.weight, std=1e-4)",
    symptom="the loss rests at that of guessing for a long time before it begins to fall",
    why="each layer shrinks signal and gradient, so that at first next to nothing arrives",
    causes=("vanishing-gradients", "bad-init-scale"),
    inject=inject,
    # One layer may well begin near zero, and the gradient of two is still large enough.
    applies=has_middle,
)
