"""Runs that differ by their seed alone are one group."""

from __future__ import annotations

import json
import statistics
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from loopwright.comparing.subject import Subject
from loopwright.identity import identity
from loopwright.values import countable

MACHINE = ("device", "gpu", "cpu", "cpu_capability", "threads", "workers")
VERSIONS = ("python", "torch", "cuda", "loopwright")


@dataclass(frozen=True)
class Sample:
    """One number of each seed of a group, and the seeds whose number is not finite."""

    by_seed: dict[object, float]
    lost: tuple[object, ...] = ()

    @property
    def values(self) -> list[float]:
        """The finite values."""
        return list(self.by_seed.values())

    @property
    def n(self) -> int:
        """How many seeds gave a finite number."""
        return len(self.by_seed)

    @property
    def mean(self) -> float | None:
        """The mean; None of nothing."""
        return statistics.fmean(self.values) if self.by_seed else None

    @property
    def median(self) -> float | None:
        """The median; None of nothing."""
        return statistics.median(self.values) if self.by_seed else None

    @property
    def deviation(self) -> float | None:
        """The sample standard deviation, with n - 1; None where n is below 2."""
        return statistics.stdev(self.values) if self.n > 1 else None


@dataclass(frozen=True)
class Group:
    """The runs of one setting, over seeds; `letter` is what tables call it, `label` how it differs from the others."""

    letter: str
    subjects: tuple[Subject, ...]
    label: str = ""

    @property
    def first(self) -> Subject:
        """A run of it whose configuration is known, where there is one."""
        return next((subject for subject in self.subjects if subject.config), self.subjects[0])

    @property
    def seeds(self) -> list[object]:
        """Its seeds, each once. A run without one is a seed of its own."""
        return list(dict.fromkeys(seed_of(subject) for subject in self.subjects))

    def sample(self, value: Callable[[Subject], float | None]) -> Sample:
        """The number `value` of each seed. Runs of one seed are no new evidence: they count once, by their mean."""
        found: dict[object, list[float]] = {}
        for subject in self.subjects:
            if (number := value(subject)) is not None:
                found.setdefault(seed_of(subject), []).append(number)
        finite = {seed: all(map(countable, numbers)) for seed, numbers in found.items()}
        return Sample(
            {seed: statistics.fmean(numbers) for seed, numbers in found.items() if finite[seed]},
            tuple(seed for seed in found if not finite[seed]),
        )

    def metric(self, split: str, which: str, metric: str) -> Sample:
        """A metric over the seeds."""
        return self.sample(lambda subject: subject.results(split, which).get(metric))


def seed_of(subject: Subject) -> object:
    """The seed, or for a run without one what tells it from every other run."""
    return subject.name if subject.seed is None else subject.seed


def grouped(subjects: Sequence[Subject]) -> list[Group]:
    """The groups, in the order of their first runs.

    Runs of one configuration are told apart by code, then by data, then by versions and machine, and only where their
    configurations are all the same: what is compared then lies outside of the configuration.
    """
    for key in (setting, code, data, versions, machine):
        found: dict[str, list[Subject]] = {}
        for subject in subjects:
            found.setdefault(key(subject), []).append(subject)
        if len(found) > 1:
            break
    return [Group(letter, tuple(group)) for letter, group in zip(letters(), found.values(), strict=False)]


def setting(subject: Subject) -> str:
    """The configuration but for the seed; a run whose configuration is lost is like no other."""
    return identity(subject.config) if subject.config else f"unknown {subject.path}"


def code(subject: Subject) -> str:
    """The code that was run."""
    return subject.code()


def data(subject: Subject) -> str:
    """The data's digest."""
    return str(subject.record.env.get("data_sha256"))


def versions(subject: Subject) -> str:
    """The versions of the libraries."""
    return json.dumps([str(subject.record.env.get(key)) for key in VERSIONS])


def machine(subject: Subject) -> str:
    """Where it ran."""
    return json.dumps([str(subject.record.env.get(key)) for key in MACHINE])


def letters() -> Iterator[str]:
    """A, B … Z, AA, AB …"""
    length = 1
    while True:
        for number in range(26**length):
            yield "".join(chr(65 + number // 26**place % 26) for place in reversed(range(length)))
        length += 1
