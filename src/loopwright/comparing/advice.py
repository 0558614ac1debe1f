"""The next experiment, as the findings suggest it, and what to be careful about."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import count, islice

from loopwright.comparing.comparison import Comparison
from loopwright.comparing.fields import Scatter
from loopwright.comparing.groups import Group
from loopwright.comparing.lessons import Lesson
from loopwright.comparing.subject import Subject
from loopwright.comparing.sweeps import grown
from loopwright.errors import some
from loopwright.report.again import train_again
from loopwright.report.overfitting import onset
from loopwright.significance import least_each
from loopwright.values import number, tables

SEVERAL_SEEDS = 5
MOST_SEEDS_LISTED = 20
UNFINISHED = ("interrupted", "killed", "unfinished")
STRIDE, NEAR = 10.0, 0.1
"""A value beyond the edge is at most so many times the edge, and differs from all others by at least this share."""
RATE = "optimizer.lr"
KINDS = ("optimizer", "task", "task.model")
"""Sections of which another kind was chosen want a learning rate of their own."""


@dataclass(frozen=True)
class Suggestion:
    """What to do next, why, and the commands."""

    text: str
    commands: tuple[str, ...] = ()


def suggestions(comparison: Comparison, lesson: Lesson | None) -> list[Suggestion]:
    """What to try next, the most useful first."""
    found = [
        *mended(comparison, lesson),
        *same_data(comparison),
        *disentangled(comparison),
        *more_seeds(comparison),
        *beyond_the_edge(comparison),
        *own_rates(comparison),
        *longer_or_shorter(comparison),
    ]
    return found or [Suggestion("change one thing, the one you expect most of, and keep the seeds")]


def mended(comparison: Comparison, lesson: Lesson | None) -> Iterator[Suggestion]:
    """A compared run that failed comes first: its group is judged without it."""
    if lesson is not None and lesson.compared and any(run.status == "failed" for run in comparison.subjects):
        yield Suggestion(f"mend {lesson.run} and run it again: {lesson.lesson}", (lesson.command,))
    unfinished = [run for run in comparison.subjects if run.status in UNFINISHED]
    if unfinished:
        commands = tuple(f"loopwright resume {quoted(run)}" for run in unfinished[:4])
        yield Suggestion(f"finish {some([run.name for run in unfinished], 4)}, then compare again", commands)


def same_data(comparison: Comparison) -> Iterator[Suggestion]:
    """Numbers measured on other data are no comparison."""
    if other := measured_elsewhere(comparison):
        text = f"measure {some(other)} and {comparison.baseline.letter} on the same data: until then no seed helps"
        yield Suggestion(text)


def measured_elsewhere(comparison: Comparison) -> list[str]:
    """The letters of the groups whose data are not the baseline's."""
    return [
        contrast.group.letter
        for contrast in comparison.contrasts
        if any(reason.kind == "other data" for reason in contrast.reasons)
    ]


def disentangled(comparison: Comparison) -> Iterator[Suggestion]:
    """Several things changed at once: one run for each."""
    for contrast in comparison.contrasts:
        exchanged = any(change.name == "task" for change in contrast.changes)  # no flag chooses another task
        if len(contrast.changes) > 1 and not swept(comparison) and not exchanged:
            place = comparison.groups.index(contrast.group)
            commands = []
            for change in contrast.changes:
                told = [flag(key.name, key.values[place]) for key in change.keys if key.values[place] != "–"]
                flags = [word for words in told for word in words]
                commands.append(train_again(comparison.baseline.first.record, flags))
            yield Suggestion(f"change one thing at a time: {len(commands)} runs from the baseline", tuple(commands[:6]))
            return


def swept(comparison: Comparison) -> bool:
    """Whether some field has so many values that its effect is seen among the others'."""
    return any(one.drawn for one in comparison.scatters)


def more_seeds(comparison: Comparison) -> Iterator[Suggestion]:
    """What could not be told from noise, with the number of seeds that it takes."""
    judged = zip(comparison.groups, comparison.deciding.judgements, strict=True)
    close = [(group, one) for group, one in judged if one is not None and one.verdict == "open" and one.difference]
    if not close or measured_elsewhere(comparison):
        return
    leader = None if comparison.leader is None else comparison.groups[comparison.leader]
    group, judgement = next((pair for pair in close if pair[0] is leader), close[0])
    base, have = comparison.baseline, min(len(comparison.baseline.seeds), len(group.seeds))
    if judgement.needed is None and have >= SEVERAL_SEEDS:
        yield Suggestion(f"{group.letter} and {base.letter} are as good as equal here: take the cheaper one")
        return
    wanted = max(judgement.needed or SEVERAL_SEEDS, least_each())
    wanted = 2 * have if wanted <= have else wanted
    text = f"more seeds for {base.letter} and {group.letter}: {wanted:,} each instead of {have}"
    code = any(contrast.outside == "other code" for contrast in comparison.contrasts)
    yield Suggestion(text, tuple(seeds_commands((base, group), wanted, each_its_code=code)))


def seeds_commands(groups: Sequence[Group], wanted: int, *, each_its_code: bool = False) -> Iterator[str]:
    """The runs that are missing for groups of the same `wanted` seeds, a line for the shell each."""
    known = sorted({seed for group in groups for seed in group.seeds if isinstance(seed, int)})
    others = (seed for seed in count() if seed not in known)
    seeds = [*known, *islice(others, max(0, wanted - len(known)))]
    for group in groups:
        missing = [seed for seed in seeds if seed not in group.seeds]
        listed = " ".join(map(str, missing[:MOST_SEEDS_LISTED])) + " …" * (len(missing) > MOST_SEEDS_LISTED)
        if missing and each_its_code:
            yield f"# with the code of {group.letter}"
        if missing:
            yield f"for s in {listed}; do {train_again(group.first.record, ['--seed', '$s'])}; done"


def beyond_the_edge(comparison: Comparison) -> Iterator[Suggestion]:
    """The best value of a field is the last that was tried: its optimum lies further out."""
    alone = all(len(contrast.changes) == 1 for contrast in comparison.contrasts)
    for scatter in comparison.scatters:
        if not scatter.numeric or not comparison.deciding.direction or not (scatter.drawn or alone):
            continue
        best = (max if comparison.deciding.direction == "max" else min)(scatter.places, key=lambda place: place.mean)
        if best in (scatter.places[0], scatter.places[-1]):
            beyond = further(scatter, upwards=best is scatter.places[-1])
            if beyond is None:
                continue
            text = f"the best {scatter.field}, {best.value}, is at the edge of what was tried: try {beyond} as well"
            more = grown(comparison.subjects, scatter.field, beyond)
            again = train_again(comparison.baseline.first.record, flag(scatter.field, beyond))
            yield Suggestion(text, (more or again,))


def further(scatter: Scatter, *, upwards: bool) -> str | None:
    """The next value beyond the edge, at the distance of the last two; None where there is no other, and fitting, one.

    What is above 0 everywhere stays so, and is at most STRIDE times as large, or as small.
    """
    edge, before = [place.at for place in (scatter.places[::-1] if upwards else scatter.places)[:2]]
    beyond, ratio = 2 * edge - before, edge / before if before else 0.0
    if scatter.places[0].at >= 0 and (scatter.log or beyond <= 0):
        beyond = edge * min(STRIDE, max(1 / STRIDE, ratio))
    whole = all(place.value.lstrip("-").isdecimal() for place in scatter.places)
    told = str(round(beyond)) if whole else f"{beyond:.3g}"
    known = [place.at for place in scatter.places]
    fits = float(told) > 0 or known[0] < 0
    return told if fits and all(abs(float(told) - value) > NEAR * abs(value) for value in known) else None


def own_rates(comparison: Comparison) -> Iterator[Suggestion]:
    """Another optimizer or model with the rate of the first one is no fair trial."""
    for contrast in comparison.contrasts:
        names = {change.name for change in contrast.changes}
        rates = {str(group.first.config.get(RATE)) for group in (comparison.baseline, contrast.group)}
        if names & set(KINDS) and len(rates) == 1 and "None" not in rates:
            which = some(sorted(names & set(KINDS)))
            commands = tuple(
                train_again(group.first.record, flag(RATE, rate))
                for group in (comparison.baseline, contrast.group)
                for rate in around(group)
            )
            text = f"the rate is {rates.pop()} for both, tuned for neither {which}: give each its own best rate"
            yield Suggestion(text, commands)
            return


def around(group: Group) -> list[str]:
    """A third of a group's rate, and three times it."""
    rate = number(group.first.config.get(RATE))
    return [f"{rate / 3:.3g}", f"{rate * 3:.3g}"] if rate else []


def longer_or_shorter(comparison: Comparison) -> Iterator[Suggestion]:
    """The leading group overfits, or was still getting better at its end."""
    if comparison.leader is None:
        return
    group = comparison.groups[comparison.leader]
    finished = [run for run in group.subjects if run.finished and run.steps]
    onsets = [found for run in finished if (found := onset(run.train, run.curve("loss"))) is not None]
    if onsets and len(onsets) > len(finished) / 2:
        remedy = "regularize it (weight decay, dropout, more data), or stop it with --patience"
        yield Suggestion(f"{group.letter} overfits: {onsets[0].reason}; {remedy}")
    elif finished and all(best_step(run) == run.steps for run in finished):
        yield Suggestion(f"{group.letter} is at its best at the very end: it may want a longer budget")


def best_step(run: Subject) -> float | None:
    """The step of the best weights."""
    best = run.record.metrics.get("best")
    return number(best.get("step")) if isinstance(best, dict) else None


def caveats(comparison: Comparison) -> list[str]:
    """What a reader has to keep in mind."""
    found = []
    fewest = min(len(group.seeds) for group in comparison.groups)
    if len(comparison.groups) > 1 and fewest < SEVERAL_SEEDS:
        found.append(f"The smallest group has {fewest} seed{'s' * (fewest > 1)}: its mean and spread are rough.")
    if len(comparison.contrasts) > 2:
        found.append(
            f"{len(comparison.contrasts)} groups are compared with one baseline, each at the 5 % level: "
            "about one in twenty would look better by chance alone."
        )
    measure = comparison.deciding.measure
    if measure.split == "val" and measure.which == "best":
        found.append(
            "The best checkpoint was chosen on the same validation split, so these values flatter each group a little; "
            "choose on validation, and take the test values for the last word."
        )
    if measure.split == "test":
        found.append("The test split decides here: what is chosen by it has no unbiased test value any more.")
    if measure.split == "train":
        found.append("The number that decides was measured on training data: it says nothing about unseen data.")
    if not comparison.deciding.direction:
        found.append(f"Which way {measure.metric} gets better is unknown, so nothing is judged by it.")
    findings = sum(len(tables(run.record.findings)) > 0 for run in comparison.subjects)
    if findings:
        found.append(
            f"The doctor found something in {findings} of the {len(comparison.subjects)} runs; their reports have it."
        )
    found.append("Time and throughput hold for the machine and its load at that time alone.")
    return found


def flag(key: str, value: str) -> list[str]:
    """A key with its value as a flag of train, for a shell."""
    return [f"--{key.removesuffix('.type')}".replace("_", "-"), shlex.quote(value)]


def quoted(run: Subject) -> str:
    """A run's directory, for a shell."""
    return shlex.quote(str(run.path))
