"""The training set is nearly all of one class: defects, frauds and diseases are rare, and nobody has weighed them.

To answer with the frequent class is right nearly always, so that is what is learned first, and often it is all.
Accuracy in training looks excellent. Where validation holds as many samples of each class it is that of guessing.
"""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor

from loopwright.core.experiment import Experiment
from loopwright.faults.fault import Fault
from loopwright.faults.seams import Splits, is_classification, splits_of, with_splits


def kept(labels: Tensor) -> Tensor:
    """The rows of the most frequent class, and of each other class one in a hundred, at least one."""
    counts = labels.bincount()
    common = int(counts.argmax())
    parts = [(labels == label).nonzero().flatten() for label in range(len(counts))]
    few = [rows if label == common else rows[: max(1, len(rows) // 100)] for label, rows in enumerate(parts)]
    return torch.cat(few).sort().values


def inject(experiment: Experiment) -> Experiment:
    """Leave next to nothing of all classes but one."""
    rows = kept(splits_of(experiment)["train"]["label"])

    def rare(splits: Splits) -> Splits:
        return {**splits, "train": {name: tensor[rows] for name, tensor in splits["train"].items()}}

    # A batch must fit into what is left.
    return replace(with_splits(experiment, rare), batch_size=min(experiment.batch_size, len(rows)))


FAULT = Fault(
    name="class-imbalance",
    number=14,
    line="CrossEntropyLoss()   (without weight=, and 99 of 100 samples are of one class)",
    symptom="training accuracy is near 1 from the start; validation predicts one class for everything",
    why="the gradients of the frequent class outweigh all others, and answering with it is nearly always right",
    causes=("class-imbalance", "constant-prediction"),
    inject=inject,
    applies=is_classification,
)
