"""`model.eval()` before a validation, and no `model.train()` behind it.

Everything works, and from the first validation on dropout is off and batch normalization uses old statistics. The
training loss looks better than before, which is the trap: the model overfits without anybody seeing why.
"""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor, nn

from loopwright.core.experiment import Experiment
from loopwright.faults.fault import Fault
from loopwright.faults.seams import LossOf, with_loss
from loopwright.protocols import Batch


def has_modes(experiment: Experiment) -> bool:
    """Whether a mode makes a difference to the model."""
    kinds = nn.modules.dropout._DropoutNd | nn.modules.batchnorm._BatchNorm
    parts = [part for part in experiment.task.model().modules() if isinstance(part, kinds)]
    return any(getattr(part, "p", 1.0) > 0 for part in parts)


def stuck(loss: LossOf, model: nn.Module, batch: Batch) -> Mapping[str, Tensor]:
    """The loss, in evaluation mode."""
    model.eval()
    return loss(model, batch)


def inject(experiment: Experiment) -> Experiment:
    """Train in evaluation mode."""
    return with_loss(experiment, stuck)


FAULT = Fault(
    name="train-mode-missing",
    number=32,
    line="# model.train()   (behind the validation)",
    symptom="the training loss is lower than usual, validation a little worse",
    why="dropout no longer regularizes and batch statistics no longer move",
    causes=("train-mode-missing",),
    inject=inject,
    applies=has_modes,
)
