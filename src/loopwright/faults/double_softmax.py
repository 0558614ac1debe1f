"""The model ends in a softmax, and `cross_entropy` applies another one.

It is tempting to have a model put out probabilities, and nothing complains. Numbers between 0 and 1 are very flat
logits: even a perfect answer has a high loss, and gradients are small. Accuracy still rises, so it looks like slow
learning.
"""

from __future__ import annotations

from torch import Tensor, nn

from loopwright.core.experiment import Experiment
from loopwright.faults.fault import Fault
from loopwright.faults.seams import is_classification, is_sequences, outputs_changed, with_model


def has_logits(experiment: Experiment) -> bool:
    """Whether a model puts out logits."""
    return is_classification(experiment) or is_sequences(experiment)


def probabilities(logits: Tensor) -> Tensor:
    """What a softmax makes of logits (*, C)."""
    return logits.softmax(-1)


def ending_in_softmax(model: nn.Module) -> nn.Module:
    """The model with a softmax at its end."""
    return outputs_changed(model, probabilities)


def inject(experiment: Experiment) -> Experiment:
    """Put out probabilities."""
    return with_model(experiment, ending_in_softmax)


FAULT = Fault(
    name="double-softmax",
    number=27,
    line="return torch.softmax(self.head(x), dim=-1)",
    symptom="the loss falls slowly and levels off high above zero, while accuracy still rises",
    why="the loss applies a softmax to probabilities, whose differences are too small for any confident answer",
    causes=("double-softmax",),
    inject=inject,
    applies=has_logits,
)
