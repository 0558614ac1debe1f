"""Writes plausible run directories, so that reports can be tested without training anything."""

from __future__ import annotations

import json
import math
import random
from pathlib import Path

from fake_pictures import picture, png

CONFIG = """\
experiment = "digits-cnn"
epochs = 20
batch_size = 64
seed = 0
clip_norm = 1.0
metric = "accuracy"
mode = "max"

[optimizer]
name = "adamw"
lr = 0.001
weight_decay = 0.01

[schedule]
name = "warmup-cosine"
warmup = 44
total = 440
"""


def write_run(run: Path, *, steps: int = 440, every: int = 22, seed: int = 0) -> Path:
    """A finished run of `steps` steps, evaluated each `every` steps, with all files that a run has."""
    draw = random.Random(seed)
    for folder in ("logs", "checkpoints", "plots", "artifacts"):
        (run / folder).mkdir(parents=True, exist_ok=True)
    (run / "config.toml").write_text(CONFIG)
    (run / "findings.json").write_text("[]")
    write_json(run / "env.json", environment())
    validations = write_history(run / "logs" / "history.jsonl", draw, steps, every)
    if validations:
        write_json(run / "metrics.json", summary(validations, steps))
    write_artifacts(run / "artifacts", draw)
    return run


def write_json(path: Path, value: object) -> None:
    path.write_text(json.dumps(value, indent=2))


def append_history(run: Path, *records: dict[str, object]) -> None:
    with (run / "logs" / "history.jsonl").open("a") as file:
        file.writelines(json.dumps(record) + "\n" for record in records)


def step_record(step: int, loss: object, **others: object) -> dict[str, object]:
    parts = {"total": loss, "cross_entropy": loss}
    base = {
        "kind": "step",
        "step": step,
        "epoch": 0,
        "lr": 1e-3,
        "samples": 64,
        "loss": parts,
        "grad_norm": 1.2,
    }
    return base | {"seconds": step / 100} | others


def validation_record(step: int, **metrics: object) -> dict[str, object]:
    return {"kind": "validation", "step": step, "epoch": 0, "metrics": metrics, "seconds": step / 100}


def write_history(path: Path, draw: random.Random, steps: int, every: int) -> list[dict[str, object]]:
    validations, seconds = [], 0.0
    with path.open("w") as file:
        for step in range(1, steps + 1):
            at, epoch = step / steps, (step - 1) // every
            level = 0.02 + 2.3 * math.exp(-9 * at)
            loss = level * math.exp(draw.gauss(0, 0.25))
            norm = (0.3 + 2.5 * math.exp(-5 * at)) * math.exp(draw.gauss(0, 0.3))
            lr = 1e-3 * min(step / (0.1 * steps), 0.5 + 0.5 * math.cos(math.pi * at))
            seconds += 0.012 + 0.002 * draw.random()
            record = step_record(step, loss, epoch=epoch, lr=lr, grad_norm=norm, seconds=round(seconds, 4))
            file.write(json.dumps(record) + "\n")
            if step % every == 0:
                seconds += 0.04
                metrics = measured(at, level, draw)
                validations.append({"step": step, "metrics": metrics})
                record = {
                    "kind": "validation",
                    "step": step,
                    "epoch": epoch,
                    "metrics": metrics,
                    "seconds": seconds,
                }
                mean = {
                    "kind": "epoch",
                    "step": step,
                    "epoch": epoch,
                    "train_loss": level,
                    "grad_norm": norm,
                    "lr": lr,
                }
                file.write(json.dumps(record) + "\n" + json.dumps(mean | {"seconds": seconds}) + "\n")
    return validations


def measured(at: float, level: float, draw: random.Random) -> dict[str, float]:
    accuracy = 0.995 - 0.88 * math.exp(-11 * at) - 0.004 * at * at + draw.gauss(0, 0.001)
    f1 = accuracy - 0.004 + draw.gauss(0, 0.0008)
    return {"loss": 0.045 + level + 0.03 * at * at, "accuracy": accuracy, "macro_f1": f1, "nll": level + 0.04}


def summary(validations: list[dict[str, object]], steps: int) -> dict[str, object]:
    best = max(validations, key=lambda validation: validation["metrics"]["accuracy"])  # type: ignore[index]
    last = validations[-1]["metrics"]
    test = {"loss": 0.0382, "accuracy": 0.9911, "macro_f1": 0.9907, "nll": 0.0382}
    claims = [
        {"metric": "test.best.accuracy", "at_least": 0.985, "reached": 0.991111, "holds": True},
        {"metric": "test.best.loss", "at_most": 0.03, "reached": 0.0382, "holds": False},
    ]
    return {
        "experiment": "digits-cnn",
        "status": "finished",
        "steps": steps,
        "epochs": 20,
        "parameters": 93322,
        "decided_by": {"metric": "accuracy", "mode": "max"},
        "best": {"step": best["step"], "value": best["metrics"]["accuracy"]},  # type: ignore[index]
        "train": {"last": {"loss": 0.0214, "accuracy": 0.9985}, "best": {"loss": 0.0251, "accuracy": 0.9981}},
        "val": {"last": last, "best": best["metrics"]},
        "test": {"last": {name: value * 0.998 for name, value in test.items()}, "best": test},
        "claims": claims,
        "stopped": "budget",
        "timing": {
            "wall_seconds": 9.61,
            "train_seconds": 6.2,
            "evaluate_seconds": 0.9,
            "steps_per_second": 71.0,
            "samples_per_second": 4541.9,
        },
    }


def environment() -> dict[str, object]:
    return {
        "seed": 0,
        "init_sha256": "9f2c" * 16,
        "data_sha256": "07ab" * 16,
        "python": "3.11.7",
        "torch": "2.13.0+cpu",
        "cuda": None,
        "platform": "Linux-6.1-x86_64",
        "cpu": "Some CPU @ 3.00 GHz",
        "threads": 2,
        "device": "cpu",
        "precision": {"name": "fp32", "kernel": "mkl"},
        "deterministic": False,
        "git_commit": "0123456789abcdef0123456789abcdef01234567",
        "git_dirty": False,
        "command": ["loopwright", "train", "digits-cnn"],
        "packages": {"numpy": "2.4.6", "torch": "2.13.0+cpu", "jinja2": "3.1.6"},
        "started": "2026-11-20T14:20:00Z",
        "loopwright": "0.1.0",
    }


def write_artifacts(folder: Path, draw: random.Random) -> None:
    (folder / "misclassified.png").write_bytes(png(320, 200))
    (folder / "decision-boundary.svg").write_text(picture(draw))
    rows = [[true, *(confused(true, guess, draw) for guess in range(10))] for true in range(10)]
    columns = ["true", *(str(guess) for guess in range(10))]
    note = "Rows: the true digit; columns: the predicted one."
    write_json(
        folder / "confusion.json",
        {"title": "Confusion matrix", "columns": columns, "rows": rows, "note": note},
    )
    report = [[digit, 0.98 + 0.002 * digit, 1.0 - 0.001 * digit, 35 + digit % 3] for digit in range(10)]
    columns = ["class", "precision", "recall", "support"]
    write_json(folder / "per-class.json", {"title": "Per class", "columns": columns, "rows": report})


def confused(true: int, guess: int, draw: random.Random) -> int:
    return 34 + draw.randrange(4) if true == guess else int(draw.random() > 0.95) * draw.randrange(1, 4)
