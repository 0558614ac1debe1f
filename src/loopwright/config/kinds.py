"""What a field's type is called, and what its values are called: the words of help texts and error messages.

Types: int, float, bool, str, Path, Literal, tuple, unions of these with None, and dataclasses, which stand
for themselves: the value of a field declared `AdamW | SGD` is one of the two classes.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import is_dataclass
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin

_WORDS: dict[Any, tuple[str, str, Any]] = {
    bool: ("BOOL", "true or false", True),
    int: ("INT", "an int", 10),
    float: ("FLOAT", "a float", 0.001),
    str: ("TEXT", "a text", "name"),
    Path: ("PATH", "a path", "some/place"),
    NoneType: ("none", "none", "none"),
}


def members(kind: Any) -> tuple[Any, ...]:
    """The types of a union; a type by itself otherwise."""
    return get_args(kind) if get_origin(kind) in (Union, UnionType) else (kind,)


def is_choice(kind: Any) -> bool:
    """Whether a field of this type can hold fields of its own: a dataclass or a union with one."""
    return any(is_dataclass(member) for member in members(kind))


def options(kind: Any) -> list[str]:
    """The names of the literals and classes of this type; none for types whose values cannot be listed."""
    names: list[str] = []
    for member in members(kind):
        literals = get_args(member) if get_origin(member) is Literal else ()
        names += map(spell, (member,) if is_dataclass(member) else literals)
    return names


def spell(value: object) -> str:
    """`value` as the text of a flag, the inverse of `coerce`.

    >>> spell((0.9, 0.95)), spell(True), spell(None)
    ('0.9,0.95', 'true', 'none')
    """
    if isinstance(value, type):
        return value.__name__
    if isinstance(value, bool | NoneType):
        return str(value).lower()
    return ",".join(map(spell, value)) or "[]" if isinstance(value, tuple) else str(value)


def flag(path: str) -> str:
    """The flag that sets the field at `path`.

    >>> flag("optimizer.weight_decay")
    '--optimizer.weight-decay'
    """
    return "--" + path.replace("_", "-")


def closest(name: str, names: Iterable[str]) -> str | None:
    """The one of `names` that was probably meant; None where none is near."""
    lowered = {one.lower(): one for one in sorted(names)}
    matches = difflib.get_close_matches(name.lower(), lowered, n=1, cutoff=0.5)
    return lowered[matches[0]] if matches else None


def label(kind: Any) -> str:
    """A type in the help table: INT, FLOAT, CHOICE, `INT|none`."""
    words = ["CHOICE"] if options(kind) else []
    for member in members(kind):
        if get_origin(member) is tuple:
            words.append(",".join("..." if part is ... else label(part) for part in get_args(member)))
        elif not options(member):
            words.append(_WORDS[member][0] if member in _WORDS else member.__name__)
    return "|".join(words)


def expected(kind: Any) -> str:
    """A type in a sentence: `an int or none`, `one of fp32, bf16`."""
    names = options(kind)
    if is_dataclass(kind):
        return f"{names[0]} (it cannot be exchanged)"
    words = [f"one of {', '.join(names)}" if len(names) > 1 else names[0]] if names else []
    for member in members(kind):
        if get_origin(member) is tuple:
            parts = [expected(part) for part in get_args(member) if part is not ...]
            words.append(f"a list ({', '.join(parts)}{', …' if ... in get_args(member) else ''})")
        elif not options(member):
            words.append(_WORDS[member][1] if member in _WORDS else f"a {member.__name__}")
    return " or ".join(words)


def example(kind: Any) -> Any:
    """Some value of this type, a class by its name."""
    first = members(kind)[0]
    if get_origin(first) is tuple:
        return tuple(example(part) for part in get_args(first) if part is not ...)
    if get_origin(first) is Literal:
        return get_args(first)[0]
    return spell(first) if is_dataclass(first) else _WORDS.get(first, _WORDS[NoneType])[2]
