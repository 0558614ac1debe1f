"""`loopwright runs`: the runs there are, with their results."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from loopwright.cli.parsing import parser
from loopwright.cli.tables import table
from loopwright.journal.lock import being_trained
from loopwright.journal.runs import list_runs
from loopwright.lines import revive
from loopwright.report.values import number, tables, whole
from loopwright.report.values import table as table_at
from loopwright.running.summary import read_json


def run(arguments: list[str]) -> int:
    """Print a line for each run; reads the summaries, never a history."""
    options = parser("runs", "The runs there are, with their results.")
    options.add_argument("--run-dir", type=Path, default=Path("runs"), help="where to look (runs)")
    options.add_argument("--json", action="store_true", help="as JSON")
    parsed = options.parse_all(arguments)
    found = [(directory, read_json(directory / "metrics.json")) for directory in list_runs(parsed.run_dir)]
    if parsed.json:
        print(json.dumps([{"run": str(directory), **metrics} for directory, metrics in found], indent=2))
    elif not found:
        print(f"no runs in {parsed.run_dir}; make one: loopwright train digits-cnn --run-dir {parsed.run_dir}")
    else:
        print(
            table(
                [HEAD, *(line(directory, metrics) for directory, metrics in found)],
                right=frozenset({2, 4, 5}),
            )
        )
    return 0


HEAD = ("run", "status", "steps", "metric", "val best", "test best", "claims")


def line(directory: Path, metrics: dict[str, Any]) -> tuple[object, ...]:
    """The cells of one run."""
    name = str(table_at(metrics, "decided_by").get("metric") or "")
    values = [number(revive(table_at(metrics, split, "best").get(name))) for split in ("val", "test")]
    claims = [claim.get("holds") is True for claim in tables(metrics.get("claims"))]
    held = "" if not claims else "hold" if all(claims) else "missed"
    return str(directory), status(directory, metrics), whole(metrics.get("steps")), name, *values, held


def status(directory: Path, metrics: dict[str, Any]) -> str:
    """What became of a run; one that says it is running, while no process holds it, was killed."""
    said = str(metrics.get("status", "unknown"))
    killed = said == "running" and "members" not in metrics and not being_trained(directory)
    return "killed" if killed else said
