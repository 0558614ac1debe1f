"""`loopwright archive RUN… [--undo]`: hidden from listings, where it is; nothing is moved."""

from __future__ import annotations

from pathlib import Path

from loopwright.cli.parsing import parser
from loopwright.journal.runs import open_run
from loopwright.labels import archive


def run(arguments: list[str]) -> int:
    """Mark runs as archived, or no longer; print them."""
    options = parser("archive", "Hide runs from listings (loopwright runs --archived shows them). Nothing is moved.")
    options.add_argument("runs", nargs="+", type=Path, metavar="RUN", help="a run: its directory, or digits-cnn/001")
    options.add_argument("--undo", action="store_true", help="show them again")
    parsed = options.parse_all(arguments)
    for directory in [open_run(path, sweeps=True) for path in parsed.runs]:
        archive(directory, undo=parsed.undo)
        print(directory)
    return 0
