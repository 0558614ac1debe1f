"""Plain aligned tables for the terminal."""

from __future__ import annotations

from collections.abc import Sequence

from loopwright.errors import printable


def table(rows: Sequence[Sequence[object]], *, right: frozenset[int] = frozenset()) -> str:
    """`rows` in columns two spaces apart, numbers with four digits; the columns in `right` end flush."""
    cells = [[cell(value) for value in row] for row in rows]
    if not cells:
        return ""
    widths = [max(len(row[column]) for row in cells) for column in range(len(cells[0]))]
    lines = [
        "  ".join(
            text.rjust(width) if i in right else text.ljust(width)
            for i, (text, width) in enumerate(zip(row, widths, strict=True))
        )
        for row in cells
    ]
    return "\n".join(line.rstrip() for line in lines)


def cell(value: object) -> str:
    """A value as a table shows it."""
    if isinstance(value, float):
        return f"{value:.4g}"
    return "" if value is None else " ".join(printable(str(value), 200).split())
