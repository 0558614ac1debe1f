"""Run and lab directories as evidence, written without training anything."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from pathlib import Path

HEALTHY = [2.0 * 0.9**step + 0.05 for step in range(60)]
HEALTHY_VAL = {20: 0.5, 40: 0.2, 60: 0.1}
OVERFITTED_VAL = {10: 0.9, 20: 0.5, 30: 0.6, 40: 0.8, 50: 1.1, 60: 1.5}
DIVERGED = [2.0, 4.0, 40.0, 4e3, 4e6, 4e9, 4e12, 4e15, 4e18, 4e21]


def write_run(
    root: Path,
    name: str,
    losses: Sequence[float] = HEALTHY,
    validations: dict[int, float] = HEALTHY_VAL,
    *,
    lr: float = 0.01,
    findings: Sequence[dict[str, object]] = (),
    metrics: dict[str, object] | None = None,
) -> Path:
    """A run `root/name`, name as in `points/001`, with these losses of its steps and evaluations."""
    run = root / name
    (run / "logs").mkdir(parents=True)
    experiment = name.split("/")[0]
    (run / "config.toml").write_text(
        f'experiment = "{experiment}"\nsteps = 60\nmetric = "loss"\nmode = "min"\nclip_norm = 1.0\n\n'
        f'[optimizer]\ntype = "SGD"\nlr = {lr}\n'
    )
    command = ["loopwright", "train", experiment, "--lr", f"{lr:g}", "--seed", "1", "--quiet", "--run-dir", str(root)]
    (run / "env.json").write_text(json.dumps({"command": command, "seed": 1}))
    lines: list[dict[str, object]] = []
    for step, loss in enumerate(losses, 1):
        told = loss if math.isfinite(loss) else str(loss)
        record = {"kind": "step", "step": step, "lr": lr, "samples": 10, "loss": {"total": told}}
        lines.append(record | {"grad_norm": 1.0 / step, "seconds": step / 10})
    lines += [{"kind": "validation", "step": step, "metrics": {"loss": loss}} for step, loss in validations.items()]
    (run / "logs" / "history.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    (run / "findings.json").write_text(json.dumps({"findings": list(findings)}))
    finished: dict[str, object] = {"experiment": experiment, "status": "finished", "steps": len(losses), "epochs": 6.0}
    best = min(validations, key=validations.__getitem__, default=0)
    finished |= {"decided_by": {"metric": "loss", "mode": "min"}, "best": {"step": best}}
    finished |= {"test": {"best": {"loss": 0.11}}}
    (run / "metrics.json").write_text(json.dumps(finished | (metrics or {})))
    return run


def write_failed(root: Path, name: str = "points/002", lr: float = 1e5) -> Path:
    """A run that diverged and broke at step 11, as the loop and the doctor leave it."""
    reason = (
        "step 11: loss cross_entropy inf, gradient norm nan; stopped before the update, the weights are those of 10"
    )
    said = {
        "severity": "error",
        "cause": "lr-too-large",
        "step": 1,
        "evidence": "the update is 900 times the weights",
    }
    failed = {"status": "failed", "reason": reason, "decided_by": {}, "best": {}, "test": {}}
    return write_run(root, name, DIVERGED, {}, lr=lr, findings=[said], metrics=failed)


def write_lab(directory: Path, faults: dict[str, dict[str, object]], experiment: str = "points") -> Path:
    """A lab with two seeds; of each fault the last `loss` and `val`idation loss, `broke`, and what else is given."""
    healthy = [trial(seed, 0.1, 0.2) for seed in range(2)]
    told = []
    for name, fault in faults.items():
        keys = ("loss", "val", "broke")
        loss, val, broke = (fault.get(key, default) for key, default in zip(keys, (0.1, 0.2, ""), strict=True))
        known = {"fault": name, "number": 37, "causes": [name], "p": 0.03, "bites": True, "named": 1.0, "step": 2}
        rest = {key: value for key, value in fault.items() if key not in keys}
        trials = [trial(seed, loss, val, str(broke)) for seed in range(2)]
        told.append(known | {"said": [name], "trials": trials} | rest)
    directory.mkdir(parents=True)
    content = {
        "experiment": experiment,
        "metric": "loss",
        "steps": 20,
        "skipped": [],
        "healthy": healthy,
        "faults": told,
    }
    (directory / "results.json").write_text(json.dumps(content))
    return directory


def trial(seed: int, loss: float, val: float, broke: str = "") -> dict[str, object]:
    """One training of a lab: its loss moves from 1 to `loss` in 20 steps, its validation loss is `val`."""

    def line(end: float, steps: range, start: float = 1.0) -> list[list[float]]:
        return [[step, start + (end - start) * step / 20] for step in steps]

    metrics = [] if broke else [[10, val], [20, val]]
    known = {"seed": seed, "losses": line(loss, range(1, 21)), "norms": line(0.5, range(1, 21)), "metrics": metrics}
    return known | {"honest": 0.0 if broke else val, "checked": [], "findings": [], "broke": broke}


def everything(root: Path) -> Path:
    """A project with a healthy run, a failed one, one that overfits, and a lab; the failed run."""
    write_run(root / "runs", "points/001")
    failed = write_failed(root / "runs")
    write_run(root / "runs", "points/003", validations=OVERFITTED_VAL)
    faults: dict[str, dict[str, object]] = {
        "no-zero-grad": {"val": 0.9, "number": 37},
        "double-softmax": {"loss": 0.5, "val": 0.4, "number": 27},
        "diverge": {"loss": 1e9, "broke": "step 21: loss inf; stopped", "number": 47},
    }
    write_lab(root / "lab/points/001", faults)
    return failed
