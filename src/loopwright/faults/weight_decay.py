"""A weight decay of 3.0, on biases and norms as well: a value from a paper that divides it by the rate, or a slip.

Each step takes a share of every weight away, and the gradients cannot keep up. The model shrinks towards one that says
the same to everything. The training loss levels off high, which looks like a model that is too small.
"""

from __future__ import annotations

from dataclasses import replace

from torch import nn
from torch.optim import Optimizer

from loopwright.core.experiment import Experiment
from loopwright.core.optimizers import AdamW
from loopwright.faults.fault import Fault
from loopwright.faults.seams import with_optimizer
from loopwright.faults.wrong_betas import is_adam

DECAY = 3.0


def on_everything(model: nn.Module, optimizer: Optimizer) -> Optimizer:
    """The optimizer with the decay in all of its groups."""
    for group in optimizer.param_groups:
        group["weight_decay"] = DECAY
    return optimizer


def inject(experiment: Experiment) -> Experiment:
    """Let all weights decay fast."""
    told = experiment.optimizer
    betas = getattr(told, "betas", AdamW().betas)
    return with_optimizer(replace(experiment, optimizer=AdamW(lr=told.lr, betas=betas)), on_everything)


FAULT = Fault(
    name="weight-decay-too-large",
    number=55,
    line="optimizer = AdamW(model.parameters(), weight_decay=3.0)",
    symptom="the loss falls a little and levels off high, in training and in validation alike",
    why="decay takes more of the weights away than the gradients bring back",
    causes=("weight-decay-too-large",),
    inject=inject,
    applies=is_adam,
)
