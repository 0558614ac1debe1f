"""The numbers of metrics.json that groups of runs share, and which of them decides."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from loopwright.comparing.groups import Group, Sample
from loopwright.errors import UsageError, nearest
from loopwright.report.grids import natural

SPLITS = ("val", "test", "train")
WHICH = ("best", "last")


@dataclass(frozen=True)
class Measure:
    """A number of metrics.json: `val.best.loss`."""

    split: str
    which: str
    metric: str

    @property
    def name(self) -> str:
        """`val loss at best`."""
        return f"{self.split} {self.metric} at {self.which}"

    @property
    def path(self) -> str:
        """Its place in metrics.json."""
        return f"{self.split}.{self.which}.{self.metric}"

    @property
    def place(self) -> int:
        """Where it stands among those of its metric: what is chosen by comes before what is reported."""
        return SPLITS.index(self.split) * len(WHICH) + WHICH.index(self.which)

    def of(self, group: Group) -> Sample:
        """The number of each seed."""
        return group.metric(self.split, self.which, self.metric)


def measured(group: Group) -> set[Measure]:
    """All numbers that any run of a group has."""
    return {
        Measure(split, which, name)
        for run in group.subjects
        for split in SPLITS
        for which in WHICH
        for name in run.results(split, which)
    }


def deciding(groups: Sequence[Group], asked: str | None) -> Measure:
    """The number that decides. Raises UsageError where the groups share none, or not the one that is asked for."""
    known = [measured(group) for group in groups]
    shared = known[0] & set[Measure]().union(*known[1:]) if len(groups) > 1 else known[0]
    if not shared and not (known[0] and any(known[1:])):
        # A run that failed before it was measured is compared all the same: what it lacks is said in the tables.
        shared = set[Measure]().union(*known)
    if not shared:
        raise UsageError(f"compare: {nothing_shared(groups, known)}")
    wanted = [asked] if asked else [run.deciding[0] for group in groups for run in group.subjects if run.deciding[0]]
    for name in wanted:
        if meant := [measure for measure in shared if means(name, measure)]:
            # Of several places the one that most groups have.
            return min(meant, key=lambda measure: (-sum(measure in each for each in known), measure.place))
    if asked:
        names = {measure.metric for measure in shared}
        raise UsageError(
            f"compare: --metric {asked}: the baseline and another run must both have it; {nearest(asked, names)}"
        )
    return min(shared, key=lambda measure: (measure.place, natural(measure.metric)))


def nothing_shared(groups: Sequence[Group], known: Sequence[set[Measure]]) -> str:
    """Why runs cannot be compared."""
    if not any(known):
        return "none of the runs has a metric, neither in metrics.json nor in its history; train on, or name others"
    told = [
        f"{group.subjects[0].name} has {', '.join(sorted({measure.metric for measure in each})[:6]) or 'none'}"
        for group, each in zip(groups[:2], known, strict=False)
    ]
    return f"the baseline and the others share no metric, so nothing can be compared: {', '.join(told)}; name others"


def means(asked: str, measure: Measure) -> bool:
    """Whether `test.best.loss`, `test.loss` or `loss` may mean the measure."""
    return asked in (measure.path, f"{measure.split}.{measure.metric}", measure.metric)


def ordered(groups: Sequence[Group], decided: Measure) -> list[Measure]:
    """All numbers on val and test of any run, the deciding one first; those on train where there are no others."""
    found = set[Measure]().union(*map(measured, groups))
    outside = {measure for measure in found if measure.split != "train"} or found

    def order(measure: Measure) -> tuple[object, ...]:
        return measure != decided, measure.metric != decided.metric, natural(measure.metric), measure.place

    return sorted({decided, *outside}, key=order)
