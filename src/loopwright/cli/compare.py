"""`loopwright compare RUN RUN…`: what differs, whether it is more than noise, what it cost."""

from __future__ import annotations

import math
import sys
from collections.abc import Iterator
from pathlib import Path

from tqdm import tqdm

from loopwright.cli.parsing import parser
from loopwright.cli.tables import table
from loopwright.comparing import compare
from loopwright.comparing.data import as_json
from loopwright.comparing.document import document
from loopwright.comparing.terminal import told
from loopwright.comparing.writing import Files, next_directory, write_files
from loopwright.errors import UsageError, printable

ABOUT = """\
Runs beside each other: the configuration keys that differ, and only those; whether it is a controlled comparison, and
if not, why; results over seeds with a permutation test; what quality costs; curves; code. Runs that differ by their
seed alone are one group; the first group is the baseline. A study stands for its members, a directory such as
runs/points for the runs in it.

  loopwright compare runs/points/001 runs/points/002
  loopwright compare runs/points --baseline runs/points/003 --metric test.accuracy
  loopwright compare runs/points/001 runs/digits-mlp/001 --out report.md

Writes a page, report.md, comparison.json and plots into runs/comparisons/NNN beside the runs, or where --out says. The
last line is the page. Exit code 2 where there is nothing to compare.
"""


def run(arguments: list[str]) -> int:
    """Compare, print, write."""
    options = parser("compare", ABOUT)
    options.add_argument("runs", nargs="*", type=Path, metavar="RUN", help="run directories, studies, runs/NAME")
    options.add_argument("--baseline", type=Path, metavar="RUN", help="what the others are compared with (the first)")
    options.add_argument("--metric", metavar="M", help="what decides: loss, test.loss, val.last.loss (as configured)")
    options.add_argument(
        "--target", type=float, metavar="X", help="time the first reaching of this value (the worst best)"
    )
    options.add_argument("--out", type=Path, metavar="PATH", help="a directory, report.md or page.html")
    options.add_argument("--json", action="store_true", help="print JSON; files are written with --out alone")
    options.add_argument("--quiet", action="store_true", help="no progress on stderr")
    parsed = options.parse_all(arguments)
    if not parsed.runs:
        raise UsageError("compare: which runs? as in loopwright compare runs/points/001 runs/points/002")
    if parsed.target is not None and not math.isfinite(parsed.target):
        raise UsageError(f"compare: --target {parsed.target}: must be a finite number, as in --target 0.9")
    files = Files.at(parsed.out) if parsed.out else None
    if files:
        files.check()

    def tell(paths: list[Path]) -> Iterator[Path]:
        silent = True if parsed.quiet else None
        yield from tqdm(paths, unit="run", desc="reading", file=sys.stderr, disable=silent, leave=False, delay=2)

    found = compare(parsed.runs, baseline=parsed.baseline, metric=parsed.metric, target=parsed.target, tell=tell)
    written = document(found, ["loopwright", "compare", *arguments])
    if parsed.json:
        page = write_files(found, written, files) if files else None
        print(as_json(found, written, page=page))
        return 0
    for part in told(found, written):
        print(printable(part, 2000) if isinstance(part, str) else table(part))
    print(write_files(found, written, files or Files.below(next_directory(parsed.runs[0]))))
    return 0
