"""`loopwright diagnose RUN`: what a record alone tells, a run's or another tool's."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from loopwright.cli.parsing import parser
from loopwright.diagnosing import Curves, judge, read_curves
from loopwright.doctor.finding import Finding
from loopwright.errors import printable
from loopwright.journal.runs import ROOT
from loopwright.report.values import show
from loopwright.values import read_json, tables

ABOUT = """\
Findings from a record alone: a run directory; a CSV or JSONL file with a loss; trainer_state.json of Hugging Face; a
directory of TensorBoard event files. Exit code 1 where an error is found.
"""


def run(arguments: list[str]) -> int:
    """Read, judge, print."""
    options = parser("diagnose", ABOUT, usage="loopwright diagnose RUN|FILE [--json]")
    options.add_argument("record", type=Path, help="a run directory, a file, or a directory with event files")
    options.add_argument("--json", action="store_true", help="print the findings as JSON")
    parsed = options.parse_all(arguments)
    if not parsed.record.exists() and (ROOT / parsed.record).is_dir():
        parsed.record = ROOT / parsed.record
    curves = read_curves(parsed.record)
    found = judge(curves)
    watched = tables(read_json(parsed.record / "findings.json").get("findings")) if parsed.record.is_dir() else []
    if parsed.json:
        print(json.dumps({"findings": [one.as_dict() for one in found], "watched": watched}, indent=2))
    else:
        show_all(curves, found, watched)
    errors = [one for one in found if one.severity == "error"]
    return 1 if errors or any(one.get("severity") == "error" for one in watched) else 0


def show_all(curves: Curves, found: list[Finding], watched: list[dict[str, Any]]) -> None:
    """Findings as text; what was there to be judged, and what was not."""
    kinds = {
        "training loss": curves.loss,
        "validation loss": curves.val_loss,
        "validation accuracy": curves.accuracy,
        "rate": curves.rate,
        "gradient norm": curves.norm,
    }
    had = [f"{name} ({len(curve)})" for name, curve in kinds.items() if curve]
    missing = [name for name, curve in kinds.items() if not curve]
    print(printable(f"{curves.origin}: {', '.join(had)}", 400))
    for one in watched:
        print(
            printable(
                f"\nseen while it ran: {show(one.get('severity'))}: {show(one.get('cause'))} (step "
                f"{show(one.get('step'))}): {show(one.get('evidence'))}",
                600,
            )
        )
    for finding in found:
        print(printable("\n" + finding.text(), 2000))
    if not found and not watched:
        print("nothing wrong can be told from it")
    print(
        printable(
            f"\nnot in the record: {', '.join(missing) or 'nothing'}; order of calls, modes, masks and splits "
            "cannot be told from a record: loopwright watch looks at those",
            400,
        )
    )
