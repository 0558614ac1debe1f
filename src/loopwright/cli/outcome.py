"""The end of a run on the terminal: a table of results, the report, and as the last line the run directory."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from loopwright.cli.tables import table
from loopwright.protocols import SPLITS
from loopwright.running.summary import read_json


def conclude(run: Path) -> int:
    """Print a finished run's results on stdout; 1 where it missed a claim of its experiment, else 0."""
    metrics = read_json(run / "metrics.json")
    if "members" in metrics:
        print_conclusion(run)
    elif any(split in metrics for split in SPLITS):
        print(table(results(metrics), right=frozenset({2, 3})))
    for claim in metrics.get("claims", []):
        print(f"claim  {sentence(claim)}")
    if "claims_dropped" in metrics:
        print(f"claims not judged: {metrics['claims_dropped']}")
    if "members" not in metrics:
        print(f"next   loopwright evaluate {run}   loopwright report {run}   loopwright runs")
    if (run / "report.html").is_file():
        print(f"report {run / 'report.html'}")
    print(run)
    return 0 if all(claim["holds"] for claim in metrics.get("claims", [])) else 1


def print_conclusion(run: Path) -> None:
    """The tables that a study wrote over its members."""
    for path in sorted((run / "artifacts").glob("*.json")):
        shown = read_json(path)
        print(table([shown["columns"], *shown["rows"]], right=frozenset(range(1, len(shown["columns"])))))
        print(shown.get("note", ""))


def results(metrics: dict[str, Any]) -> list[tuple[object, ...]]:
    """A row for each split and metric: with the last weights and with the best."""
    head = ("split", "metric", f"last (step {metrics['steps']})", f"best (step {metrics['best']['step']})")
    rows: list[tuple[object, ...]] = [head]
    for split in SPLITS:
        of = metrics.get(split, {"last": {}, "best": {}})
        rows += [(split, name, of["last"][name], of["best"].get(name)) for name in of["last"]]
    return rows


def sentence(claim: dict[str, Any]) -> str:
    """A claim and whether it holds, in words."""
    bounds = [
        f"{words} {claim[key]:g}" for key, words in (("at_least", "at least"), ("at_most", "at most")) if key in claim
    ]
    reached = claim["reached"]
    number = f"{reached:.5g}" if isinstance(reached, float | int) else str(reached)
    return f"{claim['metric']} {' and '.join(bounds)}: reached {number}, {'holds' if claim['holds'] else 'MISSED'}"
