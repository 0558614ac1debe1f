"""A few rows are NaN: each row was divided by its own deviation, and some rows have none.

One such row is enough. It makes the loss of its batch NaN, the loss makes all gradients NaN, and after one update all
weights are. Everything before looks healthy, and the step at which it happens depends on the order of the samples.
"""

from __future__ import annotations

import torch
from torch import Tensor

from loopwright.core.experiment import Experiment
from loopwright.faults.fault import Fault
from loopwright.faults.seams import input_name, with_tensor
from loopwright.faults.unscaled_input import has_float_input

SHARE = 0.01


def broken(inputs: Tensor) -> Tensor:
    """One row in a hundred, at least one, is NaN."""
    generator = torch.Generator().manual_seed(11)
    rows = torch.randperm(len(inputs), generator=generator)[: max(1, int(SHARE * len(inputs)))]
    return inputs.index_fill(0, rows, float("nan"))


def inject(experiment: Experiment) -> Experiment:
    """Break some of the training rows."""
    return with_tensor(experiment, input_name(experiment), broken, among=("train",))


FAULT = Fault(
    name="broken-rows",
    number=11,
    line="x = (x - x.mean(1, keepdim=True)) / x.std(1, keepdim=True)   (some rows are constant)",
    symptom="a healthy curve that ends in NaN, early in the first epoch",
    why="a NaN in one row reaches the loss, from there every gradient, and with the next update every weight",
    causes=("non-finite-input", "non-finite"),
    inject=inject,
    applies=has_float_input,
)
