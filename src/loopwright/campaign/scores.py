"""What a sweep found: a score for each setting over its seeds, the best one, and whether it lies at an edge."""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from loopwright.comparing.groups import Sample
from loopwright.comparing.judging import judge
from loopwright.config import spell
from loopwright.identity import HARMLESS, SEED
from loopwright.lines import revive
from loopwright.report.values import show_metric
from loopwright.values import countable, number, read_json, table

OPEN = ("unfinished", "not begun", "interrupted")
"""What has become of a member that was not brought to its end: the same command goes on with it."""
EDGE_SHARE = 0.1
"""Of numbers drawn at random, those in the outer tenth of the range lie at its edge."""


@dataclass(frozen=True)
class Outcome:
    """What became of one member: the `values` of the varied fields, its seed, its run, its status, the deciding metric
    on the validation and the test split (NaN where there is none)."""

    values: Mapping[str, Any]
    seed: int
    run: Path | None
    status: str
    value: float = math.nan
    test: float = math.nan
    reason: str = ""

    @staticmethod
    def read(values: Mapping[str, Any], seed: int, metric: str, run: Path | None) -> Outcome:
        """From the files of its run, where there is one."""
        metrics = revive(read_json(run / "metrics.json")) if run else {}
        status = str(metrics.get("status") or ("unfinished" if run else "not begun"))
        if status != "finished":
            reason = str(metrics.get("reason") or "")
            return Outcome(values, seed, run, "unfinished" if status == "running" else status, reason=reason)
        best, tested = table(metrics, "best"), table(metrics, "test", "best")
        found = [number(value) for value in (best.get("value"), tested.get(metric))]
        value, test = (math.nan if one is None else one for one in found)
        return Outcome(values, seed, run, status, value, test)


@dataclass(frozen=True)
class Score:
    """The outcomes of one setting over its seeds."""

    values: Mapping[str, Any]
    outcomes: tuple[Outcome, ...]

    @property
    def numbers(self) -> list[float]:
        """The deciding metric of the seeds that came to a finite one."""
        return [one.value for one in self.outcomes if countable(one.value)]

    @property
    def sample(self) -> Sample:
        """The same by seed, and the seeds that came to none."""
        finite: dict[object, float] = {one.seed: one.value for one in self.outcomes if countable(one.value)}
        return Sample(finite, tuple(one.seed for one in self.outcomes if one.seed not in finite))

    @property
    def tests(self) -> list[float]:
        """The same on the test split."""
        return [one.test for one in self.outcomes if countable(one.test)]

    @property
    def whole(self) -> bool:
        """Whether every seed came to a finite number."""
        return len(self.numbers) == len(self.outcomes)

    @property
    def setting(self) -> str:
        """The values in words: `lr 0.001, dropout 0.2`."""
        names = short(list(self.values))
        return ", ".join(f"{names[path]} {spell(value)}" for path, value in self.values.items()) or "as it is"


def short(paths: Sequence[str]) -> dict[str, str]:
    """The last part of each path, where no other one ends so."""
    last = [path.rpartition(".")[2] for path in paths]
    return {path: name if last.count(name) == 1 else path for path, name in zip(paths, last, strict=True)}


def scored(outcomes: Sequence[Outcome], mode: str) -> list[Score]:
    """The settings, the best first: by the mean over seeds; those of which a seed failed behind those that are whole,
    and last those without a number."""
    settings: dict[str, list[Outcome]] = {}
    for one in outcomes:
        settings.setdefault(repr(one.values), []).append(one)
    sign = -1.0 if mode == "max" else 1.0

    def order(score: Score) -> tuple[bool, bool, float]:
        numbers = score.numbers
        return not numbers, not score.whole, sign * statistics.fmean(numbers) if numbers else 0.0

    return sorted((Score(found[0].values, tuple(found)) for found in settings.values()), key=order)


def mean_and_spread(numbers: Sequence[float]) -> str:
    """The mean, and of several numbers their sample standard deviation."""
    if not numbers:
        return "none"
    mean = show_metric(statistics.fmean(numbers))
    return f"{mean} ± {statistics.stdev(numbers):.2g}" if len(numbers) > 1 else mean


def edges(scores: Sequence[Score], *, drawn: bool) -> list[str]:
    """A warning for each number of the best setting beside which nothing better could be found on one side.

    In a grid the smallest and the largest value; of numbers that were drawn, those in the outer tenth of their range.
    """
    found = [score for score in scores if score.numbers]
    if len(found) < 2 or found[0].numbers == found[1].numbers:  # a tie has no best
        return []
    paths = [path for path in found[0].values if path not in (SEED, *HARMLESS)]
    return [line for path in paths if (line := edge(found, path, drawn=drawn))]


def edge(scores: Sequence[Score], path: str, *, drawn: bool) -> str:
    """The warning about one field, or nothing."""
    best, values = scores[0].values[path], [score.values.get(path) for score in scores]
    if isinstance(best, bool) or not all(isinstance(value, int | float) for value in values):
        return ""
    numbers = sorted({float(value) for value in values if isinstance(value, int | float)})
    margin = EDGE_SHARE * (numbers[-1] - numbers[0]) if drawn else 0.0
    if drawn and numbers[0] > 0 and numbers[-1] / numbers[0] > 10:
        # Over several powers of ten the outer tenth is that of the logarithms.
        factor = (numbers[-1] / numbers[0]) ** EDGE_SHARE
        low, high = best <= numbers[0] * factor, best >= numbers[-1] / factor
    else:
        low, high = best <= numbers[0] + margin, best >= numbers[-1] - margin
    if low == high:  # neither, or there is one value alone
        return ""
    word, further = ("smallest", "smaller") if low else ("largest", "larger")
    near = "" if not drawn else "nearly "
    return f"{path}: the best, {spell(best)}, is {near}the {word} that was tried; a {further} one may be better"


def beside_next(scores: list[Score], mode: str) -> tuple[str, str]:
    """`better`, or `doubt`: whether the best setting is better than the next by more than noise, in `compare`'s words.

    Two empty texts where there is no next.
    """
    with_numbers = [score for score in scores if score.numbers]
    if len(with_numbers) < 2:
        return "", ""
    best, second = with_numbers[:2]
    judged = judge(second.sample, best.sample, "max" if mode == "max" else "min")
    return "better" if judged.verdict == "better" else "doubt", f"beside {second.setting}: {judged.text}"
