"""Dropout with p = 0.95: a share to be kept was taken for a share to be dropped.

Early TensorFlow asked for the share to keep, PyTorch asks for the share to drop. One unit of twenty is left, another
one in each step, so hardly anything gets through. The training loss stays high and noisy, and validation, where nothing
is dropped, sees another network.
"""

from __future__ import annotations

from torch import nn

from loopwright.core.experiment import Experiment
from loopwright.faults.fault import Fault
from loopwright.faults.seams import with_model

RATE = 0.95


def dropouts(model: nn.Module) -> list[nn.modules.dropout._DropoutNd]:
    """Where the model may drop something, now or with another rate."""
    return [part for part in model.modules() if isinstance(part, nn.modules.dropout._DropoutNd)]


def dropping_most(model: nn.Module) -> nn.Module:
    """The model with dropout that removes nearly everything."""
    for dropout in dropouts(model):
        dropout.p = RATE
    return model


def inject(experiment: Experiment) -> Experiment:
    """Drop nearly everything."""
    return with_model(experiment, dropping_most)


def has_dropout(experiment: Experiment) -> bool:
    """Whether the model has dropout, be it at a rate of 0."""
    return bool(dropouts(experiment.task.model()))


FAULT = Fault(
    name="dropout-too-high",
    number=35,
    line="nn.Dropout(0.95)   # keep_prob",
    symptom="the training loss hardly falls and is noisy; validation, which drops nothing, is far from it",
    why="one unit of twenty is left in each step, and another one each time",
    causes=("dropout-too-high",),
    inject=inject,
    applies=has_dropout,
)
