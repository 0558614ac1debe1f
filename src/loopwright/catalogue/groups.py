"""Runs that differ by their seed alone, as one: how many, the mean, the sample standard deviation."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from loopwright.catalogue.entries import Entry
from loopwright.identity import HARMLESS, NAMES, SEED, brief, spelled
from loopwright.values import countable


@dataclass(frozen=True)
class Spread:
    """The finite values of a group: their number, mean, and standard deviation with n - 1 (None of a single one)."""

    n: int
    mean: float
    deviation: float | None

    @staticmethod
    def of(values: Sequence[float]) -> Spread | None:
        """The spread of `values`; None of nothing."""
        if not values:
            return None
        return Spread(len(values), statistics.fmean(values), statistics.stdev(values) if len(values) > 1 else None)


@dataclass(frozen=True)
class Group:
    """Runs of one experiment and one setting; `label` says in what it differs from the experiment's other settings."""

    entries: tuple[Entry, ...]
    label: str = ""

    @property
    def first(self) -> Entry:
        """The first of them, which says what they have in common."""
        return self.entries[0]

    @property
    def seeds(self) -> list[Any]:
        """Their seeds, each once."""
        return list(dict.fromkeys(entry.facts.get("seed") for entry in self.entries))

    def value(self, name: str) -> Any:
        """The mean of what `name` stands for; of what is no number, what it is in the first."""
        spread = self.spread(name)
        return self.first.value(name) if spread is None else spread.mean

    def spread(self, name: str) -> Spread | None:
        """Of what `name` stands for. Runs of one seed count once, by their mean: they are no new evidence."""
        by_seed: dict[Any, list[float]] = {}
        for entry in self.entries:
            value = entry.value(name)
            if isinstance(value, int | float) and countable(value):
                seed = entry.facts.get("seed")
                by_seed.setdefault(entry.name if seed is None else seed, []).append(float(value))
        return Spread.of([statistics.fmean(values) for values in by_seed.values()])


def grouped(entries: Iterable[Entry]) -> list[Group]:
    """The groups in the order of their first runs. A run whose configuration is lost is like no other."""
    found: dict[tuple[str, str], list[Entry]] = {}
    for entry in entries:
        setting = str(entry.facts["setting"]) or entry.name
        found.setdefault((str(entry.facts["experiment"]), setting), []).append(entry)
    beside: dict[str, list[Entry]] = {}
    for (experiment, _), members in found.items():
        beside.setdefault(experiment, []).append(members[0])
    varied = {experiment: varying(firsts) for experiment, firsts in beside.items()}
    return [Group(tuple(members), label(members[0], varied[experiment])) for (experiment, _), members in found.items()]


def varying(entries: Sequence[Entry]) -> list[str]:
    """The configuration keys that have not the same value in all of them, without those that a chosen kind brings."""
    names: dict[str, Any] = {}
    for entry in entries:
        names |= entry.config
    left_out = (SEED, *NAMES, *HARMLESS)
    found = [name for name in names if name not in left_out and varies(name, entries)]
    return [name for name in found if not any(follows(name, kind, entries) for kind in found if kind != name)]


def varies(name: str, entries: Sequence[Entry]) -> bool:
    """Whether a key has not the same value in all of them. Spelling is slow, and most values are plain and equal."""
    first = entries[0].config.get(name)
    kind, told = type(first), spelled(first)
    plain = kind in (str, int, float, bool)
    values = (entry.config.get(name) for entry in entries)
    return any(not (plain and type(value) is kind and value == first) and spelled(value) != told for value in values)


def follows(name: str, kind: str, entries: Sequence[Entry]) -> bool:
    """Whether only some choices of `kind` (`optimizer.type`) have `name`, and each of them always the same value."""
    section = kind.removesuffix("type")
    if not kind.endswith(".type") or not name.startswith(section) or all(name in entry.config for entry in entries):
        return False
    pairs = {(spelled(entry.config.get(kind)), spelled(entry.config.get(name))) for entry in entries}
    return len(pairs) == len({choice for choice, _ in pairs})


def label(entry: Entry, names: Sequence[str]) -> str:
    """What a setting has in those keys."""
    return ", ".join(f"{name}={brief(name, entry.config[name])}" for name in names if name in entry.config)
