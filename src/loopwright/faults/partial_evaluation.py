"""A `break` behind the first batch of the validation, from a day on which it was to be quick.

The metrics are those of twenty samples. They jump about, come in steps of a twentieth, and where sums are divided by
the size of the whole split the loss looks far too good. Which checkpoint is the best is decided by these few.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Any

from loopwright.core.experiment import Experiment
from loopwright.faults.fault import Fault
from loopwright.faults.seams import OtherBatches, is_sequences, with_data
from loopwright.protocols import Batch, Split

SEEN = 20
"""The samples before the break."""


def the_first(data: Any, split: Split, size: int) -> Iterator[Batch]:
    """A small batch, and no other."""
    return islice(data.scan(split, SEEN), 1)


def inject(experiment: Experiment) -> Experiment:
    """Evaluate on the first samples alone."""
    return with_data(experiment, lambda data: OtherBatches(data, of_scan=the_first))


def scans_more(experiment: Experiment) -> bool:
    """Whether an evaluation scans its split, which tasks of sequences do not, and has more than those samples."""
    return not is_sequences(experiment) and experiment.task.data.size("val") > SEEN


FAULT = Fault(
    name="partial-evaluation",
    number=73,
    line="for x, y in val_loader: …; break",
    symptom="training as usual; validation jumps about, and may look better than it is",
    why="a few samples, the same each time, stand for the whole split",
    causes=("partial-evaluation",),
    inject=inject,
    applies=scans_more,
)
