"""The backbone was frozen while the new head warmed up, and thawing it again was forgotten.

Here nothing was pretrained: the frozen layers hold the numbers they were drawn with. The head is trained on random
features. That gives better answers than guessing, and never good ones.
"""

from __future__ import annotations

from torch import nn
from torch.optim import Optimizer

from loopwright.core.experiment import Experiment
from loopwright.faults.fault import Fault
from loopwright.faults.seams import depth, weighted_layers, with_optimizer


def frozen(model: nn.Module, optimizer: Optimizer) -> Optimizer:
    """The optimizer of all parameters, of which only those of the last layer still want a gradient."""
    # Behind the optimizer, which would leave them out; in a program it is given model.parameters(), frozen or not.
    model.requires_grad_(False)
    weighted_layers(model)[-1][1].requires_grad_(True)
    return optimizer


def inject(experiment: Experiment) -> Experiment:
    """Freeze everything but the last layer."""
    return with_optimizer(experiment, frozen)


def has_backbone(experiment: Experiment) -> bool:
    """Whether there is anything in front of the last layer."""
    return depth(experiment) >= 2


FAULT = Fault(
    name="frozen",
    number=41,
    line="model.backbone.requires_grad_(False)   # until the head has warmed up",
    symptom="the loss falls for a while and levels off high; more steps do not help",
    why="only the last layer learns, on features that are random",
    causes=("frozen",),
    inject=inject,
    applies=has_backbone,
)
