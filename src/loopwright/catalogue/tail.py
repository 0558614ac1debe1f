"""The end of a history: how far a run is that has no summary yet, without reading all of it."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from loopwright.lines import parse, revive
from loopwright.reading import open_plain
from loopwright.values import Table, number, numbers, table, whole

TAIL_BYTES = 2_000_000
"""Some ten thousand steps, looked through in milliseconds."""


def tail_of(history: Path) -> Table:
    """`step` and `loss` of the last step, and the `validations` at the end, step and metrics each; of `whole`, all.

    An empty table where there is nothing to be read.
    """
    with suppress(OSError), open_plain(history) as file:
        start = max(0, os.fstat(file.fileno()).st_size - TAIL_BYTES)
        file.seek(start)
        # Where it begins within a line, the rest of that line is no record.
        lines = file.read(TAIL_BYTES).split(b"\n")[1 if start else 0 :]
        return {**last_step(lines), "validations": validations(lines), "whole": start == 0}
    return {}


def last_step(lines: list[bytes]) -> Table:
    """Step and loss in the last line of a step."""
    for line in reversed(lines):
        record = parse(line) if b'"step"' in line else None
        if record is not None and record.get("kind") == "step" and (step := whole(record.get("step"))) is not None:
            record = revive(record)
            return {"step": step, "loss": number(table(record, "loss").get("total"))}
    return {}


def validations(lines: list[bytes]) -> list[Table]:
    """The evaluations in some lines."""
    found = [parse(line) for line in lines if b'"validation"' in line]
    records = [revive(record) for record in found if record is not None and record.get("kind") == "validation"]
    return [
        {"step": step, "metrics": numbers(record.get("metrics"))}
        for record in records
        if (step := whole(record.get("step"))) is not None
    ]
