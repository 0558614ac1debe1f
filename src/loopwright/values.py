"""Values taken out of a record's files, whose type is uncertain: what is not what it should be is nothing."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

from loopwright.reading import read_at_most

Table = dict[str, Any]

LARGEST = 1e150
"""Numbers beyond this count as not finite: sums of their squares are not."""


def read_json(path: Path) -> Table:
    """The object in a JSON file; an empty one where it is missing, cannot be read or is something else."""
    try:
        return table(json.loads(read_at_most(path)))
    except (OSError, ValueError, RecursionError):
        return {}


def number(value: Any) -> float | None:
    """`value` as a float (it may be nan or infinite); None where it is not a number."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        return float(value)
    except OverflowError:
        return math.inf


def countable(value: float) -> bool:
    """Whether a number can be averaged: it is finite, and not beyond LARGEST."""
    return abs(value) < LARGEST


def whole(value: Any) -> int | None:
    """`value` as an int, for steps and counts; None where it is not a finite number."""
    found = number(value)
    return int(found) if found is not None and math.isfinite(found) else None


def table(value: Any, *keys: str) -> Table:
    """The table at `value[key][key]…`; an empty one where there is none."""
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return value if isinstance(value, dict) else {}


def tables(value: Any) -> list[Table]:
    """Those elements of a list that are tables; an empty list where `value` is no list."""
    return [element for element in value if isinstance(element, dict)] if isinstance(value, list) else []


def texts(value: Any) -> list[str]:
    """Those elements of a list that are texts; an empty list where `value` is no list."""
    return [element for element in value if isinstance(element, str)] if isinstance(value, list) else []


def numbers(value: Any) -> dict[str, float]:
    """Those entries of a table that are numbers."""
    # JSON can hold half of a surrogate pair, which no font and no file can.
    found = {str(key).encode("utf-8", "replace").decode(): number(entry) for key, entry in table(value).items()}
    return {key: entry for key, entry in found.items() if entry is not None}
