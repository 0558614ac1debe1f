"""What a study of clipping concludes: how often each threshold clipped, and what became of norm and loss."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from loopwright.core import Experiment
from loopwright.core.study import Results
from loopwright.lines import Record
from loopwright.metrics import Table as ReportTable
from loopwright.studies.members import panels, reached, records
from loopwright.tasks.tables import write_table

COLUMNS = [
    "clip norm",
    "seed",
    "status",
    "steps",
    "largest norm",
    "steps clipped",
    "last train loss",
    "best val accuracy",
]
EXPLAINED = (
    "Plain gradient descent with momentum at a rate of 0.5, which is too high; clip norm 0 is no clipping. "
    "The norm is that before clipping. A run that ends as failed met a loss or gradient that is not finite."
)


def conclude(results: Results, directory: Path) -> None:
    """Write the table clipping.json and the picture clipping.svg."""
    histories = [records(metrics, "step") for _, metrics in results]
    rows = [cells(member, metrics, steps) for (member, metrics), steps in zip(results, histories, strict=True)]
    write_table(ReportTable(title="Clipping", columns=COLUMNS, rows=rows, note=EXPLAINED), directory / "clipping.json")
    draw([member for member, _ in results], histories, directory / "clipping.svg")


def cells(member: Experiment, metrics: Mapping[str, Any], steps: list[Record]) -> list[str | int | float]:
    """A row of the table."""
    norms = [record["grad_norm"] for record in steps]
    clipped = sum(norm > member.clip_norm > 0 for norm in norms)
    last = steps[-1]["loss"]["total"] if steps else math.nan
    accuracy = reached(metrics, "val").get("accuracy", math.nan)
    largest = max(norms, default=math.nan)
    return [member.clip_norm, member.seed, metrics["status"], len(steps), largest, clipped, last, accuracy]


def draw(members: list[Experiment], histories: list[list[Record]], path: Path) -> None:
    """Gradient norm before clipping and training loss of the lowest seed, one color for each threshold."""
    shown = min(member.seed for member in members)
    with panels(path, 2, (10, 3.6)) as (left, right):
        for member, steps in zip(members, histories, strict=True):
            if member.seed == shown:
                label = f"clip norm {member.clip_norm:g}" if member.clip_norm else "no clipping"
                left.plot([record["step"] for record in steps], [record["grad_norm"] for record in steps], label=label)
                right.plot([record["step"] for record in steps], [record["loss"]["total"] for record in steps])
        left.set(yscale="log", title="Gradient norm before clipping", xlabel="step")
        right.set(yscale="log", title="Training loss", xlabel="step")
        left.legend()
