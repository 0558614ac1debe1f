"""A seed is set inside the epoch loop, for the sake of reproducibility: `torch.manual_seed(0)` at the top.

The shuffle and the augmentation begin at the same place again, so each epoch is the first one, sample by sample.
Nothing breaks. The samples that met in a batch meet there forever, and augmentation adds nothing after the first epoch.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any

from loopwright.core.experiment import Experiment
from loopwright.faults.fault import Fault
from loopwright.faults.seams import OtherBatches, steps_in_epoch, with_data
from loopwright.protocols import Batch, Plan


def first_epoch_again(data: Any, plan: Plan, start: int) -> Iterator[Sequence[Batch]]:
    """The batches of epoch 0, again and again."""
    steps = plan.steps_per_epoch(data.size("train"))
    first = start % steps
    while True:
        yield from islice(data.batches(plan, 0), first, steps)
        first = 0


def inject(experiment: Experiment) -> Experiment:
    """Let every epoch be the first."""
    return with_data(experiment, lambda data: OtherBatches(data, of_batches=first_epoch_again))


def is_shuffled(experiment: Experiment) -> bool:
    """Whether there is an order to be new in each epoch: of one batch alone there is none."""
    return experiment.shuffle and steps_in_epoch(experiment) > 1


FAULT = Fault(
    name="same-order",
    number=2,
    line="torch.manual_seed(0)   (inside the epoch loop)",
    symptom="curves as usual with a pattern that repeats in each epoch; validation a little worse",
    why="each epoch repeats the batches and the augmentation of the first, so there is less to learn from",
    causes=("same-order",),
    inject=inject,
    applies=is_shuffled,
)
