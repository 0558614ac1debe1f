"""The loss counts every position, padding too: `ignore_index` was forgotten, or names another id.

To predict padding after padding is easy, and in long batches of short sequences most positions are padding. The
training loss looks better than it is, and the gradient goes into what nobody needs. Validation, which counts right,
lags behind.
"""

from __future__ import annotations

import torch

from loopwright.core.experiment import Experiment
from loopwright.faults.fault import Fault
from loopwright.faults.seams import is_sequences, splits_of, with_tensor


def inject(experiment: Experiment) -> Experiment:
    """Count each position of the training sequences; what the loss is divided by counts them as well."""
    return with_tensor(experiment, "loss_mask", torch.ones_like, among=("train",))


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
    symptom="the training loss is lower than usual and depends on how much padding a batch has; validation lags behind",
    why="positions without a token are trained on as if they had one, and share in the mean",
    causes=("padding-in-loss",),
    inject=inject,
    applies=has_loss_mask,
)
