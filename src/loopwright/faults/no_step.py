"""`optimizer.step()` is missing, or stands in a branch that is never taken.

Forward, loss and backward run, and the loss is printed. It wobbles from batch to batch as losses do. Only that it never
falls gives it away.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from torch.optim import Optimizer

from loopwright.core.experiment import Experiment
from loopwright.faults.fault import Fault
from loopwright.faults.seams import with_step


def nothing(optimizer: Optimizer, step: Callable[[], Any]) -> None:
    """No step."""


def inject(experiment: Experiment) -> Experiment:
    """Never make a step."""
    return with_step(experiment, nothing)


FAULT = Fault(
    name="no-step",
    number=49,
    line="# optimizer.step()",
    symptom="the loss stays at its first value, and every validation gives the same",
    why="gradients are computed, and nobody uses them",
    causes=("no-step",),
    inject=inject,
)
