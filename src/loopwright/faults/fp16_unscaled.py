"""float16 autocast without a GradScaler: the line that scales the loss was left out.

float16 has nothing below 6e-8. Small gradients become zero on their way back, those of the first layers before all
others. The loss falls at first, so that a slow end is blamed on the rate.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import torch
from torch import Tensor, nn

from loopwright.core.experiment import Experiment
from loopwright.faults.fault import Fault
from loopwright.faults.seams import LossOf, with_loss
from loopwright.protocols import Batch


def halved(loss: LossOf, model: nn.Module, batch: Batch) -> Mapping[str, Tensor]:
    """The loss, computed in float16."""
    with torch.autocast(next(model.parameters()).device.type, dtype=torch.float16):
        return loss(model, batch)


def inject(experiment: Experiment) -> Experiment:
    """Compute in float16; the engine is told of float32 and scales nothing."""
    return with_loss(replace(experiment, precision="fp32"), halved)


FAULT = Fault(
    name="fp16-unscaled",
    number=66,
    line="with autocast('cuda', dtype=torch.float16): …; loss.backward()   # scaler.scale(loss)",
    symptom="the loss falls as usual at first and levels off higher, or suddenly is no number",
    why="gradients below 6e-8 become zero, and those above 65504 infinite",
    causes=("fp16-unscaled",),
    inject=inject,
)
