"""Weights that begin ten times as large as they should: `randn` without a factor, or a gain applied twice.

The first outputs are large and mean nothing, so the first loss is far above that of guessing: the model is sure of what
it cannot know. Training spends its time on getting rid of that, and where units saturate it never does.
"""

from __future__ import annotations

from torch import nn

from loopwright.core.experiment import Experiment
from loopwright.faults.fault import Fault
from loopwright.faults.frozen import has_backbone
from loopwright.faults.seams import weighted_layers, with_weights

FACTOR = 10.0


def enlarge(model: nn.Module) -> None:
    """Make all weights ten times as large."""
    for _, layer in weighted_layers(model):
        layer.get_parameter("weight").mul_(FACTOR)


def inject(experiment: Experiment) -> Experiment:
    """Begin with large weights."""
    return with_weights(experiment, enlarge)


FAULT = Fault(
    name="init-too-large",
    number=59,
    line="nn.init.normal_(layer.weight)   # std=0.1",
    symptom="the first loss is far above that of guessing; it comes down slowly and ends higher",
    why="outputs and gradients are many times too large, and grow with the number of layers",
    causes=("bad-init-scale", "lr-too-large", "exploding-gradients"),
    inject=inject,
    # A single layer has nothing to grow with, and learns a large weight away.
    applies=has_backbone,
)
