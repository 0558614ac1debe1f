"""`scheduler.step()` is called for each batch, and its length was given in epochs; or ten times, once per worker.

The rate is down at zero when a tenth of the training is over. Until then all is well. The curve then goes flat as if
everything had been learned, and the rest of the run is spent for nothing.
"""

from __future__ import annotations

from dataclasses import replace

from loopwright.core.experiment import Experiment
from loopwright.core.schedules import Cosine
from loopwright.faults.fault import Fault
from loopwright.faults.seams import OtherSchedule

FASTER = 10


def hurried(step: int, total: int) -> int:
    """The place in the schedule, ten times as far as it should be, and then the last."""
    return min(total - 1, step * FASTER)


def inject(experiment: Experiment) -> Experiment:
    """Run through the schedule in a tenth of the time."""
    return replace(experiment, schedule=OtherSchedule(Cosine(), hurried))  # type: ignore[arg-type]


FAULT = Fault(
    name="schedule-too-fast",
    number=53,
    line="scheduler = CosineAnnealingLR(optimizer, T_max=epochs); for batch in loader: …; scheduler.step()",
    symptom="the loss falls as usual for a tenth of the run and is flat from there on",
    why="the rate is at zero long before the training is over",
    causes=("schedule-too-fast",),
    inject=inject,
    since=lambda experiment: -(-experiment.cadence().total // FASTER),
)
