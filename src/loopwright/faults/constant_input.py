"""The loader hands out a buffer that nothing was written into: each sample is all zeros.

A failed read that returns an empty image does it, or an array that is allocated and filled after it was copied. The
model still learns how frequent the classes are from its biases, so the loss falls a little, to that of guessing, and
rests.
"""

from __future__ import annotations

from dataclasses import replace

import torch

from loopwright.core.experiment import Experiment
from loopwright.data.tensors import TensorData
from loopwright.faults.fault import Fault
from loopwright.faults.seams import input_name, with_data
from loopwright.faults.unscaled_input import has_float_input


def inject(experiment: Experiment) -> Experiment:
    """Give the model zeros."""
    name = input_name(experiment)

    def emptied(data: TensorData) -> TensorData:
        splits = {split: {**tensors, name: torch.zeros_like(tensors[name])} for split, tensors in data.splits.items()}
        # Without augmentation, which would make something of nothing where it brings in a background.
        return replace(data, splits=splits, augment=None)

    return with_data(experiment, emptied)


FAULT = Fault(
    name="constant-input",
    number=10,
    line="image = np.zeros(shape)   # decode(file, out=image)",
    symptom="the loss falls to that of guessing and stays there, in training and in validation",
    why="every sample looks the same, so the frequencies of the answers are all there is to learn",
    causes=("constant-input",),
    inject=inject,
    applies=has_float_input,
)
