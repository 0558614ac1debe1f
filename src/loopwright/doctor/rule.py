"""What a rule is: a function that looks at what is known of a program and yields findings, at one of three moments."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

from loopwright.doctor.eyes import Scene
from loopwright.doctor.finding import Finding
from loopwright.doctor.program import Program
from loopwright.doctor.records import Call, Phase, Step

Moment = Literal["call", "step", "phase", "end"]
MOMENTS: tuple[Moment, ...] = ("call", "step", "phase", "end")


@dataclass(frozen=True, eq=False)
class View:
    """What a rule may look at: everything known, and the step, phase or call that has just been seen."""

    program: Program
    scene: Scene
    step: Step | None = None
    phase: Phase | None = None
    call: Call | None = None


Look = Callable[[View], Iterator[Finding]]


@dataclass(frozen=True)
class Rule:
    """`causes` that `look` can name, the `moment` it is asked, what it `needs` to have seen (a name of NEEDS), and
    whether it `probes`: calls the program's model once more."""

    look: Look
    moment: Moment
    causes: tuple[str, ...]
    needs: str
    probes: bool = False


NEEDS: dict[str, tuple[str, Callable[[Program], bool]]] = {
    "steps": ("no optimizer made a step", lambda program: program.count > 0),
    "20 steps": ("fewer than 20 steps", lambda program: program.count >= 20),
    "losses": ("none of torch's loss functions was called", lambda program: program.notes.losses),
    "phases": ("no validation was seen", lambda program: bool(program.phases)),
    "tokens": ("no model of tokens with a target for each was seen", lambda program: program.notes.tokens),
    "masks": ("no model was given tokens with an attention mask and labels", lambda program: program.notes.masks),
    "batches": ("no model was called on a batch that could be tested", lambda program: program.notes.batches),
    "schedules": ("no scheduler was stepped", lambda program: bool(program.schedules)),
    "clips": ("no gradient was clipped", lambda program: program.notes.clips),
    "scaler": ("no GradScaler was used", lambda program: program.scalers),
    "orders": ("no permutation was drawn", lambda program: len(program.orders) > 1),
    "loads": ("no weights were loaded", lambda program: bool(program.loads)),
    "datasets": ("no loaders of two sets of tensors were seen", lambda program: program.notes.datasets),
    "modules": ("no module's forward pass was seen", lambda program: program.calls > 0),
}

RULES: list[Rule] = []


def rule(moment: Moment, *causes: str, needs: str = "steps", probes: bool = False) -> Callable[[Look], Look]:
    """Make a rule of the function below."""

    def register(look: Look) -> Look:
        RULES.append(Rule(look, moment, causes, needs, probes))
        return look

    return register
