"""Is a group better than the baseline? The answer, its evidence, and what it would take to know."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from loopwright.comparing.groups import Sample
from loopwright.directions import Direction
from loopwright.errors import some
from loopwright.report.values import show_metric
from loopwright.significance import (
    LEVEL,
    MOST_SEEDS,
    POWER,
    RESOLUTION,
    each_needed,
    least_each,
    least_pairs,
    pairs_needed,
    permutation,
    sign_flip,
)


@dataclass(frozen=True)
class Judgement:
    """`verdict`: better | worse | equal | open (it cannot be told) | unjudged (nobody knows which way is better).

    `difference`: of the means, the group's minus the baseline's. `p`: one-sided, of the direction that was seen; None
    where nothing was tested. `needed`: seeds of each group that would show a difference of this size; None where that
    is unknown or without end. `text`: all of it as a sentence.
    """

    verdict: str
    text: str
    difference: float | None = None
    p: float | None = None
    test: str = ""
    needed: int | None = None


def judge(base: Sample, other: Sample, direction: Direction) -> Judgement:
    """`other` beside the baseline `base`, as a question about noise between seeds."""
    if base.lost or other.lost:
        return Judgement("open", f"{lost(base, other)}; nothing is tested")
    if base.mean is None or other.mean is None:
        return Judgement("open", "not measured in both")
    difference = other.mean - base.mean
    if not direction:
        return Judgement("unjudged", f"{signed(difference)}; which way is better is unknown", difference)
    if base.n == 1 or other.n == 1:
        return single(base, other, difference)
    if base.by_seed == other.by_seed or (not difference and not base.deviation and not other.deviation):
        return Judgement("equal", "the same numbers", difference)
    if abs(difference) <= RESOLUTION * max(abs(base.mean), abs(other.mean)):
        return Judgement("equal", f"{signed(difference)}: less than what single precision tells apart", difference)
    return tested(base, other, difference, direction)


def lost(base: Sample, other: Sample) -> str:
    """Whose numbers are not finite."""
    said = [
        f"{len(sample.lost)} of {sample.n + len(sample.lost)} seeds of {name} gave no finite number"
        for name, sample in (("the other", base), ("this", other))
        if sample.lost
    ]
    return ", ".join(said)


def single(base: Sample, other: Sample, difference: float) -> Judgement:
    """What one seed says: nothing about noise."""
    if base.n == other.n == 1:
        same = "the same number" if not difference else signed(difference)
        least = f"{least_pairs()} seeds each are the least that can tell"
        return Judgement("open", f"{same}; one seed each: no statement about noise, {least}", difference)
    spread = next(deviation for sample in (base, other) if (deviation := sample.deviation) is not None)
    size = f", {abs(difference) / spread:.1f} standard deviations of the other's seeds" if spread else ""
    which = "the other" if base.n == 1 else "this"
    return Judgement("open", f"{signed(difference)}{size}; {which} has one seed: no statement about noise", difference)


def tested(base: Sample, other: Sample, difference: float, direction: Direction) -> Judgement:
    """A permutation test: paired where both have the same seeds. One-sided, in the direction that was seen."""
    sign = 1.0 if difference > 0 else -1.0
    paired = set(base.by_seed) == set(other.by_seed)
    if paired:
        apart = [sign * (other.by_seed[seed] - base.by_seed[seed]) for seed in base.by_seed]
        p, test = sign_flip(apart), f"sign flips of {len(apart)} pairs of one seed"
        needed = pairs_needed(difference, statistics.stdev(apart))
        least, enough = least_pairs(), len(apart) >= least_pairs()
    else:
        p = permutation(*([sign * value for value in sample.values] for sample in (base, other)))
        test = f"permutations of {base.n} and {other.n} seeds"
        needed = each_needed(difference, pooled(base, other))
        # The fewest of each are told for groups of one size; of unequal ones the smaller may have fewer.
        least, enough = least_each(), math.comb(base.n + other.n, base.n) * LEVEL >= 1
    verdict = "open"
    if p <= LEVEL:
        verdict = "better" if (difference > 0) == (direction == "max") else "worse"
    wanted = "" if verdict != "open" else f"; {wanting(needed, least, enough=enough, have=min(base.n, other.n))}"
    said = {"open": "not told apart"}.get(verdict, verdict)
    text = f"{signed(difference)}, {said} (p = {p:.2g}, {test}){wanted}"
    return Judgement(verdict, text, difference, p, test, needed if verdict == "open" else None)


def pooled(base: Sample, other: Sample) -> float:
    """The standard deviation that two groups share, weighted by their degrees of freedom."""
    squares = [sample.deviation**2 * (sample.n - 1) for sample in (base, other) if sample.deviation is not None]
    return float((sum(squares) / (base.n + other.n - 2)) ** 0.5)


def wanting(needed: int | None, least: int, *, enough: bool, have: int) -> str:
    """How many seeds it would take."""
    few = "" if enough else f"fewer than {least} seeds can never tell; "
    if needed is None:
        return f"{few}not even {MOST_SEEDS:,} seeds would show a difference this small"
    if needed <= have:
        return f"{few}{have} seeds should have shown a difference of this size in {POWER:.0%} of cases: more would help"
    return f"{few}a difference of this size takes about {needed:,} seeds each ({POWER:.0%} power)"


def signed(difference: float) -> str:
    """A difference with its sign."""
    return f"{'+' if difference >= 0 else '−'}{show_metric(abs(difference))}"


def ranking(judged: Sequence[tuple[str, Judgement]]) -> str:
    """What came of several comparisons with one baseline, in a sentence."""
    by_verdict: dict[str, list[str]] = {}
    for name, judgement in judged:
        by_verdict.setdefault(judgement.verdict, []).append(name)
    words = {
        "better": "better than the baseline",
        "worse": "worse than the baseline",
        "equal": "equal to it",
        "open": "not told apart from it",
        "unjudged": "not judged",
    }
    return "; ".join(f"{some(by_verdict[verdict])}: {said}" for verdict, said in words.items() if verdict in by_verdict)
