"""Fourteen layers with weights four times too large, plain SGD at its usual rate, and no clipping.

A shallow network would forgive that. In a deep one each layer makes the signal larger, and on the way back the
gradient. The first updates are enormous, the next loss is larger still, and within a few steps it is infinite.
"""

from __future__ import annotations

from dataclasses import replace

from torch import nn

from loopwright.core.experiment import Experiment
from loopwright.core.optimizers import SGD
from loopwright.faults.fault import Fault
from loopwright.faults.seams import is_classification, last_layer, weighted_layers, with_model, with_weights
from loopwright.faults.vanishing import deep, numbers_in

FACTOR = 4.0


def enlarge(model: nn.Module) -> None:
    """Make the weights of all layers but the last larger."""
    for _, layer in weighted_layers(model)[:-1]:
        layer.get_parameter("weight").mul_(FACTOR)


def inject(experiment: Experiment) -> Experiment:
    """Put a deep network with large weights in the model's place, and let its gradients through unclipped."""
    inputs = numbers_in(experiment)
    # Adam divides the size of a gradient out again; SGD is what large ones explode with.
    plain = replace(experiment, clip_norm=0.0, optimizer=SGD())
    return with_weights(
        with_model(plain, lambda model: deep(inputs, last_layer(model)[1].out_features, nn.ReLU)), enlarge
    )


FAULT = Fault(
    name="exploding-gradients",
    number=43,
    line="nn.init.normal_(layer.weight, std=0.4)   (fourteen layers; # clip_grad_norm_)",
    symptom="loss and gradient norm grow by orders of magnitude within a few steps, up to infinity",
    why="each layer makes the gradient larger, and an update of that size makes the next gradient larger still",
    causes=("exploding-gradients", "bad-init-scale", "lr-too-large", "non-finite"),
    inject=inject,
    applies=is_classification,
)
