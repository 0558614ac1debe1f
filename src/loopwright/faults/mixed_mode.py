"""`model.train()` does not reach all parts: one of them overrides `train()` and stays in evaluation mode.

That is how a pretrained part is frozen, and here the part is trained. Its dropout is off while batch normalization
elsewhere goes on as usual. The training loss is lower than it would be, validation a little worse.
"""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor, nn

from loopwright.core.experiment import Experiment
from loopwright.faults.fault import Fault
from loopwright.faults.seams import LossOf, with_loss
from loopwright.protocols import Batch


def drops(module: nn.Module) -> bool:
    """Whether a module is dropout that removes something."""
    return isinstance(module, nn.modules.dropout._DropoutNd) and module.p > 0


def around_dropout(model: nn.Module) -> list[nn.Module]:
    """The parts with weights that dropout stands in; not the model itself, which is no part."""
    parts = [part for part in model.modules() if part is not model and any(map(drops, part.children()))]
    return [part for part in parts if any(True for _ in part.parameters())]


def has_two_modes(experiment: Experiment) -> bool:
    """Whether there is such a part, and something outside of it that a mode makes a difference to."""
    model = experiment.task.model()
    parts = around_dropout(model)
    inside = {id(module) for part in parts for module in part.modules()}
    outside = [module for module in model.modules() if id(module) not in inside]
    moded = [module for module in outside if drops(module) or isinstance(module, nn.modules.batchnorm._BatchNorm)]
    return bool(parts and moded)


def partly_stuck(loss: LossOf, model: nn.Module, batch: Batch) -> Mapping[str, Tensor]:
    """The loss, with the parts around dropout in evaluation mode."""
    for part in around_dropout(model):
        part.eval()
    return loss(model, batch)


def inject(experiment: Experiment) -> Experiment:
    """Leave a part in evaluation mode while the rest trains."""
    return with_loss(experiment, partly_stuck)


FAULT = Fault(
    name="mixed-mode",
    number=33,
    line="def train(self, mode=True): return self   (in a part that is trained)",
    symptom="the training loss is lower than usual, validation a little worse",
    why="dropout is off in the part that it was to regularize, while the rest is in training mode",
    causes=("mixed-mode",),
    inject=inject,
    applies=has_two_modes,
)
