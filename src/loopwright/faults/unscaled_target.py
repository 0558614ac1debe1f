"""The targets of a regression are in small units: prices in cents, distances in millimeters.

A model begins near zero and has to climb to the thousands, with steps of the size of its learning rate. Squared errors
and their gradients are huge, so clipping cuts them or the weights blow up. The loss falls in a straight line, forever.
"""

from __future__ import annotations

from torch import Tensor

from loopwright.core.experiment import Experiment
from loopwright.faults.fault import Fault
from loopwright.faults.seams import target_name, with_tensor

FACTOR = 1000.0


def in_small_units(targets: Tensor) -> Tensor:
    """Targets a thousand times as large."""
    return targets * FACTOR


def inject(experiment: Experiment) -> Experiment:
    """Leave the targets of every split in small units."""
    return with_tensor(experiment, target_name(experiment), in_small_units)


def is_regression(experiment: Experiment) -> bool:
    """Whether a model is to put out numbers."""
    return target_name(experiment) != ""


FAULT = Fault(
    name="unscaled-target",
    number=20,
    line="loss = mse_loss(model(x), price_in_cents)",
    symptom="the loss begins near a million and falls slowly and evenly, far from an end when the budget is spent",
    why="outputs begin near zero and move by about the learning rate in each step, the targets are thousands away",
    causes=("unscaled-target",),
    inject=inject,
    applies=is_regression,
)
