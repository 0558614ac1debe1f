"""Configuration keys: which differ between groups of runs, and how many things that are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from loopwright.identity import HARMLESS, NAMES, SEED, brief, spelled

TOGETHER = {"epochs": "length", "steps": "length", "metric": "deciding metric", "mode": "deciding metric"}
"""Keys that are one thing."""

ABSENT = "–"
Config = dict[str, Any]


@dataclass(frozen=True)
class Key:
    """A key whose values differ, with the value of each group, in their order."""

    name: str
    values: tuple[str, ...]
    counts: bool = True

    @property
    def shown(self) -> tuple[str, ...]:
        """The values as a table shows them."""
        return tuple(brief(self.name, value) for value in self.values)

    def apart(self, one: int, other: int) -> bool:
        """Whether two groups differ in it."""
        return self.values[one] != self.values[other]


@dataclass(frozen=True)
class Change:
    """One thing that differs: a key, or the keys of a section of which another kind was chosen."""

    name: str
    keys: tuple[Key, ...]

    @property
    def telling(self) -> tuple[Key, ...]:
        """Of a section its kind, which tells enough; else all keys."""
        kind = tuple(key for key in self.keys if key.name == f"{self.name}.type")
        return kind or self.keys

    def told(self, one: int, other: int) -> str:
        """`optimizer.lr 0.001 → 0.01`; of a section its kind."""
        said = {key.name: f"{key.values[one]} → {key.values[other]}" for key in self.keys}
        kind = said.get(f"{self.name}.type")
        shown = kind or ", ".join(text if name == self.name else f"{name} {text}" for name, text in said.items())
        return f"{self.name} {shown}" if kind or self.name in said else shown


def differing(configs: Sequence[Config]) -> tuple[list[Key], int]:
    """The keys that have not the same value in each of `configs`, and how many have. Seeds and format are no matter."""
    names = [
        name for name in dict.fromkeys(name for config in configs for name in config) if name not in (SEED, "format")
    ]
    keys = [Key(name, tuple(spelled(config.get(name, ABSENT)) for config in configs), counts(name)) for name in names]
    apart = [key for key in keys if len(set(key.values)) > 1]
    return sorted(apart, key=lambda key: not key.counts), len(keys) - len(apart)


def counts(name: str) -> bool:
    """Whether another value of the key is a change to what is computed."""
    return name not in (*NAMES, *HARMLESS, "code_sha256")


def changes(keys: Sequence[Key], one: int, other: int) -> list[Change]:
    """The things in which two groups differ, each once."""
    apart = [key for key in keys if key.counts and key.apart(one, other)]
    kinds = sorted((key.name.removesuffix("type") for key in apart if key.name.endswith(".type")), key=len)
    found: dict[str, list[Key]] = {}
    for key in apart:
        section = next((kind for kind in kinds if key.name.startswith(kind)), "")
        found.setdefault(section.rstrip(".") or TOGETHER.get(key.name, key.name), []).append(key)
    return [Change(name, tuple(keys)) for name, keys in found.items()]
