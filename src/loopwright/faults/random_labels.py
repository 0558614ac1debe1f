"""Inputs and labels were shuffled apart: `random.shuffle(labels)` without the same for the inputs.

Sorting one list of files and not the other does it as well. There is nothing left that could be learned, only rows to
be learned by heart. So a large model still brings the training loss down, and validation stays at chance or below it.
"""

from __future__ import annotations

import torch

from loopwright.core.experiment import Experiment
from loopwright.faults.fault import Fault
from loopwright.faults.seams import Splits, is_classification, is_sequences, splits_of, target_name, with_splits
from loopwright.tasks.regular.scores import ASKED


def targets(experiment: Experiment) -> list[str]:
    """The names of the tensors that hold what a model is asked for."""
    if is_classification(experiment):
        return ["label"]
    if is_sequences(experiment):
        return [name for name in ASKED if name in splits_of(experiment)["train"]]
    return [name for name in [target_name(experiment)] if name]


def inject(experiment: Experiment) -> Experiment:
    """Deal the training targets out anew."""
    names = targets(experiment)

    def dealt(splits: Splits) -> Splits:
        train = splits["train"]
        order = torch.randperm(len(train[names[0]]), generator=torch.Generator().manual_seed(15))
        return {**splits, "train": {**train, **{name: train[name][order] for name in names}}}

    return with_splits(experiment, dealt)


def has_targets(experiment: Experiment) -> bool:
    """Whether it is known which tensors are targets."""
    return bool(targets(experiment))


FAULT = Fault(
    name="random-labels",
    number=15,
    line="random.shuffle(labels)",
    symptom="training falls to the loss of guessing, and below it by memorizing alone; validation stays at chance",
    why="the targets have nothing to do with the inputs they are paired with",
    causes=("random-labels",),
    inject=inject,
    applies=has_targets,
)
