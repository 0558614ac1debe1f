"""An experiment: everything that decides a run's bits, in one frozen object that prints, compares and serializes."""

from __future__ import annotations

import math
import os
from dataclasses import dataclass, field, replace
from typing import Literal

import torch

from loopwright.core.optimizers import AdamW, Muon, OptimizerChoice
from loopwright.core.precision import PrecisionName
from loopwright.core.progress import Mode
from loopwright.core.schedules import Constant, ScheduleChoice
from loopwright.core.setting import setting
from loopwright.errors import ConfigError, DataError
from loopwright.initializers import Strategy
from loopwright.protocols import Plan, Task, Worker

Parallel = Literal["replicate", "fsdp"]

MOST_THREADS = 1024
ONLY = Worker()
KNOWN_TO_FSDP = ("auto", "cpu", "cuda")


@dataclass(frozen=True)
class Claim:
    """What an experiment says it reaches: a number of metrics.json, `test.best.accuracy` say, and its bound."""

    metric: str
    at_least: float = -math.inf
    at_most: float = math.inf

    def holds(self, value: float) -> bool:
        """Whether `value` lies within the bounds; NaN does not."""
        return self.at_least <= value <= self.at_most


@dataclass(frozen=True)
class Expect:
    """What an experiment claims: the loss before the first step, at chance, and what the finished run reaches.

    `dropped` says why there is no claim any more where the experiment was changed.
    """

    initial_loss: float | None = None
    claims: tuple[Claim, ...] = ()
    dropped: str = ""


@dataclass(frozen=True)
class Cadence:
    """The rhythm of a run in steps: length of an epoch and of the run, intervals of evaluations and checkpoints."""

    epoch: int
    total: int
    evaluation: int
    save: int

    def ends_epoch(self, step: int) -> bool:
        """Whether an epoch ends with the `step`-th step (from 1)."""
        return step % self.epoch == 0

    def evaluates(self, step: int) -> bool:
        """Whether an evaluation is due after `step` steps; always after the last."""
        return step % self.evaluation == 0 or step >= self.total

    def saves(self, step: int) -> bool:
        """Whether a checkpoint is due after `step` steps; always before the first and after the last."""
        return step % self.save == 0 or step >= self.total


@dataclass(frozen=True)
class Experiment:
    """One run to be: the task and everything that its weights depend on."""

    name: str = field(metadata={"config": False})
    task: Task
    epochs: float = setting(10.0, "passes over the training split")
    steps: int | None = setting(None, "optimizer updates; overrides epochs")
    batch_size: int = setting(64, "samples of one step")
    shards: int = setting(1, "parts a batch is cut into, each a forward and backward pass of its own")
    parallel: Parallel = setting("replicate", "what workers hold: replicate, all weights; fsdp, a part of each")
    optimizer: OptimizerChoice = setting(AdamW(), "AdamW, Adam, SGD or Muon")
    schedule: ScheduleChoice = setting(Constant(), "how the rate moves over the run")
    clip_norm: float = setting(1.0, "largest gradient norm; 0 turns clipping off")
    precision: PrecisionName = setting("fp32", "fp32, fp32-fast, bf16 or fp16")
    init: Strategy = setting("default", "how the weights are drawn; default leaves it to the model")
    ema_decay: float = setting(0.0, "decay of the weights' moving average; 0 keeps none")
    compile: bool = setting(False, "torch.compile the model")
    shuffle: bool = setting(True, "a new order in each epoch")
    seed: int = setting(0, "every random number of the run derives from it")
    metric: str = setting("accuracy", "the validation metric that decides which checkpoint is the best")
    mode: Mode = setting("max", "whether the deciding metric should be max or min")
    eval_every: int | None = setting(None, "steps between evaluations; none: after each epoch")
    save_every: int | None = setting(None, "steps between checkpoints; none: at each evaluation")
    keep: int = setting(2, "how many of the newest checkpoints are kept")
    patience: int | None = setting(None, "stop after so many evaluations without improvement; none: never")
    min_delta: float = setting(0.0, "what counts as an improvement for patience")
    device: str = setting("auto", "cpu, cuda, cuda:1, mps; auto takes the first there is of cuda, mps, cpu")
    threads: int = setting(0, "CPU threads of one operation, part of a run's bits; 0: all cores, divided by the shards")
    deterministic: bool = setting(False, "refuse operations that are not deterministic")
    tensorboard: bool = setting(False, "write TensorBoard event files as well")
    expect: Expect = field(default=Expect(), metadata={"config": False})

    def plan(self, worker: Worker = ONLY) -> Plan:
        """Which samples each step sees; of its shards, those of `worker`."""
        return Plan(seed=self.seed, batch_size=self.batch_size, shards=self.shards, shuffle=self.shuffle, worker=worker)

    def cadence(self) -> Cadence:
        """How long the run is, and when it evaluates and saves."""
        epoch = self.plan().steps_per_epoch(self.task.data.size("train"))
        total = self.steps if self.steps is not None else math.ceil(self.epochs * epoch)
        evaluation = self.eval_every or epoch
        return Cadence(epoch=epoch, total=total, evaluation=evaluation, save=self.save_every or evaluation)

    def resolved(self) -> Experiment:
        """The same with `auto` device and threads replaced by what this machine has: what is recorded, and rerun.

        Where threads are not given, the shards have all cores between them, on however many workers they are computed.
        """
        threads = self.threads or max(1, (os.cpu_count() or 1) // max(1, self.shards))
        return replace(self, device=resolve_device(self.device), threads=threads)

    def check(self) -> Experiment:
        """The experiment itself; raises ConfigError or DataError where it cannot run."""
        counts = {"batch_size": self.batch_size, "shards": self.shards, "keep": self.keep, "threads": self.threads}
        for name, value in counts.items():
            require(value >= 1, name, value, "at least 1")
        optional = {"steps": self.steps, "eval_every": self.eval_every, "save_every": self.save_every}
        for name, number in {**optional, "patience": self.patience}.items():
            require(number is None or number >= 1, name, number, "at least 1, or none")
        known = isinstance(self.epochs, int | float)  # an experiment of one's own may say None, with steps
        require(known and 0 < self.epochs < math.inf, "epochs", self.epochs, "above 0 and finite")
        require(self.threads <= MOST_THREADS, "threads", self.threads, f"at most {MOST_THREADS}")
        require(0 <= self.ema_decay < 1, "ema_decay", self.ema_decay, "in [0, 1)")
        require(self.clip_norm >= 0, "clip_norm", self.clip_norm, "0 or more")
        require(self.min_delta >= 0, "min_delta", self.min_delta, "0 or more")
        require(0 <= self.seed < 2**63, "seed", self.seed, "0 or more, and below 2^63")
        size = self.task.data.size("train")
        if self.batch_size > size:
            raise DataError(
                f"batch_size {self.batch_size} is larger than the training split ({size} samples); "
                f"choose --batch-size {size} or less"
            )
        if self.task.data.size("val") == 0:
            raise DataError(f"{self.name}: the validation split is empty; give the task's data some samples as `val`")
        require(self.shards <= self.batch_size, "shards", self.shards, f"at most batch_size, {self.batch_size}")
        if self.parallel == "fsdp":
            check_in_parts(self)
        return self


def check_in_parts(experiment: Experiment) -> None:
    """Raise ConfigError where what an experiment asks for is not to be had from weights in parts."""
    refused = {
        "optimizer Muon, which needs whole matrices": isinstance(experiment.optimizer, Muon),
        "precision fp16, whose scaler knows of this worker's gradients alone": experiment.precision == "fp16",
        "compile, for which nobody has measured the bits": experiment.compile,
        f"device {experiment.device}; it knows cpu and cuda": experiment.device.partition(":")[0] not in KNOWN_TO_FSDP,
    }
    for what, found in refused.items():
        if found:
            raise ConfigError(f"parallel: fsdp does not go with {what}; change that, or set --parallel replicate")


def require(holds: bool, name: str, value: object, rule: str) -> None:
    """Raise ConfigError that names a field and its rule, unless `holds`."""
    if not holds:
        flag = "--" + name.replace("_", "-")
        raise ConfigError(f"{name}: received {value}, it must be {rule}; set {flag}")


def resolve_device(device: str) -> str:
    """`device`, or for "auto" the first there is of cuda, mps and cpu. Raises ConfigError for a device there is not."""
    found = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available(), "cpu": True}
    if device == "auto":
        return next(name for name, there in found.items() if there)
    try:
        kind = torch.device(device).type
    except RuntimeError:
        kind = device
    if not found.get(kind, False):
        known = ", ".join(name for name, there in found.items() if there)
        raise ConfigError(f"device: received {device!r}, this machine has {known}; set --device {known.split(', ')[0]}")
    return device
