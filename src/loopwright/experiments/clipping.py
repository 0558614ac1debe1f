"""What clipping does: the same network at a rate that is too high for it, without clipping and with two thresholds."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from loopwright.core import SGD, Constant, Expect, Experiment, Study
from loopwright.core.study import Results
from loopwright.experiments.digits import digits_mlp
from loopwright.lines import Record, scan_history
from loopwright.metrics import Table as ReportTable
from loopwright.tasks.tables import write_table

THRESHOLDS = (0.0, 1.0, 0.5)
SEEDS = (0, 1)
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


def digits_clipping() -> Study:
    """digits-mlp at a rate that is too high, without clipping and with thresholds of 1.0 and 0.5, two seeds each."""
    members = [member(clip_norm, seed) for clip_norm in THRESHOLDS for seed in SEEDS]
    return Study("digits-clipping", tuple(members), conclude)


def member(clip_norm: float, seed: int) -> Experiment:
    """A short `digits-mlp` under momentum at a constant, high rate."""
    hot = replace(digits_mlp(), optimizer=SGD(lr=0.5), schedule=Constant(), epochs=10.0, threads=1, expect=Expect())
    return replace(hot, name=f"clip{clip_norm:g}-seed{seed}", clip_norm=clip_norm, seed=seed)


def conclude(results: Results, directory: Path) -> None:
    """Write the table clipping.json and the picture clipping.svg."""
    histories = [steps_of(metrics) for _, metrics in results]
    rows = [cells(member, metrics, steps) for (member, metrics), steps in zip(results, histories, strict=True)]
    write_table(ReportTable(title="Clipping", columns=COLUMNS, rows=rows, note=EXPLAINED), directory / "clipping.json")
    draw([member for member, _ in results], histories, directory / "clipping.svg")


def steps_of(metrics: Mapping[str, Any]) -> list[Record]:
    """The step records of a member."""
    path = Path(metrics["run"]) / "logs" / "history.jsonl"
    return [record for record in scan_history(path, revived=True) if record.get("kind") == "step"]


def cells(member: Experiment, metrics: Mapping[str, Any], steps: list[Record]) -> list[str | int | float]:
    """A row of the table."""
    norms = [record["grad_norm"] for record in steps]
    clipped = sum(norm > member.clip_norm > 0 for norm in norms)
    last = steps[-1]["loss"]["total"] if steps else math.nan
    accuracy = metrics.get("val", {}).get("best", {}).get("accuracy", math.nan)
    largest = max(norms, default=math.nan)
    return [member.clip_norm, member.seed, metrics["status"], len(steps), largest, clipped, last, accuracy]


def draw(members: list[Experiment], histories: list[list[Record]], path: Path) -> None:
    """Gradient norm before clipping and training loss of the first seed, one color for each threshold."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(10, 3.6), layout="constrained")
    left, right = figure.subplots(1, 2)
    for member, steps in zip(members, histories, strict=True):
        if member.seed == SEEDS[0]:
            label = f"clip norm {member.clip_norm:g}" if member.clip_norm else "no clipping"
            left.plot([record["step"] for record in steps], [record["grad_norm"] for record in steps], label=label)
            right.plot([record["step"] for record in steps], [record["loss"]["total"] for record in steps])
    left.set(yscale="log", title="Gradient norm before clipping", xlabel="step")
    right.set(yscale="log", title="Training loss", xlabel="step")
    left.legend()
    figure.savefig(path, metadata={"Date": None})
