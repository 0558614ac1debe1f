"""State: the only thing that a checkpoint holds.

The position in the data, the random numbers and the schedule need no entry: they are functions of `step`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, cast

import torch
from torch import nn
from torch.optim import Optimizer

from loopwright.core.ema import Average, build_average
from loopwright.core.experiment import Experiment
from loopwright.core.optimizers import trainable
from loopwright.core.precision import Precision
from loopwright.core.progress import Progress
from loopwright.core.schedules import RateMemory
from loopwright.errors import CheckpointError
from loopwright.initializers import initialize
from loopwright.seeding import Purpose, fold, seed_generators
from loopwright.weights import load_weights


@dataclass
class State:
    """Everything that a step changes. `forward` is the model, compiled where the experiment says so: for each shape by
    itself, since which kernel a dynamic shape gets depends on the shapes met before.

    `closed` is the last step whose evaluation and end of epoch are done: a run stopped in between does them when it
    resumes.
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

    def __post_init__(self) -> None:
        self.parameters = trainable(self.model)
        self.device = self.precision.device

    @staticmethod
    def create(experiment: Experiment) -> State:
        """The state before the first step, on the experiment's device; the weights depend on the seed alone."""
        seed_generators(fold(experiment.seed, Purpose.INIT))
        model = experiment.task.model()
        initialize(model, experiment.init)
        device = torch.device(experiment.device)
        model.to(device)
        precision = Precision(experiment.precision, device)
        return State(
            model=model,
            forward=cast(nn.Module, torch.compile(model, dynamic=False)) if experiment.compile else model,
            optimizer=experiment.optimizer.build(model),
            scaler=precision.scaler(),
            average=build_average(model, experiment.ema_decay),
            precision=precision,
        )

    def state_dict(self) -> dict[str, Any]:
        """Tensors and plain values, nothing else."""
        return {
            "model": self.model.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "scaler": self.scaler.state_dict(),
            "average": self.average.state_dict(),
            "step": self.step,
            "closed": self.closed,
            "progress": asdict(self.progress),
            "rate": asdict(self.rate),
        }

    def load_state_dict(self, saved: Mapping[str, Any], origin: str = "the checkpoint") -> None:
        """Restore what `state_dict` gave; raises CheckpointError where it is incomplete or belongs to another model."""
        missing = self.state_dict().keys() - saved.keys()
        if missing:
            raise CheckpointError(f"{origin} has no {', '.join(sorted(missing))}; it is not the state of a run")
        load_weights(self.model, saved["model"], origin)
        self.optimizer.load_state_dict(saved["optimizer"])
        self.scaler.load_state_dict(saved["scaler"])
        self.average.load_state_dict(saved["average"])
        self.step, self.closed = saved["step"], saved["closed"]
        self.progress, self.rate = Progress(**saved["progress"]), RateMemory(**saved["rate"])
