"""The norm is clipped at 1e-4: a number from another project, or a threshold for single values taken for one of norms.

Every gradient is cut down to next to nothing. With SGD the model hardly moves. Adam divides the size out again, until
what is left is no larger than its epsilon, so it is only slower and less steady and nobody looks here.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from torch import Tensor, nn
from torch.optim import Optimizer

from loopwright.core.experiment import Experiment
from loopwright.faults.fault import Fault
from loopwright.faults.seams import with_step

LIMIT = 1e-4


def held(optimizer: Optimizer) -> list[Tensor]:
    """An optimizer's parameters."""
    return [parameter for group in optimizer.param_groups for parameter in group["params"]]


def cut_down(optimizer: Optimizer, step: Callable[[], Any]) -> None:
    """A step of what clipping has left."""
    nn.utils.clip_grad_norm_(held(optimizer), LIMIT)
    step()


def inject(experiment: Experiment) -> Experiment:
    """Clip at a norm far below the usual one; the engine's own clipping, which would only repeat it, is off."""
    return with_step(replace(experiment, clip_norm=0.0), cut_down)


FAULT = Fault(
    name="clip-too-low",
    number=44,
    line="clip_grad_norm_(model.parameters(), 1e-4)",
    symptom="the loss falls slower than it should; with SGD hardly at all",
    why="nearly all of every gradient is cut off, and a large one counts no more than a small one",
    causes=("clip-too-low",),
    inject=inject,
)
