"""Each input has its neighbor's label: one list was read with its header line, the other without it.

Everything has the right shape, type and frequency, and every pair is off by one. It trains like random labels, but for
data that lie in an order: there neighbors are alike, and the model learns most of what it should, and never the rest.
"""

from __future__ import annotations

from torch import Tensor

from loopwright.core.experiment import Experiment
from loopwright.faults.fault import Fault
from loopwright.faults.seams import is_classification, target_name, with_tensor


def of_the_neighbor(targets: Tensor) -> Tensor:
    """Targets moved by one row."""
    return targets.roll(1, 0)


def inject(experiment: Experiment) -> Experiment:
    """Move the training targets by one row."""
    name = "label" if is_classification(experiment) else target_name(experiment)
    return with_tensor(experiment, name, of_the_neighbor, among=("train",))


def has_one_target(experiment: Experiment) -> bool:
    """Whether each sample is one input and one target."""
    return is_classification(experiment) or target_name(experiment) != ""


FAULT = Fault(
    name="shifted-labels",
    number=16,
    line="labels = read(label_file)[:-1]   (the header is still in it)",
    symptom="training falls to the loss of guessing, below it by memorizing alone; validation is at chance or worse",
    why="each input is paired with the target of the sample before it",
    causes=("shifted-labels", "random-labels"),
    inject=inject,
    applies=has_one_target,
)
