"""Learning-rate schedules: frozen hyper-parameters called with the step (from 0) and the number of steps of the whole
run.

What comes back scales the optimizer's peak rate. A `warmup` below 1 is a share of the run's steps, otherwise a number
of steps; the same holds for every other place in a run. During warm-up the factor is (step + 1) / warmup, so that it
is 1 at step warmup - 1 and the decay starts from 1 at step warmup and reaches `floor` at the last step's end. Only
Plateau looks at the metric; its memory is part of the run's State.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass, replace

from loopwright.core.progress import Mode, better
from loopwright.core.setting import setting


@dataclass(frozen=True)
class RateMemory:
    """What a schedule remembers between evaluations: the factor reached, the best value, how many were no better."""

    factor: float = 1.0
    best: float | None = None
    stale: int = 0


class Schedule(ABC):
    """A function of the step. `observe` is for schedules with a memory; the others return what they were given.

    Raises ValueError where a place in the run or a factor is negative or not finite.
    """

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            numbers = value if isinstance(value, tuple) else (value,)
            if not all(0 <= number < math.inf for number in numbers):
                raise ValueError(f"schedule.{name}: received {value}, it must be 0 or more and finite")

    @abstractmethod
    def __call__(self, step: int, total: int) -> float:
        """The factor for `step` in 0 … total - 1."""

    def observe(self, memory: RateMemory, value: float, mode: Mode) -> RateMemory:
        """The memory after an evaluation that gave `value`."""
        return memory


@dataclass(frozen=True)
class Constant(Schedule):
    """The peak rate throughout, after `warmup`."""

    warmup: float = setting(0.0, "steps; below 1 a share of the run")

    def __call__(self, step: int, total: int) -> float:
        """min(1, (step + 1) / warmup)."""
        return ramp(step, place(self.warmup, total))


@dataclass(frozen=True)
class Cosine(Schedule):
    """Warm-up, then half a cosine from 1 to `floor` (Loshchilov and Hutter, ICLR 2017, without restarts)."""

    warmup: float = setting(0.0, "steps; below 1 a share of the run")
    floor: float = setting(0.0, "the smallest factor, at the end")

    def __call__(self, step: int, total: int) -> float:
        """floor + (1 - floor) (1 + cos(pi x)) / 2, x the share of the decay that is done."""
        warmup = place(self.warmup, total)
        if step < warmup:
            return ramp(step, warmup)
        return self.floor + (1 - self.floor) * 0.5 * (1 + math.cos(math.pi * share(step, warmup, total)))


@dataclass(frozen=True)
class Linear(Schedule):
    """Warm-up, then a straight line from 1 to `floor`."""

    warmup: float = setting(0.0, "steps; below 1 a share of the run")
    floor: float = setting(0.0, "the smallest factor, at the end")

    def __call__(self, step: int, total: int) -> float:
        """1 - (1 - floor) x, x the share of the decay that is done."""
        warmup = place(self.warmup, total)
        return ramp(step, warmup) if step < warmup else 1 - (1 - self.floor) * share(step, warmup, total)


@dataclass(frozen=True)
class WarmupStableDecay(Schedule):
    """Warm-up, the peak, then a line to `floor` over the last `decay` of the run (Hu et al., MiniCPM, 2024)."""

    warmup: float = setting(0.0, "steps; below 1 a share of the run")
    decay: float = setting(0.2, "steps; below 1 a share of the run")
    floor: float = setting(0.0, "the smallest factor, at the end")

    def __call__(self, step: int, total: int) -> float:
        """1 until the decay begins, then 1 - (1 - floor) x."""
        warmup, start = place(self.warmup, total), total - place(self.decay, total)
        if step < max(warmup, start):
            return ramp(step, warmup)
        return 1 - (1 - self.floor) * share(step, start, total)


@dataclass(frozen=True)
class Step(Schedule):
    """The rate times `gamma` after every `every` of the run."""

    every: float = setting(0.3, "steps; below 1 a share of the run")
    gamma: float = setting(0.1, "what the rate is multiplied with")
    warmup: float = setting(0.0, "steps; below 1 a share of the run")

    def __call__(self, step: int, total: int) -> float:
        """gamma ** (step // every)."""
        times: int = step // max(1, place(self.every, total))
        return float(ramp(step, place(self.warmup, total)) * self.gamma**times)


@dataclass(frozen=True)
class MultiStep(Schedule):
    """The rate times `gamma` at each of the `milestones`."""

    milestones: tuple[float, ...] = setting((0.5, 0.75), "steps; below 1 a share of the run")
    gamma: float = setting(0.1, "what the rate is multiplied with")
    warmup: float = setting(0.0, "steps; below 1 a share of the run")

    def __call__(self, step: int, total: int) -> float:
        """gamma ** (milestones reached)."""
        reached = sum(step >= place(milestone, total) for milestone in self.milestones)
        return float(ramp(step, place(self.warmup, total)) * self.gamma**reached)


@dataclass(frozen=True)
class Plateau(Schedule):
    """The rate times `factor` when the deciding metric has not improved for more than `patience` evaluations."""

    factor: float = setting(0.1, "what the rate is multiplied with")
    patience: int = setting(5, "evaluations without improvement that are waited for")
    min_delta: float = setting(0.0, "what counts as an improvement")
    floor: float = setting(0.0, "the smallest factor, at the end")
    warmup: float = setting(0.0, "steps; below 1 a share of the run")

    def __call__(self, step: int, total: int) -> float:
        """The warm-up; the reductions are in the memory's factor."""
        return ramp(step, place(self.warmup, total))

    def observe(self, memory: RateMemory, value: float, mode: Mode) -> RateMemory:
        """Count evaluations that were no better; reduce the factor and start over when there were too many."""
        if better(value, memory.best, mode, self.min_delta):
            return replace(memory, best=value, stale=0)
        if memory.stale < self.patience:
            return replace(memory, stale=memory.stale + 1)
        return replace(memory, factor=max(self.floor, memory.factor * self.factor), stale=0)


ScheduleChoice = Constant | Cosine | Linear | WarmupStableDecay | Step | MultiStep | Plateau


def place(value: float, total: int) -> int:
    """A place in a run in steps: `value` itself, or, below 1, that share of `total`, rounded."""
    return round(value * total) if value < 1 else int(value)


def ramp(step: int, warmup: int) -> float:
    """(step + 1) / warmup, at most 1."""
    return min(1.0, (step + 1) / warmup) if warmup > 0 else 1.0


def share(step: int, start: int, total: int) -> float:
    """Which share of the way from `start` to `total` is done at `step`, in [0, 1]."""
    return min(1.0, max(0.0, (step - start) / max(1, total - start)))
