"""`betas=(0.9, 0.0)`: only the first one was meant to be set, and the second was filled in with a zero.

Without an average of squares Adam divides each momentum by the size of the last gradient alone. Where that happens to
be small the update is huge. The loss is noisy, and large steps come out of nowhere.
"""

from __future__ import annotations

from dataclasses import replace

from loopwright.core.experiment import Experiment
from loopwright.core.optimizers import Adam, AdamW
from loopwright.faults.fault import Fault

BETAS = (0.9, 0.0)


def is_adam(experiment: Experiment) -> bool:
    """Whether the optimizer is Adam, with whichever decay."""
    return isinstance(experiment.optimizer, AdamW | Adam)


def inject(experiment: Experiment) -> Experiment:
    """Take the average of squares away."""
    optimizer = experiment.optimizer
    assert isinstance(optimizer, AdamW | Adam)
    return replace(experiment, optimizer=replace(optimizer, betas=BETAS))


FAULT = Fault(
    name="wrong-betas",
    number=56,
    line="optimizer = AdamW(model.parameters(), betas=(0.9, 0.0))",
    symptom="the loss jumps about and ends higher, or never comes down",
    why="updates are divided by the size of one gradient instead of by the usual size",
    causes=("optimizer-settings",),
    inject=inject,
    applies=is_adam,
)
