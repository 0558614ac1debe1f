"""Batch normalization with `momentum=0.0`: the running statistics never move from where they began.

In TensorFlow the momentum is the share that is kept, in PyTorch the share that is new, and 0 sounds harmless. Training
uses the batch's own statistics and goes well. Evaluation uses mean 0 and variance 1, and sees another network.
"""

from __future__ import annotations

from torch import nn

from loopwright.core.experiment import Experiment
from loopwright.faults.fault import Fault
from loopwright.faults.seams import with_model


def norms(model: nn.Module) -> list[nn.modules.batchnorm._BatchNorm]:
    """The batch normalizations that keep statistics."""
    found = [part for part in model.modules() if isinstance(part, nn.modules.batchnorm._BatchNorm)]
    return [part for part in found if part.track_running_stats]


def unmoved(model: nn.Module) -> nn.Module:
    """The model with batch statistics that nothing is added to."""
    for norm in norms(model):
        norm.momentum = 0.0
    return model


def inject(experiment: Experiment) -> Experiment:
    """Never gather batch statistics."""
    return with_model(experiment, unmoved)


def has_statistics(experiment: Experiment) -> bool:
    """Whether the model gathers batch statistics."""
    return bool(norms(experiment.task.model()))


FAULT = Fault(
    name="batch-statistics",
    number=34,
    line="nn.BatchNorm2d(width, momentum=0.0)",
    symptom="training as usual; validation is far worse, often no better than guessing",
    why="evaluation normalizes with the statistics of a network that has never seen a sample",
    causes=("batch-statistics",),
    inject=inject,
    applies=has_statistics,
)
