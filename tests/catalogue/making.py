"""Writes small run directories as training leaves them, without training anything."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

CONFIG = """\
format = 1
experiment = "{experiment}"
epochs = 2.0
steps = "none"
seed = {seed}
metric = "accuracy"
mode = "max"
shuffle = true

[optimizer]
type = "AdamW"
lr = {lr}
betas = [
    0.9,
    0.999,
]
"""


def write_run(
    root: Path,
    name: str,
    *,
    seed: int = 0,
    lr: float = 0.001,
    accuracy: float = 0.9,
    loss: float | str = 0.5,
    status: str = "finished",
) -> Path:
    """The run `root/name`; one that is not finished has no more than its history."""
    run = root / name
    (run / "logs").mkdir(parents=True)
    experiment, number = name.split("/")
    (run / "config.toml").write_text(CONFIG.format(experiment=experiment, seed=seed, lr=lr))
    write_json(run / "env.json", {"seed": seed, "started": f"2026-11-26T10:{int(number):02d}:00Z", "parameters": 10})
    write_json(run / "findings.json", {"findings": [{"severity": "error"}, {"severity": "note"}]})
    write_history(run, 4, accuracy)
    metrics: dict[str, object] = {"experiment": experiment, "status": status}
    if status == "finished":
        best, last = {"accuracy": accuracy, "loss": loss}, {"accuracy": accuracy - 0.1, "loss": loss}
        metrics |= {"steps": 4, "epochs": 2.0, "parameters": 10, "decided_by": {"metric": "accuracy", "mode": "max"}}
        metrics |= {"best": {"step": 3, "value": accuracy}, "claims": [{"holds": accuracy > 0.8}]}
        metrics |= {"timing": {"train_seconds": 1.5}}
        metrics |= {split: {"best": best, "last": last} for split in ("train", "val", "test")}
    write_json(run / "metrics.json", metrics)
    return run


@contextmanager
def held_by_another(run: Path) -> Iterator[None]:
    """The run is being trained, as far as anybody can tell: another process has its lock."""
    code = (
        "import pathlib, sys; from loopwright.journal.lock import claim_run; f = claim_run(pathlib.Path(sys.argv[1]))"
    )
    command = [sys.executable, "-c", f"{code}; print('ready', flush=True); sys.stdin.read()", str(run)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "ready\n"
        yield
        process.stdin.close()


def write_json(path: Path, value: object) -> None:
    path.write_text(json.dumps(value))


def write_history(run: Path, steps: int, accuracy: float) -> None:
    """Steps with an evaluation after each second one, the first of which is the best."""
    lines = []
    for step in range(1, steps + 1):
        lines.append({"kind": "step", "step": step, "epoch": 0, "loss": {"total": 1 / step}, "seconds": step})
        if step % 2 == 0:
            metrics = {"accuracy": accuracy - step / 100, "loss": step}
            lines.append({"kind": "validation", "step": step, "epoch": 0, "metrics": metrics, "seconds": step})
    with (run / "logs" / "history.jsonl").open("a") as file:
        file.writelines(json.dumps(line, separators=(",", ":")) + "\n" for line in lines)
