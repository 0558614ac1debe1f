"""The clipping stands behind `step`: the gradients are clipped when they have done their work.

A line that was pasted in one place too low. Training behaves as if there were no clipping, while the program says there
is. As long as norms are small that makes no difference; the outlier batch that clipping is for gets through whole.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from torch import nn
from torch.optim import Optimizer

from loopwright.core.experiment import Experiment
from loopwright.faults.clip_too_low import held
from loopwright.faults.fault import Fault
from loopwright.faults.seams import with_step

LIMIT = 1.0


def clipped_behind(optimizer: Optimizer, step: Callable[[], Any]) -> None:
    """A step, and then the clipping."""
    step()
    nn.utils.clip_grad_norm_(held(optimizer), LIMIT)


def inject(experiment: Experiment) -> Experiment:
    """Clip what has been used already."""
    return with_step(replace(experiment, clip_norm=0.0), clipped_behind)


def clips(experiment: Experiment) -> bool:
    """Whether gradients are clipped at all."""
    return experiment.clip_norm > 0


FAULT = Fault(
    name="clip-after-step",
    number=44,
    line="optimizer.step(); clip_grad_norm_(model.parameters(), 1.0)",
    symptom="often none; jumps of the loss where single batches have large gradients",
    why="the update has used the gradients as they were, and the clipped ones are cleared",
    causes=("clip-after-step",),
    inject=inject,
    applies=clips,
)
