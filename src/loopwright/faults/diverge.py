"""Divergence on demand: SGD at a rate of 1e5, without clipping and without warm-up.

Each step lands further away than the one before, where the gradient is larger. The loss grows without bound and is no
number after a handful of steps. A smaller rate will not do everywhere: it kills all units first, and then the loss
rests.
"""

from __future__ import annotations

from dataclasses import replace

from loopwright.core.experiment import Experiment
from loopwright.core.optimizers import SGD
from loopwright.core.schedules import Constant
from loopwright.faults.fault import Fault

RATE = 1e5


def inject(experiment: Experiment) -> Experiment:
    """Make every step lead further away."""
    return replace(experiment, optimizer=SGD(lr=RATE, momentum=0.0), schedule=Constant(), clip_norm=0.0)


FAULT = Fault(
    name="diverge",
    number=47,
    line="optimizer = SGD(model.parameters(), lr=1e5)",
    symptom="the loss grows by orders of magnitude in each step, until it is no number",
    why="steps beyond the curvature of the loss lead to places with larger gradients, and so to larger steps",
    causes=("lr-too-large", "exploding-gradients", "non-finite"),
    inject=inject,
)
