"""Two linear layers follow each other: the activation between them was forgotten when the layers were listed.

Together they can do what a single one can, whatever their width. Nothing looks broken. On easy data the difference is
small; what needs a bent boundary is never learned.
"""

from __future__ import annotations

from itertools import pairwise

from torch import nn

from loopwright.core.experiment import Experiment
from loopwright.faults.fault import Fault
from loopwright.faults.seams import with_model

ACTIVATIONS = nn.ReLU | nn.GELU
BETWEEN = ACTIVATIONS | nn.Dropout


def between(model: nn.Module) -> list[tuple[nn.Module, str]]:
    """What stands between two linear layers, an activation and perhaps dropout: its parent and its name there."""
    found = []
    for parent in model.modules():
        children = list(parent.named_children())
        linears = [number for number, (_, child) in enumerate(children) if isinstance(child, nn.Linear)]
        for first, second in pairwise(linears):
            middle = children[first + 1 : second]
            fits = children[first][1].out_features == children[second][1].in_features
            only = all(isinstance(child, BETWEEN) for _, child in middle)
            if fits and only and any(isinstance(child, ACTIVATIONS) for _, child in middle):
                found += [(parent, name) for name, _ in middle]
    return found


def straightened(model: nn.Module) -> nn.Module:
    """The model with nothing between its linear layers."""
    for parent, name in between(model):
        setattr(parent, name, nn.Identity())
    return model


def inject(experiment: Experiment) -> Experiment:
    """Leave the activations between linear layers out."""
    return with_model(experiment, straightened)


def has_activations_between(experiment: Experiment) -> bool:
    """Whether linear layers would follow each other directly."""
    return bool(between(experiment.task.model()))


FAULT = Fault(
    name="missing-activation",
    number=61,
    line="nn.Sequential(nn.Linear(64, 64), nn.Linear(64, 64), nn.Linear(64, 2))",
    symptom="the loss levels off higher; on data that are nearly linear hardly",
    why="linear layers in a row are one linear layer, whatever their number and width",
    causes=("missing-activation",),
    inject=inject,
    applies=has_activations_between,
)
