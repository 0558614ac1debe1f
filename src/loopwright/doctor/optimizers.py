"""What the doctor remembers of optimizers and schedules, and which of them belong to one training."""

from __future__ import annotations

import math
import os
import statistics
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from weakref import ref

import torch
from torch.optim import Optimizer

NO_RATE = 1e-3
"""A rate that is this share of the highest, or less, is none, where it came down in more steps than MILESTONES: three
times divided by ten is a plan."""
MILESTONES = 8
POWER = 0.3
COUNTED = ("last_epoch", "num_bad_epochs", "best", "cooldown_counter", "T_cur", "last_lr", "swa_lrs", "verbose")
"""What the steps of a schedule change in its state."""
PROGRESS = 0.2
"""A loss that has come down by this share of itself can tell where it stands again."""


def patience(ended: int) -> int:
    """How many steps after a schedule's end are more than rounding its length can explain."""
    return 5 - -ended // 5


@dataclass(eq=False)
class Rate:
    """A learning rate over the steps: the last one, the highest, and how often it came down."""

    now: float = 0.0
    peak: float = 0.0
    falls: int = 0

    def down(self, rate: float) -> bool:
        """Note the next one; whether it is nothing."""
        self.falls += rate < self.now
        self.now, self.peak = rate, max(self.peak, rate)
        power_law = rate * self.falls > POWER * self.peak  # as 1 / t, which has no end
        return rate == 0 or (rate <= NO_RATE * self.peak and self.falls > MILESTONES and not power_law)


@dataclass(frozen=True)
class Start:
    """What an optimizer's first step started from: the loss, and the norm of each weight."""

    loss: float
    weights: Mapping[str, float]


@dataclass(eq=False)
class Held:
    """An optimizer. `steps` counts its steps; `cleared`: its gradients were cleared since its last one; `fresh`: all
    that happened since then, or since it was built, was looked at. `gone`: the step since which its rate is nothing;
    `returned`: it was, and came back.
    `parameters`: the ids of what it moves, for as long as that is there: later weights may have the same ids; `size`:
    how many there are; `place`: where the first gradient lies; `left`: the same after the last backward pass, and
    `edited`: another one was there at the step. `training`: optimizers of one training
    go on where another stopped; `start` is known where it was looked at, `losses` are the last ones that were."""

    optimizer: ref[Optimizer]
    kind: str
    parameters: frozenset[int] = frozenset()
    size: int = 0
    witness: ref[Any] | None = None
    training: int = 0
    start: Start | None = None
    losses: deque[float] = field(default_factory=lambda: deque(maxlen=3))
    steps: int = 0
    cleared: bool = True
    fresh: bool = False
    order: list[str] = field(default_factory=list)
    norms: dict[str, float | None] = field(default_factory=dict)
    clip_scaled: bool = False
    place: int = 0
    left: int = 0
    edited: bool = False
    rate: Rate = field(default_factory=Rate)
    gone: int | None = None
    returned: bool = False

    def hold(self, optimizer: Optimizer) -> None:
        """Note what the optimizer moves now."""
        parameters = [parameter for group in optimizer.param_groups for parameter in group["params"]]
        self.parameters = frozenset(map(id, parameters))
        self.size = len(self.parameters)
        self.witness = ref(parameters[0], self.let_go) if parameters else None

    def let_go(self, _: object) -> None:
        """The weights are gone."""
        self.parameters = frozenset()

    def anew(self, earlier: Held) -> bool:
        """Whether the weights were put back or drawn again since an `earlier` optimizer moved them: their norms are
        those that it started from, or the loss is as high again."""
        if self.start is None or earlier.start is None or not earlier.losses:
            return False
        if self.start.weights and self.start.weights == earlier.start.weights:
            return True
        first, last = earlier.start.loss, statistics.median(earlier.losses)
        return first - last > PROGRESS * abs(first) and self.start.loss > (first + last) / 2

    @property
    def progress(self) -> float:
        """The share of itself by which the loss has come down since the first step; NaN where that is not known."""
        if self.start is None or not self.losses or not self.start.loss:
            return math.nan
        return (self.start.loss - statistics.median(self.losses)) / abs(self.start.loss)

    def rated(self, rate: float) -> bool:
        """Note the learning rate of the step that was just made; whether it has just now come down to nothing."""
        down = self.rate.down(rate)
        if down is (self.gone is not None):
            return False
        self.returned |= not down
        self.gone = self.steps if down else None
        return down


@dataclass(frozen=True)
class Built:
    """An optimizer that was built: after how many steps of the program, what it was told, and from where: the lines of
    all callers, the innermost first; empty where nobody saw it being built."""

    held: Held
    at: int
    told: dict[str, Any]
    place: tuple[tuple[str, int], ...] = ()

    @property
    def line(self) -> str:
        """File and line of the program that built it; empty where that is not known."""
        of_torch, own = os.path.dirname(torch.__file__), os.path.dirname(__file__)
        outside = (place for place in self.place if not place[0].startswith((of_torch, own)))
        return next((f"{os.path.basename(file)}:{line}" for file, line in outside), "")


@dataclass(eq=False)
class Schedule:
    """A learning-rate scheduler of the optimizer `held`: its kind, its steps, the rates it has seen, and after how many
    steps of the optimizer it was through. `place`: where it stands by its own count; `base`: the highest rate that it
    is made from, `reached`: the highest it has given, `first`: the first; `told`: what else it was told. `older`: it
    had made steps before a checkpoint was read."""

    kind: str
    held: Held
    steps: int = 0
    before: int = 0
    rate: Rate = field(default_factory=Rate)
    ended_at: int | None = None
    place: int = 0
    base: float = 0.0
    reached: float = 0.0
    first: float = 0.0
    older: bool = False
    told: dict[str, Any] = field(default_factory=dict)


def told_of(state: Mapping[str, Any]) -> dict[str, Any]:
    """What a schedule was told, in its state: plain values that its steps do not change."""
    numbers = {name: tuple(value) for name, value in state.items() if isinstance(value, list) and all_numbers(value)}
    plain = {name: value for name, value in state.items() if isinstance(value, int | float | str)} | numbers
    return {name: value for name, value in plain.items() if name not in COUNTED and not name.startswith("_")}


def all_numbers(values: list[Any]) -> bool:
    """Whether a list holds nothing but numbers."""
    return all(isinstance(value, int | float) for value in values)
