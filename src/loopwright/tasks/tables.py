"""Tables with a note, for the report: what a number means and what follows from it, in plain words."""

from __future__ import annotations

import json
from pathlib import Path

from loopwright.files import write_text
from loopwright.lines import finite
from loopwright.metrics import Table


class NotedTable(Table):
    """A table and the sentences that are shown under it."""

    note: str


def write_noted(table: NotedTable, path: Path) -> None:
    """Write `table` durably as JSON, non-finite numbers as the texts nan, inf and -inf."""
    write_text(path, json.dumps(finite(table), indent=1) + "\n")
