"""`loopwright gate DIR`: is a project done for this week? Its tests, its runs, what it is to say."""

from __future__ import annotations

import json
import math
from dataclasses import asdict
from pathlib import Path

from loopwright.cli.parsing import parser
from loopwright.cli.tables import table
from loopwright.errors import UsageError
from loopwright.scaffold import check_project
from loopwright.scaffold.gate import LIMIT_MINUTES


def run(arguments: list[str]) -> int:
    """Print a line for each item; 1 where something is missing."""
    options = parser("gate", "Whether a project is done: tests pass, a finished run, every question answered.")
    options.add_argument("project", type=Path, nargs="?", default=Path(), metavar="DIR", help="a project (here)")
    options.add_argument("--no-tests", action="store_true", help="do not run the project's own tests")
    options.add_argument(
        "--minutes", type=float, default=LIMIT_MINUTES, metavar="N", help="so long the tests may take (30)"
    )
    options.add_argument("--json", action="store_true", help="as JSON")
    parsed = options.parse_all(arguments)
    if not 0 < parsed.minutes < math.inf:
        raise UsageError(f"gate: --minutes {parsed.minutes}: must be more than 0")
    items = check_project(parsed.project, tests=not parsed.no_tests, minutes=parsed.minutes)
    missing = sum(not item.done for item in items)
    if parsed.json:
        print(json.dumps([asdict(item) for item in items], indent=2))
    else:
        print(table([("done" if item.done else "open", item.what, item.found) for item in items]))
        print(f"\n{missing} of {len(items)} items are open" if missing else "\nall is done")
    return 1 if missing else 0
