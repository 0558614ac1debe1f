"""Rows of the training set stand in the validation set: duplicates were left in, or the split was drawn twice.

Sampling each split by itself from one table does it, and so does augmenting before splitting. Validation is then in
part a test of memory: it looks better than it is, and most of all where the model overfits.
"""

from __future__ import annotations

import torch

from loopwright.core.experiment import Experiment
from loopwright.faults.fault import Fault
from loopwright.faults.seams import Splits, has_splits, splits_of, with_splits


def overlapping(splits: Splits) -> Splits:
    """Half of the validation rows replaced by rows of training."""
    train, val = splits["train"], splits["val"]
    generator = torch.Generator().manual_seed(7)
    # Both drawn at random: rows of a class often stand together or in turn.
    taken, places = (torch.randperm(len(next(iter(part.values()))), generator=generator) for part in (train, val))
    count = min(len(taken), len(places) // 2)
    mixed = {name: tensor.index_copy(0, places[:count], train[name][taken[:count]]) for name, tensor in val.items()}
    return {**splits, "val": mixed}


def inject(experiment: Experiment) -> Experiment:
    """Validate on what was trained on, in part."""
    return with_splits(experiment, overlapping)


def rows_fit(experiment: Experiment) -> bool:
    """Whether there are at least two validation rows, and training rows have their shapes."""
    if not has_splits(experiment) or experiment.task.data.size("val") < 2:
        return False
    train, val = splits_of(experiment)["train"], splits_of(experiment)["val"]
    return all(tensor.shape[1:] == train[name].shape[1:] for name, tensor in val.items())


FAULT = Fault(
    name="split-overlap",
    number=7,
    line="val = table.sample(frac=0.15)   (and the training rows are not what is left)",
    symptom="validation is nearly as good as training, also where the model overfits; a later test is worse",
    why="the model is asked for what it has learned by heart, so validation says little about new samples",
    causes=("split-overlap",),
    inject=inject,
    applies=rows_fit,
)
