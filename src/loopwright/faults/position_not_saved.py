"""A resumed run begins its epoch from the front: which batch was next is in no checkpoint.

The first samples are seen once more and the last ones never, in each interrupted epoch. With many interruptions a part
of the data is hardly trained on at all. The curve shows nothing, but no resumed run is the one it continues.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from loopwright.core.experiment import Experiment
from loopwright.faults.fault import Fault
from loopwright.faults.seams import OtherBatches, steps_in_epoch, with_data
from loopwright.protocols import Batch, Plan


def from_the_front(data: Any, plan: Plan, start: int) -> Iterator[Sequence[Batch]]:
    """The batches from the first one on, wherever a run goes on."""
    batches: Iterator[Sequence[Batch]] = data.batches(plan, 0)
    return batches


def inject(experiment: Experiment) -> Experiment:
    """Forget the position in the data when a run is resumed."""
    return with_data(experiment, lambda data: OtherBatches(data, of_batches=from_the_front))


def has_positions(experiment: Experiment) -> bool:
    """Whether an epoch has more than one batch."""
    return steps_in_epoch(experiment) > 1


FAULT = Fault(
    name="position-not-saved",
    number=81,
    line="for batch in loader: …   (behind load_checkpoint, in the middle of an epoch)",
    symptom="none; a resumed run differs from one that was never stopped",
    why="samples at the front are seen twice, and those behind are skipped",
    causes=("position-not-saved",),
    inject=inject,
    applies=has_positions,
)
