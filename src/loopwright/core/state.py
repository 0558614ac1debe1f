"""State: the only thing that a checkpoint holds.

The position in the data, the random numbers and the schedule need no entry: they are functions of `step`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any, TypeVar, cast

import torch
from torch import nn
from torch.optim import Optimizer

from loopwright.core.ema import Average, build_average
from loopwright.core.experiment import Experiment
from loopwright.core.gradients import Tree
from loopwright.core.layout import WHOLE, Layout
from loopwright.core.parallel import Workers
from loopwright.core.parameters import settle
from loopwright.core.precision import Precision
from loopwright.core.progress import Progress
from loopwright.core.schedules import RateMemory
from loopwright.errors import CheckpointError, ConfigError
from loopwright.initializers import initialize
from loopwright.seeding import Purpose, fold, seed_generators
from loopwright.weights import check_weights, first_line, load_optimizer, load_weights

Memory = TypeVar("Memory", Progress, RateMemory)

ENTRIES = {"model", "optimizer", "scaler", "average", "step", "closed", "progress", "rate"}


@dataclass
class State:
    """Everything that a step changes. `forward` is the model, compiled where the experiment says so: for each shape by
    itself, since which kernel a dynamic shape gets depends on the shapes met before.

    `closed` is the last step whose evaluation and end of epoch are done: a run stopped in between does them when it
    resumes. Where the weights are is `layout`'s: `parameters` are what gets gradients, each worker's own part of them.
    """

    model: nn.Module
    forward: nn.Module
    optimizer: Optimizer
    scaler: torch.amp.GradScaler
    average: Average
    precision: Precision
    step: int = 0
    closed: int = 0
    progress: Progress = field(default_factory=Progress)
    rate: RateMemory = field(default_factory=RateMemory)
    layout: Layout = WHOLE

    def __post_init__(self) -> None:
        self.parameters, self.optimizer = self.layout.bind(self.model, self.optimizer)
        self.device = self.precision.device
        self.names = frozenset(self.model.state_dict())

    @staticmethod
    def create(experiment: Experiment, layout: Layout = WHOLE) -> State:
        """The state before the first step, on the experiment's device; the weights depend on the seed alone.

        They are drawn in full, on the CPU, wherever `layout` brings them then.
        """
        seed_generators(fold(experiment.seed, Purpose.INIT))
        try:
            model = experiment.task.model()
        except RuntimeError as error:
            if "allocate memory" in str(error):
                raise ConfigError(f"{experiment.name}: its model needs more memory than there is") from error
            raise
        settle(model)
        initialize(model, experiment.init)
        device = torch.device(experiment.device)
        average = build_average(model, experiment.ema_decay)
        for each in dict.fromkeys((model, average.module)):
            layout.spread(each, device)
        precision = Precision(experiment.precision, device)
        return State(
            model=model,
            forward=cast(nn.Module, torch.compile(model, dynamic=False)) if experiment.compile else model,
            optimizer=experiment.optimizer.build(model),
            scaler=precision.scaler(),
            average=average,
            precision=precision,
            layout=layout,
        )

    def tree(self, total: int, workers: Workers) -> Tree:
        """What adds up the gradients of a step's `total` shards."""
        self.scaler.scale(torch.zeros((), device=self.device))  # it begins with its first use: without a shard, here
        return self.layout.tree(self.model, self.parameters, total, workers)

    def state_dict(self) -> dict[str, Any]:
        """Tensors and plain values, nothing else; the same from any layout, on the first worker.

        Raises ConfigError where the model has other entries than in the beginning: nothing could be resumed from that.
        """
        weights = self.model.state_dict()
        changed = sorted(self.names ^ weights.keys())
        if changed:
            raise ConfigError(f"{changed[0]}: came or went while training; make it in the model's __init__")
        return {
            "model": self.layout.gathered(weights),
            "optimizer": self.optimizer.state_dict(),
            "scaler": self.scaler.state_dict(),
            "average": self.layout.gathered(self.average.state_dict()),
            "step": self.step,
            "closed": self.closed,
            "progress": asdict(self.progress),
            "rate": asdict(self.rate),
        }

    def load_state_dict(self, saved: Mapping[str, Any], origin: str = "the checkpoint") -> None:
        """Restore what `state_dict` gave; raises CheckpointError where it is incomplete or belongs to another model."""
        missing = ENTRIES - saved.keys()
        if missing:
            raise CheckpointError(f"{origin} has no {', '.join(sorted(missing))}; it is not the state of a run")
        check_weights(self.model, saved["model"], origin)
        load_weights(self.model, self.layout.parts(saved["model"], self.model.state_dict), origin)
        settings = hyper_parameters(self.optimizer)
        load_optimizer(self.optimizer, saved["optimizer"], origin)
        if hyper_parameters(self.optimizer) != settings:
            raise CheckpointError(f"{origin}: its optimizer has other settings than the experiment; bring its own back")
        try:
            self.scaler.load_state_dict(saved["scaler"])
            self.average.load_state_dict(self.layout.parts(saved["average"], self.average.state_dict))
            self.step, self.closed = whole_number(saved["step"]), whole_number(saved["closed"])
            self.progress = remembered(Progress(), saved["progress"])
            self.rate = remembered(RateMemory(), saved["rate"])
        except (AttributeError, LookupError, RuntimeError, TypeError, ValueError) as error:
            raise CheckpointError(f"{origin} is not the state of a run ({first_line(error)})") from error


def hyper_parameters(optimizer: Optimizer) -> list[dict[str, str]]:
    """What an optimizer's groups were told, but for the rate, which the schedule moves."""
    return [
        {name: repr(value) for name, value in group.items() if name not in ("params", "lr")}
        for group in optimizer.param_groups
    ]


def whole_number(value: Any) -> int:
    """`value`; raises ValueError where it does not count anything."""
    if type(value) is not int or not 0 <= value < 2**53:
        raise ValueError(f"a whole number is expected, not a {type(value).__name__}")
    return value


def remembered(empty: Memory, saved: Any) -> Memory:
    """`empty` with the numbers `saved`. Raises TypeError and ValueError where they are no such numbers."""
    made = replace(empty, **saved)
    for name, value in vars(made).items():
        if type(getattr(empty, name)) is int:
            whole_number(value)
        elif value is not None and type(value) not in (int, float):
            raise ValueError(f"{name}: a number is expected, not a {type(value).__name__}")
    return made
