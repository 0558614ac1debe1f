"""A learning rate of another optimizer, or of another age: 1.0 for Adam. The warm-up is gone, too.

Each update is as large as the weights, or larger. What one step learns the next one overwrites. The loss jumps up at
once, comes back, and stays where guessing is; often units have died on the way.
"""

from __future__ import annotations

from dataclasses import replace

from loopwright.core.experiment import Experiment
from loopwright.core.optimizers import SGD
from loopwright.core.schedules import Constant
from loopwright.faults.fault import Fault
from loopwright.faults.seams import depth, with_rate


def too_large(experiment: Experiment) -> float:
    """A rate at which training fails."""
    if isinstance(experiment.optimizer, SGD):
        return 30.0
    # A single layer forgives nearly any rate of Adam's: there is nothing behind it that a large weight could ruin.
    return 1.0 if depth(experiment) > 1 else 100.0


def inject(experiment: Experiment) -> Experiment:
    """Train at a rate that is far too large, from the first step on."""
    return replace(with_rate(experiment, too_large(experiment)), schedule=Constant())


FAULT = Fault(
    name="lr-too-large",
    number=47,
    line="optimizer = Adam(model.parameters(), lr=1.0)",
    symptom="the loss jumps up in the first steps and never gets below that of guessing",
    why="each update is as large as the weights themselves and overwrites what was learned",
    causes=("lr-too-large", "non-finite", "exploding-gradients", "dead-units"),
    inject=inject,
)
