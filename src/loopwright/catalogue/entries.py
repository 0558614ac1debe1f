"""A run as a listing has it, and what can be asked of it by name."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from loopwright.catalogue.facts import SPLITS
from loopwright.values import Table, table

OWN = (
    "run",
    "experiment",
    "status",
    "steps",
    "epochs",
    "best_step",
    "loss",
    "seed",
    "parameters",
    "seconds",
    "started",
    "metric",
    "claims",
    "findings",
    "tags",
    "notes",
    "archived",
    "reason",
    "members",
)
"""Names of what every run has; `loss` is that of the last step of one that is not finished."""

WEIGHTS = ("best", "last")


@dataclass(frozen=True)
class Entry:
    """One run: its directory, its name below the root, what is known of it, and its configuration as JSON."""

    path: Path
    name: str
    facts: Table
    config_text: str = field(default="{}", repr=False)

    @cached_property
    def config(self) -> Table:
        """The configuration, by dotted names."""
        try:
            return table(json.loads(self.config_text))
        except (ValueError, RecursionError):
            return {}

    @property
    def archived(self) -> bool:
        """Whether it is hidden from listings."""
        return self.facts.get("archived") is True

    @property
    def tags(self) -> list[str]:
        """Its tags."""
        found = self.facts.get("tags")
        return [str(tag) for tag in found] if isinstance(found, list) else []

    def metric(self, split: str, which: str, name: str) -> float | None:
        """A metric of a split, at `best` or `last`; None where it was not measured."""
        value = table(self.facts, split, which).get(name)
        return value if isinstance(value, float) else None

    def value(self, name: str) -> Any:
        """What `name` stands for in this run; None where it has none of it."""
        if name in OWN:
            return self.name if name == "run" else self.facts.get(name)
        if (found := measure(name)) is not None:
            return self.metric(*found)
        key = name.removeprefix("config.")
        config = self.config
        value = config.get(key, config.get(f"{key}.type"))
        return None if value == "none" else value

    def names(self) -> Iterator[str]:
        """Every name that stands for something in this run."""
        yield from OWN
        for split in SPLITS:
            yield from (
                f"{split}.{name}" for name in {**table(self.facts, split, "best"), **table(self.facts, split, "last")}
            )
        yield from self.config


def measure(name: str) -> tuple[str, str, str] | None:
    """Split, weights and metric that a name means: `val.accuracy` is at best, `last.val.accuracy` at last, and
    `val.last.accuracy`, as claims have it, the same. None where it names no metric.
    """
    parts = name.split(".")
    which = next((part for part in parts[:2] if part in WEIGHTS), None)
    if which is not None:
        parts.remove(which)
    if len(parts) < 2 or parts[0] not in SPLITS:
        return None
    return parts[0], which or "best", ".".join(parts[1:])


def known_names(entries: Iterable[Entry]) -> set[str]:
    """Every name that stands for something in any of the runs."""
    return {name for entry in entries for name in entry.names()}


def canonical(name: str) -> str:
    """A name as `Entry.names` has it."""
    found = measure(name)
    return name.removeprefix("config.") if found is None else f"{found[0]}.{found[2]}"
