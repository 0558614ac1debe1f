"""Training and validation inputs go through two transforms that were meant to be one, and no longer are.

There are two lists of transforms in the file, somebody changed the mean and deviation in one of them. Training is as it
always was. Validation shows the model a kind of input that it never saw, and looks like bad luck with generalization.
"""

from __future__ import annotations

from torch import Tensor

from loopwright.core.experiment import Experiment
from loopwright.faults.fault import Fault
from loopwright.faults.seams import input_name, with_tensor
from loopwright.faults.unscaled_input import has_float_input


def otherwise(inputs: Tensor) -> Tensor:
    """Inputs as another mean and deviation would have them."""
    return inputs * 0.3 + 0.9


def inject(experiment: Experiment) -> Experiment:
    """Preprocess validation and test inputs in another way."""
    return with_tensor(experiment, input_name(experiment), otherwise, among=("val", "test"))


FAULT = Fault(
    name="split-preprocessing",
    number=6,
    line="val_transform = Normalize(other_mean, other_std)",
    symptom="training as usual; validation is far worse from the first evaluation on",
    why="the model is evaluated on inputs of a mean and a spread that it was never trained on",
    causes=("split-preprocessing",),
    inject=inject,
    applies=has_float_input,
)
