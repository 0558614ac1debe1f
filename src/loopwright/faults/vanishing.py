"""Fourteen layers, each with a sigmoid behind it, as textbooks of the nineties draw them.

A sigmoid's slope is a quarter at most. Each layer takes its share of the gradient away, and the first ones get about
nothing. The last layer learns how frequent the classes are, and there it ends.
"""

from __future__ import annotations

from collections.abc import Callable

from torch import nn

from loopwright.core.experiment import Experiment
from loopwright.faults.fault import Fault
from loopwright.faults.seams import input_name, is_classification, last_layer, splits_of, with_model

LAYERS = 14
WIDTH = 32


def numbers_in(experiment: Experiment) -> int:
    """How many numbers the input of one sample has."""
    return splits_of(experiment)["train"][input_name(experiment)][0].numel()


def deep(inputs: int, outputs: int, activation: Callable[[], nn.Module]) -> nn.Sequential:
    """Many narrow layers with an activation between them."""
    widths = [inputs, *[WIDTH] * (LAYERS - 1), outputs]
    layers: list[nn.Module] = []
    for number, width in enumerate(widths[:-1]):
        layers += [nn.Linear(width, widths[number + 1]), activation()]
    return nn.Sequential(nn.Flatten(), *layers[:-1])


def inject(experiment: Experiment) -> Experiment:
    """Put a deep sigmoid network in the model's place."""
    inputs = numbers_in(experiment)
    return with_model(experiment, lambda model: deep(inputs, last_layer(model)[1].out_features, nn.Sigmoid))


FAULT = Fault(
    name="vanishing-gradients",
    number=42,
    line="layers += [nn.Linear(width, width), nn.Sigmoid()]   (fourteen times)",
    symptom="the loss falls to that of guessing and stays there",
    why="each sigmoid shrinks the gradient: the first layers get none that would move them",
    causes=("vanishing-gradients",),
    inject=inject,
    applies=is_classification,
)
