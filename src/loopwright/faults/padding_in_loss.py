"""The loss counts every position, padding too: `ignore_index` was forgotten, or names another id.

Padding after padding is easy to predict, and where all sequences are filled up to one width there is much of it. The
training loss looks better than it is, and the gradient goes into what nobody needs. Validation, which counts right,
lags behind.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import torch

from loopwright.core.experiment import Experiment
from loopwright.data.tensors import TensorData
from loopwright.faults.fault import Fault
from loopwright.faults.seams import OtherBatches, is_sequences, splits_of, with_data
from loopwright.protocols import Batch, Plan


def of_one_width(data: Any, plan: Plan, start: int) -> Iterator[Sequence[Batch]]:
    """Batches of sequences of any lengths, as wide as the longest there is, which count at each position. What the loss
    is divided by counts them as well."""
    train = data.splits["train"]
    whole = {**train, "loss_mask": torch.ones_like(train["loss_mask"])}
    return TensorData({"train": whole}, data.weigh).batches(plan, start)


def inject(experiment: Experiment) -> Experiment:
    """Fill the training sequences up to one width, and count it all."""
    return with_data(experiment, lambda data: OtherBatches(data, of_batches=of_one_width))


def has_loss_mask(experiment: Experiment) -> bool:
    """Whether there are positions that the loss leaves out."""
    if not is_sequences(experiment):
        return False
    train = splits_of(experiment)["train"]
    return "loss_mask" in train and not bool(train["loss_mask"].all())


FAULT = Fault(
    name="padding-in-loss",
    number=23,
    line="loss = cross_entropy(logits.flatten(0, 1), targets.flatten())   # ignore_index=PAD",
    symptom="the training loss is lower than usual and validation lags behind",
    why="positions without a token are trained on as if they had one, and share in the mean",
    causes=("padding-in-loss",),
    inject=inject,
    applies=has_loss_mask,
)
