"""History lines: one JSON object a line; floats in full precision, non-finite ones as the strings nan, inf and -inf."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO

from loopwright.reading import open_plain

Record = dict[str, Any]

MAX_LINE_BYTES = 1_000_000
"""Of one record. A step has some hundred bytes; what is longer is no record of ours, and is never held as a whole."""

NON_FINITE = {"nan": math.nan, "inf": math.inf, "-inf": -math.inf}


def to_line(record: Mapping[str, Any]) -> str:
    """One line of history.jsonl, without its end."""
    try:
        return json.dumps(record, allow_nan=False, separators=(",", ":"))
    except ValueError:
        return json.dumps(finite(record), allow_nan=False, separators=(",", ":"))


def same_number(a: object, b: object) -> bool:
    """Whether two numbers of records are the same: their texts tell -0.0 from 0.0, and NaN equals itself."""
    return to_line({"": a}) == to_line({"": b})


def finite(value: Any) -> Any:
    """The same with each non-finite float as a string, for JSON has no such numbers."""
    if isinstance(value, float) and not math.isfinite(value):
        return str(float(value))
    if isinstance(value, Mapping):
        return {key: finite(entry) for key, entry in value.items()}
    return [finite(entry) for entry in value] if isinstance(value, list | tuple) else value


def revive(value: Any) -> Any:
    """The inverse of `finite`: the strings nan, inf and -inf are floats again."""
    if isinstance(value, str):
        return NON_FINITE.get(value, value)
    if isinstance(value, dict):
        return {key: revive(entry) for key, entry in value.items()}
    return [revive(entry) for entry in value] if isinstance(value, list) else value


def scan_history(
    path: Path, *, revived: bool = False, unreadable: Callable[[int], object] = lambda number: None
) -> Iterator[Record]:
    """The records of a history in their order, one at a time; `revived` as `revive` gives them.

    A line that is no record, such as a torn last one, is left out, and `unreadable` is told its number (from 1). Raises
    OSError where the file cannot be read.
    """
    with open_plain(path) as file:
        for number, line in enumerate(beginnings(file), start=1):
            if not line.strip():
                continue
            record = parse(line)
            if record is None:
                unreadable(number)
            else:
                # Nearly no line holds such a string, and looking into every record would double the time.
                yield revive(record) if revived and (b'nan"' in line or b'inf"' in line) else record


def beginnings(file: BinaryIO) -> Iterator[bytes]:
    """The lines of a file; of one that is too long, its beginning."""
    while line := file.readline(MAX_LINE_BYTES):
        yield line
        while line and not line.endswith(b"\n"):
            line = file.readline(MAX_LINE_BYTES)


def blocks(file: BinaryIO, size: int = 1 << 20) -> Iterator[bytes]:
    """Whole lines, about `size` bytes of them at a time; of a line that is too long, its beginning, as `beginnings`
    has it. The last block alone may end without an end of line."""
    while block := file.read(size):
        if not block.endswith(b"\n"):
            block += (rest := file.readline(MAX_LINE_BYTES))
            while rest and not rest.endswith(b"\n"):
                rest = file.readline(MAX_LINE_BYTES)
                block = block + b"\n" if rest.endswith(b"\n") else block
        yield block


def parse(line: bytes) -> Record | None:
    """The record that a line holds; None where it holds none."""
    try:
        record = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return record if isinstance(record, dict) else None


def read_history(path: Path) -> list[Record]:
    """All records of a history, non-finite floats as strings, so that they compare; none where there is no file."""
    return list(scan_history(path)) if path.is_file() else []


def comparable(record: Mapping[str, Any]) -> Record:
    """A record without the clock: what is equal when two runs are."""
    return {key: value for key, value in record.items() if key != "seconds"}
