"""Which of many runs are shown, and in which order."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeVar

from loopwright.catalogue.entries import Entry, canonical, known_names, measure
from loopwright.catalogue.parser import parse
from loopwright.catalogue.where import Condition, names_in, unknown_name, with_words
from loopwright.directions import direction

Item = TypeVar("Item")


def where(entries: Sequence[Entry], texts: Iterable[str], among: Sequence[Entry]) -> list[Entry]:
    """The entries for which every condition holds. Raises UsageError where one cannot be understood, or names what no
    run `among` those there are knows.
    """
    conditions: list[Condition] = []
    for text in texts:
        condition = with_words(parse(text), lambda name: is_known(among, name))
        check_names(among, (name.text for name in names_in(condition)), "--where")
        conditions.append(condition)
    return [entry for entry in entries if all(condition.holds(entry.value) is True for condition in conditions)]


def check_names(entries: Sequence[Entry], names: Iterable[str], what: str) -> None:
    """Raise UsageError, with the nearest name, where none of the runs knows one of `names`."""
    for name in names:
        if entries and not is_known(entries, name):
            raise unknown_name(name, known_names(entries), what)


def is_known(entries: Sequence[Entry], name: str) -> bool:
    """Whether a name stands for something in any of the runs, be it that its value is missing."""
    # Most names have a value in the first run that is asked.
    if any(entry.value(name) is not None for entry in entries):
        return True
    known = known_names(entries)
    return canonical(name) in known or any(each.startswith(f"{canonical(name)}.") for each in known)


def downwards(name: str, declared: dict[str, str]) -> bool:
    """Whether the best value of `name`, which comes first, is the greatest."""
    found = measure(name)
    return found is not None and direction(found[2], declared) == "max"


def ordered(items: Iterable[Item], value: Callable[[Item], Any], *, descending: bool) -> list[Item]:
    """The items by their values; those without one, or with one that is no number, at the end as they came."""
    found = [(value(item), item) for item in items]
    known = [(rank(each), item) for each, item in found if not missing(each)]
    known.sort(key=lambda pair: pair[0], reverse=descending)
    return [item for _, item in known] + [item for each, item in found if missing(each)]


def missing(value: Any) -> bool:
    """Whether a value has no place in an order."""
    return value is None or value == "" or value == [] or (isinstance(value, float) and math.isnan(value))


def rank(value: Any) -> tuple[int, Any]:
    """Numbers before texts, so that any two can be compared."""
    return (0, float(value)) if isinstance(value, int | float) else (1, str(value))


def declared_modes(entries: Iterable[Entry]) -> dict[str, str]:
    """What the runs say of their deciding metrics: `min` or `max` by name; nothing of one that they disagree on."""
    found: dict[str, set[str]] = {}
    for entry in entries:
        if entry.facts["metric"] and entry.facts["mode"]:
            found.setdefault(str(entry.facts["metric"]), set()).add(str(entry.facts["mode"]))
    return {metric: modes.pop() for metric, modes in found.items() if len(modes) == 1}
