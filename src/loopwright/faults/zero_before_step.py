"""`zero_grad` stands between `backward` and `step`, a line too far down.

All three calls are there, so nothing looks missing. The gradients are computed, thrown away, and the optimizer is left
with nothing. The loss stays where it began, whatever the rate.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from torch.optim import Optimizer

from loopwright.core.experiment import Experiment
from loopwright.faults.fault import Fault
from loopwright.faults.seams import with_step


def cleared_first(optimizer: Optimizer, step: Callable[[], Any]) -> None:
    """A step of gradients that are no longer there."""
    optimizer.zero_grad()
    step()


def inject(experiment: Experiment) -> Experiment:
    """Clear the gradients before they are used."""
    return with_step(experiment, cleared_first)


FAULT = Fault(
    name="zero-before-step",
    number=38,
    line="loss.backward(); optimizer.zero_grad(); optimizer.step()",
    symptom="the loss stays at its first value; the gradient norm looks healthy",
    why="the optimizer is asked to make a step when the gradients have just been cleared",
    causes=("zero-before-step",),
    inject=inject,
)
