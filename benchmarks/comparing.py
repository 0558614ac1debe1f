"""`loopwright compare` on twenty runs of a million steps: from the command to its end, page written."""

from __future__ import annotations

import json
import math
import os
import shutil
import tempfile
from pathlib import Path

from startup import COMMAND, call
from timing import Section, Spread, show, timed

RUNS, STEPS, EVERY = 20, 1_000_000, 1000
ROUNDS = 5
TARGET = 5.0
CONFIG = """\
experiment = "long"
steps = {steps}
seed = {seed}
metric = "loss"
mode = "min"

[optimizer]
type = "AdamW"
lr = {rate}
"""


def write_history(path: Path, steps: int) -> float:
    """A history as training writes it; the last validation loss."""
    level = 1.0
    with path.open("w") as file:
        for step in range(1, steps + 1):
            level = 0.1 + 2.0 * math.exp(-6.0 * step / steps)
            loss = level * (1.0 + 0.3 * math.sin(12.9898 * step))
            total, norm, seconds = repr(loss), repr(1.0 + loss), repr(step * 0.0011)
            file.write(
                f'{{"kind":"step","step":{step},"epoch":{step // EVERY},"lr":0.001,"samples":64,'
                f'"loss":{{"total":{total},"cross_entropy":{total}}},"grad_norm":{norm},"seconds":{seconds}}}\n'
            )
            if step % EVERY == 0:
                metrics = {"loss": level + 0.02, "accuracy": 1.0 - 0.3 * level}
                record = {"kind": "validation", "step": step, "epoch": step // EVERY, "metrics": metrics}
                file.write(json.dumps({**record, "seconds": step * 0.0011}) + "\n")
    return level + 0.02


def write_runs(root: Path, runs: int, steps: int) -> list[Path]:
    """Runs of two rates, over seeds; all have the same history, as names of one file."""
    history = root / "history.jsonl"
    root.mkdir(parents=True)
    loss = write_history(history, steps)
    made = []
    for number in range(runs):
        run = root / "long" / f"{number + 1:03d}"
        (run / "logs").mkdir(parents=True)
        os.link(history, run / "logs" / "history.jsonl")
        rate, seed = (0.001, 0.003)[number % 2], number // 2
        (run / "config.toml").write_text(CONFIG.format(steps=steps, seed=seed, rate=rate))
        (run / "env.json").write_text(json.dumps({"seed": seed, "data_sha256": "0", "parameters": 1000}))
        reached = {"best": {"loss": loss + seed / 1000}, "last": {"loss": loss + seed / 1000}}
        summary = {"experiment": "long", "status": "finished", "stopped": "budget", "steps": steps, "val": reached}
        (run / "metrics.json").write_text(json.dumps({**summary, "decided_by": {"metric": "loss", "mode": "min"}}))
        (run / "findings.json").write_text("[]")
        made.append(run)
    # By this link a root of runs is known, below which histories that were read are kept as columns.
    (root / "long" / "latest").symlink_to(made[-1].name)
    return made


def measure(*, quick: bool) -> Section:
    """One table: seconds for a first comparison, whose histories were never read, and for later ones."""
    steps, rounds = (STEPS // 50, 1) if quick else (STEPS, ROUNDS)
    with tempfile.TemporaryDirectory(dir="build") as folder:
        root = Path(folder) / "runs"
        show("comparing: writing the runs")
        runs = write_runs(root, RUNS, steps)
        command = [COMMAND, "compare", *map(str, runs), "--quiet", "--out", str(Path(folder) / "out")]

        def compare() -> float:
            return timed(lambda: call(*command))

        show("comparing: the first time")
        first = compare()
        later = Spread.of([compare() for _ in range(rounds)])
        page = (Path(folder) / "out" / "report.html").stat().st_size
        shutil.rmtree(root / ".loopwright", ignore_errors=True)
    show("")
    met = "met" if later.median < TARGET else "MISSED"
    return Section(
        title=f"comparing: {RUNS} runs of {steps:,} steps, wall time of a process of its own",
        columns=("what", "seconds", "target"),
        rows=[
            ("the first time, histories never read", f"{first:.2f}", ""),
            (f"later, median (quartiles) of {rounds}", later.shown(2), f"below {TARGET:g}: {met}"),
        ],
        notes=(f"the page has {page / 1e3:,.0f} kB",),
        data={"first": first, "later": vars(later), "page_bytes": page},
    )
