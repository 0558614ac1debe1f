"""The runs beside a run: which of them show health, divergence and overfitting best."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from loopwright.journal.runs import list_runs
from loopwright.postmortem.case import CONFIG, Case
from loopwright.postmortem.statements import Statement
from loopwright.report.record import Record

LOOKED_AT = 60
"""So many runs beside it are read at most, those of the same experiment first, the newest first."""
MOST_BYTES = 60_000_000
"""Of the history of a run beside it; reading more takes seconds."""


@dataclass(frozen=True)
class Survey:
    """The run itself, the others that were looked at, and how many there are."""

    own: Case
    others: list[Case]
    beside: int

    @property
    def all(self) -> list[Case]:
        """The run itself first."""
        return [self.own, *self.others]

    def best(self, wanted: Callable[[Case], bool], rank: Callable[[Case], float]) -> Case | None:
        """The one of those `wanted` that is of the run's own experiment, if any is, and ranks highest."""
        found = [case for case in self.all if wanted(case)]
        return max(found, key=lambda case: (case.experiment == self.own.experiment, rank(case)), default=None)

    def elsewhere(self, case: Case, what: str) -> list[Statement]:
        """That a case is not of the run's own experiment, of which none `what`."""
        name = self.own.experiment
        return (
            []
            if case.experiment == name
            else [case.says(f"Of {name} no run {what}; this is {case.experiment}.", CONFIG)]
        )

    @property
    def healthy(self) -> Case | None:
        """A healthy run: rather one that does not overfit, of the same experiment, and long."""
        fine = self.best(lambda case: case.healthy and case.onset is None, lambda case: case.steps)
        return fine or self.best(lambda case: case.healthy, lambda case: case.steps)

    @property
    def twin(self) -> Case | None:
        """A healthy run of the same experiment, to compare the run's own configuration with."""
        others = [case for case in self.others if case.experiment == self.own.experiment and case.healthy]
        return max(others, key=lambda case: (case.onset is None, case.steps), default=None)

    @property
    def diverged(self) -> Case | None:
        """A run whose loss grew, the one in which it grew most."""
        return self.best(lambda case: case.diverged, lambda case: min(case.growth, 1e300))

    @property
    def overfitted(self) -> Case | None:
        """A run that overfits, the one whose validation loss rises most."""
        return self.best(lambda case: case.onset is not None, lambda case: min(case.rise, 1e300))


def survey(own: Case, progress: Callable[[Sequence[Path]], Iterable[Path]]) -> Survey:
    """Look at the runs beside `own`; `progress` shows that it takes its time."""
    beside = list(neighbors(own))
    return Survey(own, [Case(Record.load(run)) for run in progress(beside[:LOOKED_AT])], len(beside))


def neighbors(own: Case) -> Iterator[Path]:
    """The runs below the same root, and of a study its members: the same experiment's first, the newest first."""
    home = own.record.directory
    found = [run for root in (own.beside, home / "members") for run in reversed(list_runs(root)) if not same(run, home)]
    small = [run for run in found if size(run) <= MOST_BYTES]
    yield from sorted(small, key=lambda run: run.parent.name != home.absolute().parent.name)


def same(a: Path, b: Path) -> bool:
    """Whether two paths are the same directory."""
    return a.resolve() == b.resolve()


def size(run: Path) -> int:
    """How many bytes the history of a run has."""
    try:
        return (run / "logs" / "history.jsonl").stat().st_size
    except OSError:
        return 0
