"""A `break` from debugging was left in the loop, behind the second batch.

Each epoch ends after two batches, and they are the same ones each time. The model learns them by heart. The training
loss falls faster than ever, epochs are pleasantly short, and validation does not follow.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import count, islice
from typing import Any

from loopwright.core.experiment import Experiment
from loopwright.faults.fault import Fault
from loopwright.faults.seams import OtherBatches, steps_in_epoch, with_data
from loopwright.protocols import Batch, Plan

SEEN = 2
"""The batches before the break."""


def the_first(data: Any, plan: Plan, start: int) -> Iterator[Sequence[Batch]]:
    """The first batches of epoch 0, in turn."""
    kept = list(islice(data.batches(plan, 0), SEEN))
    return (kept[step % SEEN] for step in count(start))


def inject(experiment: Experiment) -> Experiment:
    """Never get further than the first batches."""
    return with_data(experiment, lambda data: OtherBatches(data, of_batches=the_first))


def has_more(experiment: Experiment) -> bool:
    """Whether an epoch has more batches than those."""
    return steps_in_epoch(experiment) > SEEN


FAULT = Fault(
    name="partial-epoch",
    number=13,
    line="if number == 1: break",
    symptom="the training loss falls very fast; validation levels off early, or gets worse",
    why="the model is trained on a few samples, again and again, and learns them by heart",
    causes=("partial-epoch", "same-order"),
    inject=inject,
    applies=has_more,
)
