"""`x.view(features, batch)` where a permute was meant: the numbers are dealt out anew, over all samples of the batch.

The shape is right, so nothing complains. What the model gets as one sample is put together from several. With each
batch the mixture is another one, and labels have little to do with what they stand beside.
"""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn

from loopwright.core.experiment import Experiment
from loopwright.faults.fault import Fault
from loopwright.faults.seams import input_name, splits_of, with_model


def mixed(x: Tensor) -> Tensor:
    """The numbers of a batch (B, *) in another order, across its samples."""
    return x.reshape(-1, len(x)).t().reshape(x.shape)


def mix_first(module: nn.Module, given: tuple[Any, ...]) -> tuple[Any, ...]:
    """What a model is given, mixed."""
    return (mixed(given[0]), *given[1:])


def mixing(model: nn.Module) -> nn.Module:
    """The model with its input mixed."""
    model.register_forward_pre_hook(mix_first)
    return model


def inject(experiment: Experiment) -> Experiment:
    """Mix the samples of a batch."""
    return with_model(experiment, mixing)


def has_several_numbers(experiment: Experiment) -> bool:
    """Whether a sample is more than one number; of single ones a view changes nothing."""
    name = input_name(experiment)
    return name != "" and splits_of(experiment)["train"][name][0].numel() > 1


FAULT = Fault(
    name="batch-mixing",
    number=62,
    line="x = x.view(features, batch).t()   # x.permute(1, 0)",
    symptom="the loss falls little or not at all; validation depends on the size of its batches",
    why="each sample that the model sees is made of numbers of several",
    causes=("batch-mixing",),
    inject=inject,
    applies=has_several_numbers,
)
