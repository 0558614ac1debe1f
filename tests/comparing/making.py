"""Tiny run directories as training would leave them, without training."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import tomli_w

CONFIG: dict[str, Any] = {
    "format": 1,
    "loopwright": "0.1.0",
    "experiment": "toy",
    "steps": 40,
    "batch_size": 10,
    "seed": 0,
    "metric": "loss",
    "mode": "min",
    "device": "cpu",
    "threads": 1,
    "keep": 2,
    "task": {"type": "Toy", "hidden": [8]},
    "optimizer": {"type": "AdamW", "lr": 0.01, "weight_decay": 0.0},
}
ENV: dict[str, Any] = {
    "seed": 0,
    "data_sha256": "d" * 64,
    "python": "3.11.7",
    "torch": "2.13.0",
    "cuda": None,
    "cpu": "Some CPU",
    "device": "cpu",
    "threads": 1,
    "workers": 1,
    "git_commit": None,
    "git_dirty": None,
    "loopwright": "0.1.0",
    "command": ["loopwright", "train", "toy"],
    "packages": {"numpy": "2.4.6", "torch": "2.13.0"},
}


def make_run(
    root: Path,
    name: str,
    *,
    config: Mapping[str, Any] = {},
    env: Mapping[str, Any] = {},
    metrics: Mapping[str, Any] | None = {},
    val: float = 0.5,
    curve: Sequence[float] | None = None,
    patch: str = "",
) -> Path:
    """A finished run `root/toy/name` whose best validation loss is `val`. `config` has dotted keys.

    `metrics` is laid over the summary; None: the run has none. `curve`: the validation losses, one each 10 steps.
    """
    run = root / "toy" / name
    (run / "logs").mkdir(parents=True)
    settled = settings(config)
    seed = settled["seed"]
    text = tomli_w.dumps(settled)
    (run / "config.toml").write_text(text)
    begun = {**ENV, "seed": seed, "init_sha256": f"{seed:064x}", **env}
    begun.setdefault("config_sha256", hashlib.sha256(text.encode()).hexdigest())
    write(run / "env.json", begun)
    write(run / "findings.json", {"findings": []})
    (run / "code.diff").write_text(patch)
    losses = [val + 0.4, val + 0.2, val + 0.1, val] if curve is None else curve
    (run / "logs" / "history.jsonl").write_text("".join(f"{json.dumps(record)}\n" for record in history(losses)))
    if metrics is not None:
        write(run / "metrics.json", {**summary(losses, settled["metric"], settled["mode"]), **metrics})
    return run


def settings(changes: Mapping[str, Any]) -> dict[str, Any]:
    """CONFIG with changes by dotted key; a value None takes the key away."""
    settled = json.loads(json.dumps(CONFIG))
    for key, value in changes.items():
        place, (*outer, last) = settled, key.split(".")
        for part in outer:
            place = place.setdefault(part, {})
        place[last] = value
        if value is None:
            del place[last]
    return settled


def write(path: Path, content: object) -> None:
    path.write_text(json.dumps(content))


def history(losses: Sequence[float]) -> list[dict[str, Any]]:
    records: list[dict[str, Any]] = []
    for step in range(1, 10 * len(losses) + 1):
        loss = 1 / step
        records.append(
            {
                "kind": "step",
                "step": step,
                "epoch": 0,
                "lr": 0.01,
                "samples": 10,
                "loss": {"total": loss},
                "grad_norm": 1.0,
                "seconds": step / 10,
            }
        )
        if step % 10 == 0:
            value = losses[step // 10 - 1]
            told = value if math.isfinite(value) else str(value)
            about = {"loss": told, "accuracy": 1 - value if math.isfinite(value) else 0.1}
            records.append({"kind": "validation", "step": step, "epoch": 0, "metrics": about, "seconds": step / 10})
    return records


def summary(losses: Sequence[float], metric: str, mode: str) -> dict[str, Any]:
    finite = [loss for loss in losses if math.isfinite(loss)]
    best = min(finite) if finite else math.nan
    steps = 10 * len(losses)

    def both(best: float, last: float) -> dict[str, dict[str, float]]:
        of = {"best": best, "last": last}
        return {which: {"loss": loss, "accuracy": 1 - loss} for which, loss in of.items()}

    return {
        "experiment": "toy",
        "status": "finished",
        "stopped": "budget",
        "steps": steps,
        "epochs": 4.0,
        "parameters": 100,
        "decided_by": {"metric": metric, "mode": mode},
        "best": {"step": 10 * (list(losses).index(best) + 1) if finite else None, "value": best},
        "train": both(best / 2, losses[-1] / 2),
        "val": both(best, losses[-1]),
        "test": both(best + 0.05, losses[-1] + 0.05),
        "claims": [],
        "timing": {"train_seconds": 4.0, "samples_per_second": 100.0},
    }


def make_group(root: Path, values: Sequence[float], *, first: int = 1, **others: Any) -> list[Path]:
    """Runs of the seeds 0, 1 … with these best validation losses, numbered from `first` on."""
    config = others.pop("config", {})
    return [
        make_run(root, f"{first + seed:03d}", val=value, config={**config, "seed": seed}, **others)
        for seed, value in enumerate(values)
    ]
