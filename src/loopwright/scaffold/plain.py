"""Which experiments train.py can hold, which needs PyTorch alone, and what its templates are filled with.

A task is spelled out by one template, `data_NAME.py.j2` for the task in `loopwright/tasks/NAME.py`: it is the data's
file, and begins by setting `about`, a table of what the other templates need to know.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Mapping
from functools import partial
from typing import Any

from loopwright.core import SGD, Adam, AdamW, Constant, Cosine, Experiment, Linear
from loopwright.core.optimizers import OptimizerChoice
from loopwright.core.schedules import Schedule
from loopwright.scaffold.templates import fill, settings_of, there_is

Context = dict[str, Any]

SIMPLE: Mapping[str, Any] = {
    "shards": 1,
    "parallel": "replicate",
    "precision": "fp32",
    "init": "default",
    "ema_decay": 0.0,
    "compile": False,
    "shuffle": True,
    "patience": None,
    "deterministic": False,
}
"""What train.py does of the fields that it has no setting for."""

TASKS = "loopwright.tasks."


def template(task: object) -> str:
    """The name of the template that spells a task out; there may be none of that name."""
    module = type(task).__module__
    return f"data_{module.removeprefix(TASKS)}.py" if module.startswith(TASKS) else ""


def about_task(task: object) -> Context:
    """What the template of a task says about it: an `obstacle`, or

    the names of its tensors (`inputs`, `targets`), the `model` as source and the `module` that it is from (if any),
    `kind` (classification or regression), `smoothing` of labels, and whether training samples are varied (`augments`).
    """
    if not there_is(template(task)):
        return {"obstacle": f"nobody has written the task {type(task).__name__} down in plain PyTorch"}
    found: Context = settings_of(template(task), "about", filling(task))
    if found["task"] != type(task).__name__:
        return {"obstacle": f"nobody has written the task {type(task).__name__} down in plain PyTorch"}
    return found


def filling(task: object) -> Context:
    """What a task's template is filled with: the task, and the source of functions in its module."""
    return {"task": task, "source_of": partial(source_of, sys.modules[type(task).__module__])}


def source_of(module: object, name: str) -> str:
    """The source of a function."""
    return inspect.getsource(getattr(module, name)).rstrip()


def data_file(task: object) -> str:
    """The text of the data's file."""
    return fill(template(task), filling(task))


def obstacle(experiment: Experiment) -> str | None:
    """Why train.py cannot hold an experiment, in a clause; None where it can."""
    if found := about_task(experiment.task).get("obstacle"):
        return str(found)
    for name, wanted in SIMPLE.items():
        if getattr(experiment, name) != wanted:
            return f"it has {name} {getattr(experiment, name)}, which takes more than a file can hold"
    if not isinstance(experiment.optimizer, AdamW | Adam | SGD):
        return f"its optimizer is {type(experiment.optimizer).__name__}"
    if type(experiment.schedule) not in (Constant, Cosine, Linear):
        return f"its schedule is {type(experiment.schedule).__name__}"
    return None


def context(experiment: Experiment) -> Context:
    """What the templates of a project with train.py are filled with."""
    task, cadence = about_task(experiment.task), experiment.cadence()
    optimizer_choice: Any = experiment.optimizer
    return {
        **task,
        "regression": task["kind"] == "regression",
        "component": "mse" if task["kind"] == "regression" else "cross_entropy",
        "seed": experiment.seed,
        "steps": cadence.total,
        "batch_size": experiment.batch_size,
        "lr": float(optimizer_choice.lr),
        "warmup": float(getattr(experiment.schedule, "warmup", 0.0)),
        "weight_decay": float(optimizer_choice.weight_decay),
        "clip_norm": float(experiment.clip_norm),
        "eval_every": cadence.evaluation,
        "threads": experiment.threads or 1,
        "metric": experiment.metric,
        "mode": experiment.mode,
        "optimizer": optimizer(experiment.optimizer),
        "schedule": schedule(experiment.schedule),
    }


def optimizer(choice: OptimizerChoice) -> str:
    """The call that builds torch's optimizer over `groups`."""
    if isinstance(choice, SGD):
        momentum = f"momentum={choice.momentum}, nesterov={choice.nesterov}"
        return f"torch.optim.SGD(groups, lr=settings.lr, {momentum}, fused=True)"
    name = "AdamW" if isinstance(choice, AdamW) else "Adam"
    usual = AdamW()
    besides = {field: getattr(choice, field) for field in ("betas", "eps")}
    changed = [f"{field}={value}, " for field, value in besides.items() if value != getattr(usual, field)]
    return f"torch.optim.{name}(groups, lr=settings.lr, {''.join(changed)}fused=True)"


def schedule(choice: Schedule) -> Context:
    """What `factor` says and computes."""
    start = "The share of the peak rate: a line up over the warm-up, then"
    floor = getattr(choice, "floor", 0.0)
    if isinstance(choice, Cosine):
        curve = "0.5 * (1 + math.cos(math.pi * done))"
        expression = f"{floor} + (1 - {floor}) * {curve}" if floor else curve
        return {"about": f"{start} half a cosine down to {floor:g}.", "decays": True, "expression": expression}
    if isinstance(choice, Linear):
        expression = f"1 - (1 - {floor}) * done" if floor else "1 - done"
        return {"about": f"{start} a line down to {floor:g}.", "decays": True, "expression": expression}
    return {"about": f"{start} all of it.", "decays": False, "expression": "1.0"}
