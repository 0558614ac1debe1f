"""metrics.json: what the last and the best weights reach on every split, and whether that was claimed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from torch import nn

from loopwright.core.evaluate import evaluate
from loopwright.core.experiment import Claim, Experiment
from loopwright.core.state import State
from loopwright.files import write_text
from loopwright.lines import finite
from loopwright.protocols import SPLITS

NEAR = 0.15
"""How far from the claimed level the first step's loss may be: it is one batch's, with dropout and augmentation."""


def summarize(experiment: Experiment, last: State, best: State, *, stopped: str, initial_loss: float) -> dict[str, Any]:
    """The content of metrics.json but for its timing; `initial_loss` is that of the first step."""
    cadence = experiment.cadence()
    metrics: dict[str, Any] = {
        "experiment": experiment.name,
        "status": "finished",
        "stopped": stopped,
        "steps": last.step,
        "epochs": last.step / cadence.epoch,
        "parameters": parameter_count(last.model),
        "decided_by": {"metric": experiment.metric, "mode": experiment.mode},
        "best": {"step": best.step, "value": last.progress.best if best.step == last.progress.best_step else None},
        **{split: results for split in SPLITS if (results := tested(experiment, last, best, split))},
    }
    start = experiment.expect.initial_loss
    if start is not None:
        metrics["initial_loss"] = initial_loss
    near = () if start is None else (Claim("initial_loss", start * (1 - NEAR), start * (1 + NEAR)),)
    metrics["claims"] = [judged(claim, metrics) for claim in (*near, *experiment.expect.claims)]
    if experiment.expect.dropped:
        metrics["claims_dropped"] = experiment.expect.dropped
    return metrics


def tested(experiment: Experiment, last: State, best: State, split: Any) -> dict[str, dict[str, float]]:
    """The metrics of both sets of weights on `split`; nothing where the task has no such split."""
    if experiment.task.data.size(split) == 0:
        return {}
    of_last = evaluate(experiment.task, last.average.module, split, experiment.seed)
    if best.step == last.step:
        return {"last": of_last, "best": of_last}
    return {"last": of_last, "best": evaluate(experiment.task, best.average.module, split, experiment.seed)}


def judged(claim: Claim, metrics: Mapping[str, Any]) -> dict[str, Any]:
    """A claim beside what was reached; a number that is not there was not reached."""
    reached: Any = metrics
    for key in claim.metric.split("."):
        reached = reached.get(key, float("nan")) if isinstance(reached, Mapping) else float("nan")
    bounds = {"at_least": claim.at_least, "at_most": claim.at_most}
    stated = {name: bound for name, bound in bounds.items() if abs(bound) != float("inf")}
    return {"metric": claim.metric, **stated, "reached": reached, "holds": claim.holds(reached)}


def parameter_count(model: nn.Module) -> int:
    """How many numbers a model holds that can be trained."""
    return sum(parameter.numel() for parameter in model.parameters() if parameter.requires_grad)


def write_json(path: Path, content: Any) -> None:
    """Write `content` durably as JSON, non-finite floats as strings."""
    write_text(path, json.dumps(finite(content), indent=2) + "\n")
