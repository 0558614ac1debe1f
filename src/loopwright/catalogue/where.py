"""Conditions on a run, a tree of comparisons: nothing is executed.

Of a run that lacks a value nothing is said, neither that it is so nor that it is not. A name alone asks whether it is
there and not false.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Protocol

from loopwright.errors import UsageError, nearest

Lookup = Callable[[str], Any]
"""What a name stands for; None where it stands for nothing."""

OPERATORS: dict[str, Callable[[Any, Any], bool]] = {
    "==": operator.eq,
    "=": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
EQUALITY = ("==", "=", "!=")


class Condition(Protocol):
    """Something that holds of a run, does not, or of which nothing can be said (None)."""

    def holds(self, lookup: Lookup) -> bool | None:
        """Whether it holds where names stand for what `lookup` says."""


@dataclass(frozen=True)
class Name:
    """An operand that is looked up."""

    text: str


@dataclass(frozen=True)
class Literal:
    """An operand that is what it says."""

    value: float | str | bool


Operand = Name | Literal


@dataclass(frozen=True)
class Chain:
    """`a < b <= c`: every comparison holds; of one operand alone, it is there and not false."""

    operands: tuple[Operand, ...]
    operators: tuple[str, ...]

    def holds(self, lookup: Lookup) -> bool | None:
        """As `Condition` says."""
        values = [lookup(each.text) if isinstance(each, Name) else each.value for each in self.operands]
        if not self.operators:
            return bool(values[0])
        told = [compared(*pair) for pair in zip(values, self.operators, values[1:], strict=False)]
        return False if False in told else None if None in told else True


@dataclass(frozen=True)
class Both:
    """`a and b`, or with `wanted` true `a or b`: `wanted` decides as soon as one part is so."""

    parts: tuple[Condition, ...]
    wanted: bool

    def holds(self, lookup: Lookup) -> bool | None:
        """As `Condition` says."""
        told = [part.holds(lookup) for part in self.parts]
        return self.wanted if self.wanted in told else None if None in told else not self.wanted


@dataclass(frozen=True)
class Not:
    """`not a`."""

    part: Condition

    def holds(self, lookup: Lookup) -> bool | None:
        """As `Condition` says."""
        told = self.part.holds(lookup)
        return None if told is None else not told


def compared(left: Any, sign: str, right: Any) -> bool | None:
    """A comparison; of a list (the tags) with a text: whether it is in it. None of what cannot be compared."""
    if isinstance(right, list) and not isinstance(left, list):
        left, right = right, left
    if isinstance(left, list) and not isinstance(right, list):
        return (right in left) is (sign != "!=") if sign in EQUALITY else None
    numbers = all(isinstance(value, int | float) for value in (left, right))
    if not numbers and type(left) is not type(right):
        # A text is never a number: seen as different where both are there.
        return (sign == "!=") if sign in EQUALITY and left is not None and right is not None else None
    if left is None or (isinstance(left, list) and sign not in EQUALITY):
        return None  # lists, of betas or of tags, have no order
    return OPERATORS[sign](left, right)


def names_in(condition: Condition) -> list[Name]:
    """The names in a condition that a run must know, each once; a word on the right of == may be a text."""
    match condition:
        case Chain(operands, operators):
            signs = ("", *operators)
            named = [pair for pair in zip(operands, signs, strict=True) if isinstance(pair[0], Name)]
            return list(dict.fromkeys(each for each, sign in named if isinstance(each, Name) and sign not in EQUALITY))
        case Both(parts, _):
            return list(dict.fromkeys(name for part in parts for name in names_in(part)))
        case Not(part):
            return names_in(part)
    return []


def with_words(condition: Condition, known: Callable[[str], bool]) -> Condition:
    """The condition in which a word on the right of == that is not `known` as a name is a text: `status == failed`."""
    match condition:
        case Chain(operands, operators):
            signs = ("", *operators)
            meant = [
                Literal(each.text) if sign in EQUALITY and isinstance(each, Name) and not known(each.text) else each
                for each, sign in zip(operands, signs, strict=True)
            ]
            return Chain(tuple(meant), operators)
        case Both(parts, wanted):
            return Both(tuple(with_words(part, known) for part in parts), wanted)
        case Not(part):
            return Not(with_words(part, known))
    return condition


def unknown_name(name: str, known: Iterable[str], what: str) -> UsageError:
    """What is raised for a name that no run knows."""
    found = nearest(name, known)
    near = found if found.startswith("did") else "`loopwright runs --names` lists those there are"
    return UsageError(f"{what}: {name!r} is known of no run, {near}")
