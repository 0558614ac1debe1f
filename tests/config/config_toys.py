"""A toy experiment: every kind of field that a config has to know."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Protocol


@dataclass(frozen=True)
class AdamW:
    lr: float = 1e-3
    betas: tuple[float, float] = (0.9, 0.999)
    weight_decay: float = 0.01


@dataclass(frozen=True)
class SGD:
    lr: float = 0.1
    momentum: float = 0.9
    nesterov: bool = False


@dataclass(frozen=True)
class Muon:
    lr: float = field(default=0.02, metadata={"help": "of the hidden matrices"})
    inner: AdamW | SGD = AdamW()


@dataclass(frozen=True)
class Lion:
    """An optimizer that the union does not list."""

    lr: float = 1e-4


class Schedule(ABC):
    @abstractmethod
    def __call__(self, step: int) -> float: ...


@dataclass(frozen=True)
class Constant(Schedule):
    def __call__(self, step: int) -> float:
        return 1.0


@dataclass(frozen=True)
class Cosine(Schedule):
    total: int
    warmup: int = 100

    def __post_init__(self) -> None:
        if self.warmup > self.total:
            raise ValueError(f"warmup {self.warmup} is longer than total {self.total}; shorten it")

    def __call__(self, step: int) -> float:
        return 0.5


class Task(Protocol):
    def size(self) -> int: ...


@dataclass(frozen=True)
class Digits:
    hidden: int = field(default=32, metadata={"help": "units"})
    augment: bool = False
    data_dir: Path | None = None
    milestones: tuple[int, ...] = ()
    derived: int = field(init=False, default=5)

    def size(self) -> int:
        return self.hidden


@dataclass(frozen=True)
class Ema:
    decay: float = 0.999


@dataclass(frozen=True)
class Experiment:
    name: str
    task: Task
    epochs: float = field(default=10.0, metadata={"help": "passes over the training split"})
    steps: int | None = 500
    batch_size: int = 64
    optimizer: AdamW | SGD | Muon = AdamW()
    schedule: Constant | Cosine = Constant()
    clip_norm: float = 1.0
    precision: Literal["fp32", "fp32-fast", "bf16", "fp16"] = "fp32"
    ema: Ema | None = None
    seed: int = 0
    note: str | None = None
    deterministic: bool = False
    run_dir: Path = Path("runs")
    expect: Any = field(default=None, metadata={"config": False})


ALIASES = {"lr": "optimizer.lr", "weight-decay": "optimizer.weight_decay", "det": "deterministic"}


def digits(**changes: Any) -> Experiment:
    return Experiment(**({"name": "digits", "task": Digits()} | changes))
