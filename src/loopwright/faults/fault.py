"""What a fault is: a mistake people make, injected into an experiment at one of its seams."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from loopwright.core.experiment import Experiment
from loopwright.doctor.causes import CAUSES
from loopwright.errors import UsageError

Inject = Callable[[Experiment], Experiment]
Applies = Callable[[Experiment], bool]
Since = Callable[[Experiment], int]


def anywhere(experiment: Experiment) -> bool:
    """The fault can be made in any experiment."""
    return True


def from_the_start(experiment: Experiment) -> int:
    """The fault is at work from the first step on."""
    return 1


@dataclass(frozen=True)
class Fault:
    """A fault of the catalogue.

    `line`: the mistake as it stands in a program, in one line. `symptom`: what is to be expected of the curves. `why`:
    why it breaks training. `causes`: the diagnoses that are right, the best one first. `inject` gives an experiment
    with the fault in it; `applies` says whether it can be made there, `since` the step at which it is at work first,
    before which nobody could see it. `number` is that of the catalogue of faults.
    """

    name: str
    number: int
    line: str
    symptom: str
    why: str
    causes: tuple[str, ...]
    inject: Inject
    applies: Applies = anywhere
    since: Since = from_the_start

    def __post_init__(self) -> None:
        unknown = [cause for cause in self.causes if cause not in CAUSES]
        if unknown or not self.causes:
            raise UsageError(f"fault {self.name}: {unknown or 'no cause'} is not among the doctor's causes")
