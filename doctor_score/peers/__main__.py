"""What four other tools say of everyday faults, beside the doctor: `python -m doctor_score.peers --python PYTHON`.

One small training, a classifier of sklearn's digits, is written as a loop with seams. A fault is injected into it, a
tool is called at the seams as its documentation says, and what the tool reports is mapped to our names of causes. Each
run has a process of its own; the peers' runs use another interpreter, PYTHON, in which they are installed (--help says
how).

A report counts from warning level on. What a tool also says, at the same level, of the healthy twin of the same seed
says nothing about a fault and does not count. Advice about hardware and style is no alarm.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from doctor_score.peers.reports import FAULTS, OURS, SEEDS
from doctor_score.peers.running import Row, measure, probe, work
from doctor_score.peers.tools import TOOLS


def table(rows: Sequence[Row]) -> str:
    """Faults down, tools across, and the totals."""
    wide = max(map(len, FAULTS)) + 2
    lines = [["", *(row.tool for row in rows)], ["version", *(row.version or "-" for row in rows)]]
    lines += [[fault, *(row.verdict(fault) for row in rows)] for fault in FAULTS]
    lines += [[f"total {kind}", *(total(row, kind) for row in rows)] for kind in ("named", "alarm only", "silent")]
    lines += [[f"false alarms, {len(SEEDS)} healthy runs", *(healthy(row) for row in rows)]]
    text = "\n".join(line[0].ljust(wide + 3) + "".join(each.ljust(14) for each in line[1:]).rstrip() for line in lines)
    notes = [f"{row.tool}: {row.unusable or row.called}" for row in rows]
    for row in rows:
        notes += [f"{row.tool} on healthy: {rule}" for rule in sorted({each.rule for each in row.false_alarms()})]
        notes += [
            f"{row.tool}: {each.fault}: {each.error}" for each in [*row.healthy, *row.faults.values()] if each.error
        ]
    return text + "\n\n" + "\n".join(notes)


def total(row: Row, kind: str) -> str:
    """Of all faults, how many."""
    return "-" if row.unusable else f"{row.count(kind)}/{len(FAULTS)}"


def healthy(row: Row) -> str:
    """False alarms: their number, and in how many runs."""
    if row.unusable:
        return "-"
    return f"{len(row.false_alarms())} in {sum(bool(one.alarms) for one in row.healthy)} runs"


def as_json(rows: Sequence[Row]) -> dict[str, Any]:
    """Everything."""
    return {row.tool: row_json(row) for row in rows}


def row_json(row: Row) -> dict[str, Any]:
    """A tool, for JSON."""
    head = {"version": row.version, "called": row.called, "unusable": row.unusable}
    if row.unusable:
        return head
    totals = {kind: row.count(kind) for kind in ("named", "alarm only", "silent", "error")}
    fine = [{**asdict(each), "said": [asdict(one) for one in each.alarms]} for each in row.healthy]
    return {**head, "totals": totals, "faults": {fault: row.cell(fault) for fault in FAULTS}, "healthy": fine}


def reason_without(python: str | None) -> str:
    """Why the peers cannot be run; empty where they can."""
    if python is None:
        return "the peers are not run: name an interpreter that has them with --python"
    return "" if Path(python).is_file() else f"the peers are not run: {python}: no such interpreter"


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print, keep."""
    parser = argparse.ArgumentParser(
        prog="python -m doctor_score.peers",
        description="What other tools and the doctor say of everyday faults in one small training.",
        epilog="To have the peers: python3 -m venv DIR; DIR/bin/pip install torch scikit-learn torch-audit torchmortem "
        "torchtest2 trainproof; then --python DIR/bin/python.",
    )
    parser.add_argument("--python", help="an interpreter with the peers installed; without it only our row is measured")
    parser.add_argument("--only", metavar="NAME", choices=list(TOOLS), help=f"one tool: {', '.join(TOOLS)}")
    parser.add_argument("--json", metavar="FILE", type=Path, help="write everything there")
    parser.add_argument("--work", nargs=3, metavar=("TOOL", "FAULT", "SEED"), help=argparse.SUPPRESS)
    parser.add_argument("--probe", metavar="TOOL", help=argparse.SUPPRESS)
    told = parser.parse_args(arguments)
    if told.probe:
        print(json.dumps(probe(told.probe)))
        return 0
    if told.work:
        tool, fault, seed = told.work
        print(json.dumps(work(tool, fault, int(seed))))
        return 0
    reason = reason_without(told.python)
    tools = [told.only] if told.only else list(TOOLS)
    if reason and tools != [OURS]:
        print(reason)
        tools = [OURS]
    rows = [measure(sys.executable if tool == OURS else told.python, tool) for tool in tools]
    print(table(rows))
    if told.json:
        told.json.write_text(json.dumps(as_json(rows), indent=1) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
