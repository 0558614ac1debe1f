"""Tables for the report."""

from __future__ import annotations

import json
from pathlib import Path

from loopwright.files import write_text
from loopwright.lines import finite
from loopwright.metrics import Table


def write_table(table: Table, path: Path) -> None:
    """Write `table` durably as JSON for the report, non-finite numbers as the texts nan, inf and -inf."""
    write_text(path, json.dumps(finite(table), indent=1) + "\n")
