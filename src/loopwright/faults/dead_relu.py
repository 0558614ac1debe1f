"""The biases in front of the ReLUs are at -10: a bad initialization, or what a single huge update leaves behind.

No input is large enough to get above zero. Each unit says 0 to every sample, and where a ReLU gives 0 it passes no
gradient back, so nothing will ever change. The output layer's bias is all that learns.
"""

from __future__ import annotations

from torch import Tensor, nn

from loopwright.core.experiment import Experiment
from loopwright.faults.fault import Fault
from loopwright.faults.seams import with_weights

BIAS = -10.0


def biases(model: nn.Module) -> list[Tensor]:
    """Of each layer or batch normalization that a ReLU stands behind, in a sequence, the bias if it has one."""
    kinds = nn.Linear | nn.modules.conv._ConvNd | nn.modules.batchnorm._BatchNorm
    found = []
    for sequence in model.modules():
        parts = list(sequence.children()) if isinstance(sequence, nn.Sequential) else []
        for number, part in enumerate(parts):
            if isinstance(part, nn.ReLU):
                before = [one for one in parts[:number] if isinstance(one, kinds)]
                found += [one.bias for one in before[-1:] if one.bias is not None]
    return found


def lower(model: nn.Module) -> None:
    """Set the biases so low that no unit is ever above zero."""
    for bias in biases(model):
        bias.fill_(BIAS)


def inject(experiment: Experiment) -> Experiment:
    """Begin with dead units."""
    return with_weights(experiment, lower)


def has_rectified_biases(experiment: Experiment) -> bool:
    """Whether there is a bias in front of a ReLU."""
    return bool(biases(experiment.task.model()))


FAULT = Fault(
    name="dead-relu",
    number=60,
    line="nn.init.constant_(layer.bias, -10.0)",
    symptom="the loss falls to that of guessing and stays there",
    why="every hidden unit gives zero for every sample, and passes no gradient back",
    causes=("dead-units",),
    inject=inject,
    applies=has_rectified_biases,
)
