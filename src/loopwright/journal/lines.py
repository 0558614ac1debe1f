"""History lines: one JSON object a line; floats in full precision, non-finite ones as the strings nan, inf and -inf."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

Record = dict[str, Any]


def to_line(record: Mapping[str, Any]) -> str:
    """One line of history.jsonl, without its end."""
    try:
        return json.dumps(record, allow_nan=False, separators=(",", ":"))
    except ValueError:
        return json.dumps(finite(record), separators=(",", ":"))


def finite(value: Any) -> Any:
    """The same with each non-finite float as a string, for JSON has no such numbers."""
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if isinstance(value, Mapping):
        return {key: finite(entry) for key, entry in value.items()}
    return [finite(entry) for entry in value] if isinstance(value, list | tuple) else value


def read_history(path: Path) -> list[Record]:
    """The records of a history in their order. A line that cannot be read, such as a torn last one, is left out."""
    if not path.is_file():
        return []
    records = []
    for line in path.read_bytes().split(b"\n"):
        try:
            record = json.loads(line)
        except ValueError:
            continue
        if isinstance(record, dict):
            records.append(record)
    return records


def comparable(record: Mapping[str, Any]) -> Record:
    """A record without the clock: what is equal when two runs are."""
    return {key: value for key, value in record.items() if key != "seconds"}
