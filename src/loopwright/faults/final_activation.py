"""A ReLU stands behind the last layer: a loop that builds layer and activation in pairs has built one pair too many.

Logits can no longer be negative, so no class can be called unlikely. Where a logit is cut off there is no gradient, and
a class whose logit is cut off for all inputs is lost for good. Mostly it learns, but slower and to a worse end.
"""

from __future__ import annotations

from torch import Tensor, nn

from loopwright.core.experiment import Experiment
from loopwright.faults.double_softmax import has_logits
from loopwright.faults.fault import Fault
from loopwright.faults.seams import outputs_changed, with_model


def rectified(logits: Tensor) -> Tensor:
    """Logits without their negative half."""
    return logits.relu()


def ending_in_relu(model: nn.Module) -> nn.Module:
    """The model with a ReLU at its end."""
    return outputs_changed(model, rectified)


def inject(experiment: Experiment) -> Experiment:
    """Cut the logits off at zero."""
    return with_model(experiment, ending_in_relu)


FAULT = Fault(
    name="final-activation",
    number=61,
    line="layers += [nn.Linear(width, classes), nn.ReLU()]",
    symptom="the loss falls slower and levels off higher; some classes may never be predicted",
    why="logits below zero are cut off, and so is the gradient that would bring them back",
    causes=("final-activation",),
    inject=inject,
    applies=has_logits,
)
