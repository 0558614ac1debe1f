"""`loopwright report RUN`: make plots and report of a run again, from its record."""

from __future__ import annotations

from pathlib import Path

from loopwright.cli.parsing import parser
from loopwright.errors import printable
from loopwright.journal.runs import open_run
from loopwright.report import write_report


def run(arguments: list[str]) -> int:
    """Write report.html, report.md and the plots of a run."""
    options = parser("report", "Make a run's report.html, report.md and plots again, from its record.")
    options.add_argument("run", type=Path, help="a run directory, runs/digits-cnn/latest say")
    parsed = options.parse_all(arguments)
    print(printable(str(write_report(open_run(parsed.run))), 4000))
    return 0
