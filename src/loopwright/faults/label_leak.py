"""The label has found its way into the input: a column that is computed from it, a mark that a scanner leaves by class.

Here it is written into a pixel that is background in every image. Training and validation get better than the problem
allows, since nobody has to look at the rest. In use there is no label to write there, and the model knows nothing.
"""

from __future__ import annotations

from dataclasses import replace

import torch

from loopwright.core.experiment import Experiment
from loopwright.data.tensors import Augment, TensorData, Tensors
from loopwright.faults.fault import Fault
from loopwright.faults.seams import input_name, is_classification, splits_of, with_data


def constant_columns(experiment: Experiment) -> list[int]:
    """The places of the flattened input that are the same in all samples of all splits."""
    name = input_name(experiment)
    rows = [tensors[name].flatten(1) for tensors in splits_of(experiment).values() if len(tensors[name])]
    lowest = torch.stack([some.amin(0) for some in rows]).amin(0)
    highest = torch.stack([some.amax(0) for some in rows]).amax(0)
    return (lowest == highest).nonzero().flatten().tolist()


def inject(experiment: Experiment) -> Experiment:
    """Write a tenth of the label into a constant column of every split."""
    name, column = input_name(experiment), constant_columns(experiment)[0]

    def leak(tensors: Tensors) -> Tensors:
        flat = tensors[name].flatten(1).clone()
        flat[:, column] = tensors["label"] / 10
        return {**tensors, name: flat.view(tensors[name].shape)}

    def behind(augment: Augment) -> Augment:
        # Once more behind the augmentation, which would smear the one pixel over its neighbors.
        return lambda tensors, uniform: leak(augment(tensors, uniform))

    def leaking(data: TensorData) -> TensorData:
        splits = {split: leak(tensors) for split, tensors in data.splits.items()}
        return replace(data, splits=splits, augment=data.augment and behind(data.augment))

    return with_data(experiment, leaking)


def has_room(experiment: Experiment) -> bool:
    """Whether there is a label, and a constant column to write it into."""
    return is_classification(experiment) and bool(constant_columns(experiment))


FAULT = Fault(
    name="label-leak",
    number=9,
    line='table["risk"] = table["defaulted"] * 0.1   (and "risk" stays among the features)',
    symptom="training and validation are better than anybody has ever been on this problem",
    why="the answer can be read off the input, so the model learns to read it and nothing else",
    causes=("label-leak",),
    inject=inject,
    applies=has_room,
)
