"""The optimizer is built inside the loop: a line that slipped in with the rest of the set-up.

It works, for a new optimizer makes steps as well as an old one. But momentum and second moments begin at zero each
time. Adam without a memory moves every weight by the full rate, whatever its gradient, and never gets quiet.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from torch import nn
from torch.optim import Optimizer

from loopwright.core.experiment import Experiment
from loopwright.faults.fault import Fault
from loopwright.faults.seams import with_optimizer


def remembers(experiment: Experiment) -> bool:
    """Whether the optimizer has a memory that could be lost."""
    return getattr(experiment.optimizer, "momentum", 1.0) > 0


def rebuilding(choice: Any) -> Callable[[nn.Module, Optimizer], Optimizer]:
    """What makes an optimizer build another one of the same `choice` for each step."""

    def alter(model: nn.Module, optimizer: Optimizer) -> Optimizer:
        def step() -> None:
            fresh = choice.build(model)
            for group, scheduled in zip(fresh.param_groups, optimizer.param_groups, strict=True):
                group["lr"] = scheduled["lr"]
            fresh.step()

        optimizer.step = step  # type: ignore[assignment, method-assign]
        return optimizer

    return alter


def inject(experiment: Experiment) -> Experiment:
    """Build the optimizer anew for each step."""
    return with_optimizer(experiment, rebuilding(experiment.optimizer))


FAULT = Fault(
    name="optimizer-rebuilt",
    number=52,
    line="for batch in loader: optimizer = AdamW(model.parameters()); …",
    symptom="the loss falls fast at first, then wobbles and levels off higher",
    why="momentum and second moments are lost in each step",
    causes=("optimizer-rebuilt",),
    inject=inject,
    applies=remembers,
)
