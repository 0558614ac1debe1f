"""A learning rate of 1e-8: an exponent mistyped, or a sweep that went down too far.

Everything is right, and nothing moves. The loss falls in the sixth digit, if at all. Who expects slow training may wait
for a long time.
"""

from __future__ import annotations

from dataclasses import replace

from loopwright.core.experiment import Experiment
from loopwright.core.schedules import Constant
from loopwright.faults.fault import Fault
from loopwright.faults.seams import with_rate

RATE = 1e-8


def inject(experiment: Experiment) -> Experiment:
    """Train at a rate that moves nothing."""
    return replace(with_rate(experiment, RATE), schedule=Constant())


FAULT = Fault(
    name="lr-too-small",
    number=48,
    line="optimizer = AdamW(model.parameters(), lr=1e-8)",
    symptom="the loss stays at its first value; gradients look healthy",
    why="the updates are so small that the weights hardly change within the run",
    causes=("lr-too-small",),
    inject=inject,
)
