"""The training samples lie sorted by class, and nobody shuffles them: `DataLoader(train_set, batch_size=64)`.

Folders of images come like this, one class after the other, and shuffling is off unless it is asked for. Each batch
then holds one class, and the quickest way down is to answer with that class whatever the input. So the training loss
looks good between two jumps, and validation sees a model that knows the last classes best.
"""

from __future__ import annotations

from dataclasses import replace

from loopwright.core.experiment import Experiment
from loopwright.faults.fault import Fault
from loopwright.faults.seams import Splits, is_classification, steps_in_epoch, with_splits


def by_label(splits: Splits) -> Splits:
    """The training split, one class after the other."""
    train = splits["train"]
    rows = train["label"].argsort(stable=True)
    return {**splits, "train": {name: tensor[rows] for name, tensor in train.items()}}


def inject(experiment: Experiment) -> Experiment:
    """Sort by class and keep the order."""
    return replace(with_splits(experiment, by_label), shuffle=False)


def has_an_order(experiment: Experiment) -> bool:
    """Whether there are classes to sort by, and batches to tell them apart: one batch alone holds all of them."""
    return is_classification(experiment) and steps_in_epoch(experiment) > 1


FAULT = Fault(
    name="no-shuffle",
    number=1,
    line="DataLoader(train_set, batch_size=64)",
    symptom="the training loss falls within a class and jumps at the next one; validation swings and stays far behind",
    why="each batch holds one class, so each update teaches to answer with that class",
    causes=("no-shuffle",),
    inject=inject,
    applies=has_an_order,
)
