"""`loopwright list`: every experiment with one line on what it shows."""

from __future__ import annotations

import json

from loopwright.cli.parsing import parser
from loopwright.cli.tables import table
from loopwright.running.registry import entries


def run(arguments: list[str]) -> int:
    """Print the names and summaries of all experiments."""
    options = parser("list", "The experiments there are.")
    options.add_argument("--json", action="store_true", help="as JSON")
    parsed = options.parse_all(arguments)
    known = entries()
    if parsed.json:
        print(json.dumps({name: entry.summary for name, entry in known.items()}, indent=2))
    else:
        print(table([(name, entry.summary) for name, entry in known.items()]))
    return 0
