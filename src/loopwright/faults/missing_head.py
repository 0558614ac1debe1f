"""The optimizer was given the backbone's parameters, and the head's were forgotten.

The head gets gradients and never moves. As the optimizer does not know it, nobody clears its gradients either, and they
add up. What is in front of it adapts to a random last layer, which works better than one would think.
"""

from __future__ import annotations

from torch import nn
from torch.optim import Optimizer

from loopwright.core.experiment import Experiment
from loopwright.faults.fault import Fault
from loopwright.faults.seams import last_layer, weighted_layers, with_optimizer


def has_head(experiment: Experiment) -> bool:
    """Whether a linear layer is last in a model that has other layers, too."""
    layers = weighted_layers(experiment.task.model())
    return len(layers) >= 2 and any(isinstance(layer, nn.Linear) for _, layer in layers)


def without_head(model: nn.Module, optimizer: Optimizer) -> Optimizer:
    """The optimizer of everything but the last layer."""
    head = {id(parameter) for parameter in last_layer(model)[1].parameters()}
    for group in optimizer.param_groups:
        group["params"] = [parameter for parameter in group["params"] if id(parameter) not in head]
    return optimizer


def inject(experiment: Experiment) -> Experiment:
    """Leave the last layer out of the optimizer."""
    return with_optimizer(experiment, without_head)


FAULT = Fault(
    name="missing-head",
    number=50,
    line="optimizer = AdamW(model.backbone.parameters())   # and model.head?",
    symptom="the loss falls slower; the gradient norm grows steadily",
    why="the last layer is never updated, and its gradients are never cleared",
    causes=("missing-from-optimizer",),
    inject=inject,
    applies=has_head,
)
