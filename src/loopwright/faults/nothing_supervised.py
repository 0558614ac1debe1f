"""The loss mask covers too much: nearly every target is ignored.

A chat template that no longer matches does it, and everything but the last token counts as prompt. The loss is a
number, and it falls quickly, since the last targets of sequences are alike. The model learns from one token of
thousands, and validation gets worse and worse.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import torch

from loopwright.core.experiment import Experiment
from loopwright.faults.fault import Fault
from loopwright.faults.padding_in_loss import has_loss_mask
from loopwright.faults.seams import OtherBatches, with_data
from loopwright.protocols import Batch, Plan


def starved(data: Any, batch: Batch) -> Batch:
    """A batch that asks for the last target of its first row alone; its weights count no more than that."""
    asked = batch["loss_mask"]
    only = torch.zeros_like(asked)
    only[0, asked[0].nonzero()[-1]] = True
    tensors = {**batch.tensors, "loss_mask": only}
    return replace(batch, tensors=tensors, weights=data.weigh(tensors))


def starving(data: Any, plan: Plan, start: int) -> Iterator[Sequence[Batch]]:
    """The batches, each with next to nothing to learn from."""
    for shards in data.batches(plan, start):
        yield [starved(data, shard) for shard in shards]


def inject(experiment: Experiment) -> Experiment:
    """Mask nearly all targets of each training batch."""
    return with_data(experiment, lambda data: OtherBatches(data, of_batches=starving))


FAULT = Fault(
    name="nothing-supervised",
    number=24,
    line="targets[:, :-1] = -100   (the prompt alone was meant)",
    symptom="the training loss goes to zero fast; validation gets worse and worse",
    why="one target of a whole batch counts, an easy one, and nothing is learned of all others",
    causes=("nothing-supervised",),
    inject=inject,
    applies=has_loss_mask,
)
