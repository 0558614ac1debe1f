"""The augmentation of training is in the validation set too: both are made from one data set class.

Each time a validation sample is fetched it is another one. The curve of validation is noisier and a little worse than
it should be, the best checkpoint is the one that was lucky, and no number can be had a second time.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import torch

from loopwright.core.experiment import Experiment
from loopwright.faults.fault import Fault
from loopwright.faults.seams import OtherBatches, input_name, with_data
from loopwright.faults.unscaled_input import has_float_input
from loopwright.protocols import Batch, Split

SIZE = 0.3


def inject(experiment: Experiment) -> Experiment:
    """Add fresh noise to each validation sample that is fetched."""
    name = input_name(experiment)

    def scan(data: Any, split: Split, batch_size: int) -> Iterator[Batch]:
        for batch in data.scan(split, batch_size):
            if split != "val":
                yield batch
                continue
            # From the global generator: nobody has thought of giving validation one of its own.
            noisy = batch[name] + SIZE * torch.randn_like(batch[name])
            yield replace(batch, tensors={**batch.tensors, name: noisy})

    return with_data(experiment, lambda data: OtherBatches(data, of_scan=scan))


FAULT = Fault(
    name="random-validation",
    number=12,
    line="val_set = Images(val_files, transform=train_transform)",
    symptom="training as usual; validation wobbles and is somewhat worse",
    why="validation measures the noise besides the model, and picks the checkpoint that had luck with it",
    causes=("random-validation", "random-evaluation"),
    inject=inject,
    applies=has_float_input,
)
