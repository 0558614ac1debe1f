"""An audit as a table for a terminal of a given width."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

from loopwright.auditing.audit import DELETABLE, Audit, Check

HEAD = ("check", "seconds", "what was done", "compared", "result")
LEGEND = "everything: each leaf of the states in last.pt and best.pt, history.jsonl, metrics.json"
SEPARATOR = "  "
SHARES = (0.4, 0.2, 0.4)
"""Of what the first two columns leave."""
LEAST = 12


def as_table(audit: Audit, width: int = 120) -> str:
    """The checks of `audit` in columns; long cells go on below, so that no line is longer than `width`."""
    lines = [HEAD, *map(cells, audit.checks)]
    fixed = [max(len(line[column]) for line in lines) for column in range(2)]
    room = width - sum(fixed) - len(SEPARATOR) * (len(HEAD) - 1)
    wanted = [max(len(line[column]) for line in lines) for column in range(2, len(HEAD))]
    return "\n".join(wrapped(line, [*fixed, *fitted(wanted, room)]) for line in lines)


def cells(check: Check) -> tuple[str, ...]:
    """A check's texts."""
    finding = check.finding
    return check.name, f"{check.seconds:.1f}".rjust(len(HEAD[1])), finding.how, finding.compared, result(check)


def result(check: Check) -> str:
    """What came out, in words."""
    finding = check.finding
    joint = " " if finding.verdict == "same" else ": "
    return f"{finding.verdict}{joint}{finding.detail}"


def fitted(wanted: Sequence[int], room: int) -> list[int]:
    """Widths of columns that want `wanted` and have `room` together; each at least LEAST."""
    if sum(wanted) <= room:
        return list(wanted)
    widths = [max(LEAST, min(want, int(share * room))) for want, share in zip(wanted, SHARES, strict=True)]
    return [*widths[:-1], max(LEAST, room - sum(widths[:-1]))]


def wrapped(line: Sequence[str], widths: Sequence[int]) -> str:
    """One line of the table, or several where a cell is too long."""
    columns = [textwrap.wrap(text, width) or [""] for text, width in zip(line, widths, strict=True)]
    height = max(map(len, columns))
    rows = ([column[row] if row < len(column) else "" for column in columns] for row in range(height))
    return "\n".join(
        SEPARATOR.join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip() for row in rows
    )


def ending(audit: Audit) -> list[str]:
    """What the table means, line by line: what everything is, and which checks are not the same and how to go on."""
    same = [check for check in audit.checks if check.finding.verdict == "same"]
    unproved = f"; not proved: {listed(audit.unproved)}" if audit.unproved else ""
    if not audit.broken:
        return [LEGEND, f"{audit.name}: {len(same)} of {len(audit.checks)} checks the same, none differs{unproved}"]
    lines = [
        LEGEND,
        f"{audit.name}: NOT the same: {listed(audit.broken)}{unproved}",
        f"runs   {audit.directory} {DELETABLE}",
    ]
    pairs = [check.finding.pair for check in audit.broken if check.finding.pair]
    further = [check.finding.further for check in audit.broken if check.finding.further]
    return [*lines, *(f"next   loopwright bisect {a} {b}" for a, b in pairs), *further]


def listed(checks: Sequence[Check]) -> str:
    """The names of checks."""
    return ", ".join(check.name for check in checks)
