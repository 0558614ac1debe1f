"""The whole comparison: runs, groups, what differs, what came out, what it cost."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from loopwright.comparing.controls import Contrast, contrast
from loopwright.comparing.costs import Cost, Target, costs, target_of
from loopwright.comparing.fields import Scatter, scatters
from loopwright.comparing.groups import Group, Sample, grouped, letters
from loopwright.comparing.judging import Judgement, judge
from loopwright.comparing.keys import Key, changes, differing
from loopwright.comparing.measures import Measure, deciding, ordered
from loopwright.comparing.subject import Subject, read_subjects
from loopwright.directions import Direction, direction
from loopwright.errors import UsageError
from loopwright.journal.runs import located

LONGEST_LABEL = 60


@dataclass(frozen=True)
class Result:
    """A measure of every group, and what can be said of each beside the baseline; None for the baseline itself."""

    measure: Measure
    direction: Direction
    samples: tuple[Sample, ...]
    judgements: tuple[Judgement | None, ...]


@dataclass(frozen=True)
class Comparison:
    """Groups of runs beside the first of them, the baseline.

    `keys`: what differs in the configurations, `unchanged`: how many keys do not. `contrasts`: a group each but the
    baseline. `results`: the deciding one first. `scatters`: what each varied field does. `notes`: what has to be said
    about the runs themselves.
    """

    groups: tuple[Group, ...]
    keys: tuple[Key, ...]
    unchanged: int
    contrasts: tuple[Contrast, ...]
    results: tuple[Result, ...]
    target: Target | None
    costs: tuple[Cost, ...]
    scatters: tuple[Scatter, ...]
    notes: tuple[str, ...]

    @property
    def baseline(self) -> Group:
        """What the others are compared with."""
        return self.groups[0]

    @property
    def deciding(self) -> Result:
        """The result that is asked for."""
        return self.results[0]

    @property
    def subjects(self) -> list[Subject]:
        """All runs, by group."""
        return [subject for group in self.groups for subject in group.subjects]

    @property
    def controlled(self) -> bool:
        """Whether each group differs from the baseline in one thing and in nothing else that is on record."""
        return bool(self.contrasts) and all(one.controlled for one in self.contrasts)

    @property
    def ranked(self) -> list[int]:
        """The numbers of the groups, the best mean first; none where no direction is known or nothing was measured."""
        means = [(sample.mean, place) for place, sample in enumerate(self.deciding.samples) if sample.mean is not None]
        way = self.deciding.direction
        return [place for _, place in sorted(means, key=lambda mean: mean[0], reverse=way == "max")] if way else []

    @property
    def leader(self) -> int | None:
        """The number of the group with the best mean; None where no direction is known or nothing was measured."""
        return next(iter(self.ranked), None)


def compare(
    runs: Sequence[Path],
    *,
    baseline: Path | None = None,
    metric: str | None = None,
    target: float | None = None,
    tell: Callable[[list[Path]], Iterable[Path]] = list,
) -> Comparison:
    """Compare `runs`: run directories, studies (their members), directories of numbered runs.

    `baseline`: one of them, else the first. `metric`: the one that decides (`loss`, `test.loss`, `val.last.loss`), else
    what the baseline's configuration says. `target`: the value whose reaching is timed. `tell` gives the runs back one
    by one while they are read. Raises RunError and UsageError where there is nothing to compare.
    """
    subjects, notes = read_subjects(runs, baseline, tell)
    groups = first_baseline(grouped(subjects), baseline)
    keys, unchanged = differing([group.first.config for group in groups if group.first.config])
    keys = with_lost(keys, groups)
    groups = labelled(groups, keys)
    declared = declarations(subjects)
    decided = deciding(groups, metric)
    results = [result(measure, groups, declared) for measure in ordered(groups, decided)]
    way = direction(decided.metric, declared)
    wanted = target_of(groups, decided.metric, way, target)
    return Comparison(
        tuple(groups),
        tuple(keys),
        unchanged,
        tuple(contrast(groups, keys, 0, other) for other in range(1, len(groups))),
        tuple(results),
        wanted,
        tuple(costs(groups, wanted, way)),
        tuple(scatters(groups, results[0].samples, keys)),
        tuple(notes),
    )


def first_baseline(groups: list[Group], baseline: Path | None) -> list[Group]:
    """The groups, that of the baseline first, with letters in that order."""
    if baseline is not None:
        real = located(baseline).resolve()
        home = [any(subject.path.resolve() in (real, *real.parents) for subject in group.subjects) for group in groups]
        if not any(home):
            home = [any(real in subject.path.resolve().parents for subject in group.subjects) for group in groups]
        if not any(home):
            raise UsageError(f"compare: --baseline {baseline}: was deleted while it was read; name another")
        first = home.index(True)
        groups = [groups[first], *groups[:first], *groups[first + 1 :]]
    return [replace(group, letter=letter) for group, letter in zip(groups, letters(), strict=False)]


def with_lost(keys: list[Key], groups: Sequence[Group]) -> list[Key]:
    """`keys` with a place for each group, also for those whose configuration is lost."""
    if all(group.first.config for group in groups):
        return keys
    filled = []
    for key in keys:
        values = iter(key.values)
        filled.append(replace(key, values=tuple(next(values) if group.first.config else "?" for group in groups)))
    return filled


def labelled(groups: list[Group], keys: Sequence[Key]) -> list[Group]:
    """The groups with labels: of each what was changed, of the baseline what the others changed.

    A label that would be too long is the name of the first run.
    """
    changed = [
        [],
        *([key for change in changes(keys, 0, at) for key in change.telling] for at in range(1, len(groups))),
    ]
    union = list({key.name: key for own in changed for key in own}.values())
    first = changed[1] if len(groups) > 1 else []
    found = []
    for place, group in enumerate(groups):
        options = [changed[place]] if place else [union, first]
        labels = [", ".join(f"{key.name.removesuffix('.type')} {key.values[place]}" for key in own) for own in options]
        known = [label for label in labels if 0 < len(label) <= LONGEST_LABEL and group.first.config]
        found.append(replace(group, label=[*known, group.subjects[0].name][0]))
    return found


def declarations(subjects: Sequence[Subject]) -> dict[str, str]:
    """Which way each deciding metric is better, as the configurations say; "" where they contradict each other."""
    declared: dict[str, str] = {}
    for subject in subjects:
        metric, mode = subject.deciding
        if metric and mode:
            declared[metric] = mode if declared.get(metric, mode) == mode else ""
    return declared


def result(measure: Measure, groups: Sequence[Group], declared: dict[str, str]) -> Result:
    """One measure of every group, judged."""
    samples = tuple(measure.of(group) for group in groups)
    way = direction(measure.metric, declared)
    judged = tuple(judge(samples[0], sample, way) for sample in samples[1:])
    return Result(measure, way, samples, (None, *judged))
