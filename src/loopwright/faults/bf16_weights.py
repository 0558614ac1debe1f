"""`model.to(bfloat16)` to save memory, with a small rate for fine-tuning, instead of autocast.

bfloat16 keeps three significant digits. An update below a two hundred and fiftieth of its weight rounds to no update at
all, and at small rates nearly all are. The loss stops falling early, while gradients say that there is more to gain.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn

from loopwright.core.experiment import Experiment
from loopwright.core.schedules import Constant
from loopwright.faults.fault import Fault
from loopwright.faults.seams import outputs_changed, with_model, with_rate

SLOWER = 30


def rounded(given: Any) -> Any:
    """A float tensor in bfloat16; anything else as it is."""
    return given.bfloat16() if isinstance(given, Tensor) and given.is_floating_point() else given


def round_inputs(module: nn.Module, given: tuple[Any, ...]) -> tuple[Any, ...]:
    """What a model is given, in bfloat16."""
    return tuple(map(rounded, given))


def in_bfloat16(model: nn.Module) -> nn.Module:
    """The model with weights in bfloat16, and float32 outside of it."""
    model.to(torch.bfloat16)
    model.register_forward_pre_hook(round_inputs)
    return outputs_changed(model, Tensor.float)


def inject(experiment: Experiment) -> Experiment:
    """Keep the weights in bfloat16, and move them little."""
    slow = with_rate(experiment, experiment.optimizer.lr / SLOWER)
    return with_model(replace(slow, schedule=Constant(), precision="fp32"), in_bfloat16)


FAULT = Fault(
    name="bf16-weights",
    number=70,
    line="model = model.to(torch.bfloat16)   # autocast('cuda', dtype=torch.bfloat16)",
    symptom="the loss falls slowly and stops early",
    why="updates are smaller than the spacing of bfloat16 around most weights, and round to nothing",
    causes=("update-lost-to-rounding",),
    inject=inject,
)
