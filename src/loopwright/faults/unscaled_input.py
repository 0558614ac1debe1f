"""Pixels go into the model as they come from the file, 0 to 255: the division was forgotten in every split.

Layers are initialized for inputs near one. Inputs a hundred times larger make the first outputs and gradients as large,
and the loss begins far above that of guessing. Often it still comes down, later and to a worse place than it should.
"""

from __future__ import annotations

from torch import Tensor

from loopwright.core.experiment import Experiment
from loopwright.faults.fault import Fault
from loopwright.faults.seams import input_name, with_tensor


def as_bytes(inputs: Tensor) -> Tensor:
    """Inputs in [-1, 1] on the scale of bytes, 0 to 255."""
    return (inputs + 1) * 127.5


def inject(experiment: Experiment) -> Experiment:
    """Leave the input of every split on the scale of bytes."""
    return with_tensor(experiment, input_name(experiment), as_bytes)


def has_float_input(experiment: Experiment) -> bool:
    """Whether the model's input has a scale at all."""
    return input_name(experiment) != ""


FAULT = Fault(
    name="unscaled-input",
    number=4,
    line="image = torch.from_numpy(pixels).float()   # / 255",
    symptom="the first loss is far above that of guessing; it falls late, and seldom as far",
    why="the weights are initialized for inputs near one: outputs and gradients are a hundred times too large",
    causes=("unscaled-input",),
    inject=inject,
    applies=has_float_input,
)
