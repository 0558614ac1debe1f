"""Fair timing on a machine that is never quite still: interleaved rounds in random order, and medians over them."""

from __future__ import annotations

import random
import statistics
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any


class Watch:
    """Told of every finished step; times `steps` of them after `warmup`, so that set-up and tear-down do not count."""

    def __init__(self, warmup: int, steps: int) -> None:
        self.warmup = warmup
        self.steps = steps
        self.done = 0
        self.began = self.ended = 0.0

    @property
    def total(self) -> int:
        """How many steps a contestant has to do."""
        return self.warmup + self.steps

    def step(self) -> None:
        """One more step is done."""
        self.done += 1
        if self.done == self.warmup:
            self.began = time.perf_counter()
        elif self.done == self.total:
            self.ended = time.perf_counter()

    @property
    def seconds_per_step(self) -> float:
        """Wall time of one step. Raises RuntimeError where the steps were not those asked for."""
        if self.done != self.total:
            raise RuntimeError(f"asked for {self.total} steps, {self.done} were done")
        return (self.ended - self.began) / self.steps


@dataclass(frozen=True)
class Spread:
    """Median and quartiles over the rounds."""

    median: float
    low: float
    high: float

    @staticmethod
    def of(values: Sequence[float]) -> Spread:
        """The spread of `values`, at least one."""
        if len(values) == 1:
            return Spread(values[0], values[0], values[0])
        low, middle, high = statistics.quantiles(values, n=4, method="inclusive")
        return Spread(middle, low, high)

    def scaled(self, factor: float) -> Spread:
        """The same in another unit."""
        return Spread(self.median * factor, self.low * factor, self.high * factor)

    def shown(self, digits: int) -> str:
        """Median and quartiles for a table."""
        return f"{self.median:.{digits}f} ({self.low:.{digits}f}-{self.high:.{digits}f})"


Runs = Mapping[str, Callable[[], float]]


def interleaved(runs: Runs, rounds: int, label: str) -> dict[str, list[float]]:
    """What each of `runs` gave when called once a round, in a new random order each; a first round is thrown away."""
    drawn = random.Random(0)
    results: dict[str, list[float]] = {name: [] for name in runs}
    for number in range(rounds + 1):
        names = list(runs)
        drawn.shuffle(names)
        for name in names:
            show(f"{label}: round {number}/{rounds}, {name}")
            value = runs[name]()
            if number:
                results[name].append(value)
    show("")
    return results


def show(line: str) -> None:
    """What is going on, on a terminal."""
    if sys.stderr.isatty():
        print(f"\r{line:<78}\r", end="", file=sys.stderr, flush=True)


def ratios(values: Sequence[float], baseline: Sequence[float]) -> Spread:
    """How many times the baseline's, round by round: what slows down a whole round cancels."""
    return Spread.of([value / base for value, base in zip(values, baseline, strict=True)])


def timed(work: Callable[[], object]) -> float:
    """Seconds that `work` takes."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


@dataclass(frozen=True)
class Section:
    """One table of the benchmark; `data` is what the JSON file gets."""

    title: str
    columns: tuple[str, ...]
    rows: list[tuple[str, ...]]
    notes: tuple[str, ...]
    data: dict[str, Any]

    def text(self) -> str:
        """The table, plain."""
        lines = [self.columns, *self.rows]
        widths = [max(len(line[column]) for line in lines) for column in range(len(self.columns))]
        shown = [
            "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines
        ]
        rule = "  ".join("-" * width for width in widths)
        return "\n".join([f"\n{self.title}", "", shown[0], rule, *shown[1:], *self.notes])
