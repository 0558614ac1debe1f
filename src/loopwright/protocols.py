"""What the parts of the house say to each other: Task, Data, Batch and Plan; StepReport, Hook; Journal and Store.

Whoever brings a problem of their own writes a Task; its Data is most often `loopwright.data.TensorData`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal, Protocol, runtime_checkable

import torch
from torch import Tensor, nn

Split = Literal["train", "val", "test"]
SPLITS: tuple[Split, ...] = ("train", "val", "test")


@dataclass(frozen=True, slots=True)
class Batch:
    """The samples of one logical shard of a step.

    `tensors`: by name, first dimension the samples. `weights`: for each component of the loss, what its sum is to be
    divided by (samples, tokens …), counted over this shard alone; the loop adds the shards' weights up and divides
    once. `samples`: int64 (B,), the samples' numbers in their split, for augmentation, replay and error messages.
    """

    tensors: Mapping[str, Tensor]
    weights: Mapping[str, float]
    samples: Tensor

    def __getitem__(self, name: str) -> Tensor:
        return self.tensors[name]

    def __len__(self) -> int:
        return len(self.samples)

    def to(self, device: torch.device) -> Batch:
        """The same batch on `device`; itself, without a copy, where it is there already."""
        if all(tensor.device == device for tensor in self.tensors.values()):
            return self
        moved = {name: tensor.to(device, non_blocking=True) for name, tensor in self.tensors.items()}
        return replace(self, tensors=moved)


@dataclass(frozen=True, slots=True)
class Worker:
    """One of the `size` processes that share the shards of each step; most often the only one.

    A worker takes neighboring shards, so that it can add most of them up itself; or, `strided`, every `size`-th one,
    so that all workers are at neighboring shards at a time.
    """

    rank: int = 0
    size: int = 1
    strided: bool = False

    def numbers(self, total: int) -> range:
        """Which of a step's `total` shards this worker computes; none where there are more workers than shards."""
        if self.strided:
            return range(self.rank, total, self.size)
        return range(self.rank * total // self.size, (self.rank + 1) * total // self.size)


@dataclass(frozen=True, slots=True)
class Plan:
    """Which samples step `t` sees: arithmetic on integers, so that a stream of batches can start at any step.

    Each epoch passes over the whole training split once, in an order keyed by `(seed, epoch)`. A batch of
    `batch_size` samples is cut into `shards` parts; the last batch of an epoch holds what is left, cut the same way.
    `shuffle=False` keeps the order of the data, for those who want to see what that does. Of the shards, `cut` gives
    those of `worker`.
    """

    seed: int
    batch_size: int
    shards: int = 1
    shuffle: bool = True
    worker: Worker = Worker()

    def steps_per_epoch(self, size: int) -> int:
        """Steps in one epoch over `size` samples; the last may be short."""
        return -(-size // self.batch_size)

    def span(self, step: int, size: int) -> tuple[int, int, int]:
        """(epoch, first position, end position) of `step` (counted from 0) in an epoch of `size` samples."""
        epoch, within = divmod(step, self.steps_per_epoch(size))
        first = within * self.batch_size
        return epoch, first, min(first + self.batch_size, size)

    def cut(self, count: int) -> list[tuple[int, int]]:
        """The bounds of the worker's shards of a batch of `count` samples.

        A full batch is cut as equally as can be, the larger shards first. A short one is cut at the same places, so
        that shards keep their shape: it has fewer of them, and the last may be short.
        """
        size, larger = divmod(self.batch_size, self.shards)
        bounds = [number * size + min(number, larger) for number in range(self.shards + 1)]
        total = sum(first < count for first in bounds[:-1])
        return [(bounds[number], min(bounds[number + 1], count)) for number in self.worker.numbers(total)]


class Data(Protocol):
    """The samples of a problem, in splits."""

    def size(self, split: Split) -> int:
        """How many samples `split` has; 0 where there is no such split."""
        ...

    def batches(self, plan: Plan, start: int) -> Iterator[Sequence[Batch]]:
        """The shards of step `start`, `start + 1`, … of the training split, without end; of them, `plan.worker`'s.

        What step `t` gives depends on `plan` and `t` alone, not on `start`.
        """
        ...

    def scan(self, split: Split, batch_size: int = 1024) -> Iterator[Batch]:
        """All samples of `split` once, in order, not augmented."""
        ...

    def sha256(self) -> str:
        """A digest of everything the splits hold: the same data, the same digest, on any machine."""
        ...


@runtime_checkable
class Task(Protocol):
    """A problem to be learned; usually a frozen dataclass whose fields are its configuration."""

    @property
    def data(self) -> Data:
        """The samples; read or made at the first call and kept."""
        ...

    def model(self) -> nn.Module:
        """A new model with fresh weights, drawn from the global generators, which the engine has seeded."""
        ...

    def loss(self, model: nn.Module, batch: Batch) -> Mapping[str, Tensor]:
        """Forward pass and loss: for each component the SUM over the batch (scalar tensors), named as in
        `batch.weights`.

        The loop minimizes the sum over components of (component's sum / its weight).
        """
        ...

    def evaluate(self, model: nn.Module, split: Split) -> dict[str, float]:
        """The metrics of `model` on a whole split, flat; `loss` among them. Called in eval mode without gradients."""
        ...

    def artifacts(self, model: nn.Module, directory: Path) -> None:
        """Write what this task wants to show of a trained model (pictures, tables) into `directory`; may do nothing."""
        ...


@runtime_checkable
class Shows(Protocol):
    """What a task may do besides: show a sample as the model saw it, augmented, on a terminal."""

    def show(self, batch: Batch, row: int) -> str:
        """A few lines of plain text about the sample in `row` of `batch`, its label among them."""
        ...


@dataclass(frozen=True, slots=True)
class StepReport:
    """What one step did. Its tensors are 0-dimensional and on the run's device: read them in blocks.

    `step` counts finished steps, from 1. `epoch` is the epoch the step belonged to, from 0. `lr` is the first
    parameter group's rate. `grad_norm` is the norm before clipping. `samples` were used in this step.
    """

    step: int
    epoch: int
    lr: float
    samples: int
    loss: Tensor
    parts: Mapping[str, Tensor]
    grad_norm: Tensor


class Hook:
    """Watches a run. Hooks observe: a run without any hook computes the same bits. Override what you need."""

    def on_epoch_start(self, epoch: int) -> None:
        """Before the first step of `epoch` (from 0)."""

    def on_epoch_end(self, epoch: int) -> None:
        """After the last step of `epoch` and its evaluation."""

    def on_step_end(self, report: StepReport) -> None:
        """After each optimizer step. Reading a tensor of the report waits for the device."""

    def on_validation_end(self, step: int, metrics: Mapping[str, float]) -> None:
        """After an evaluation on the validation split."""


class Together(Hook):
    """Several hooks as one."""

    def __init__(self, hooks: Sequence[Hook]) -> None:
        self.hooks = hooks

    def on_epoch_start(self, epoch: int) -> None:
        """To each in turn."""
        for hook in self.hooks:
            hook.on_epoch_start(epoch)

    def on_epoch_end(self, epoch: int) -> None:
        """To each in turn."""
        for hook in self.hooks:
            hook.on_epoch_end(epoch)

    def on_step_end(self, report: StepReport) -> None:
        """To each in turn."""
        for hook in self.hooks:
            hook.on_step_end(report)

    def on_validation_end(self, step: int, metrics: Mapping[str, float]) -> None:
        """To each in turn."""
        for hook in self.hooks:
            hook.on_validation_end(step, metrics)


class Journal(Protocol):
    """Where a run writes down what happens; `loopwright.journal.RunJournal` writes it to the run directory."""

    def step(self, report: StepReport) -> None:
        """A step was done. Must not wait for the device."""
        ...

    def validation(self, step: int, epoch: int, metrics: Mapping[str, float]) -> None:
        """An evaluation on the validation split was done after `step`."""
        ...

    def epoch(self, step: int, epoch: int) -> None:
        """`epoch` (from 0) ended with `step`."""
        ...

    def flush(self) -> None:
        """Everything told so far is durable when this returns; called before each checkpoint."""
        ...


class Store(Protocol):
    """Where a run keeps its checkpoints; `loopwright.store.CheckpointStore` keeps them in the run directory."""

    def save(self, content: Mapping[str, object], step: int, *, best: bool) -> None:
        """Keep `content` as the newest checkpoint and, with `best`, as the best one. Copies before it returns.

        Raises StoreError where this or an earlier write has failed.
        """
        ...

    def check(self) -> None:
        """Raises StoreError where a write has failed; never waits. Called in every step."""
        ...

    def wait(self) -> None:
        """Return when all that was saved is durable; raises StoreError where a write has failed."""
        ...


class NoJournal:
    """A journal that writes nothing."""

    def step(self, report: StepReport) -> None:
        """Nothing is written."""

    def validation(self, step: int, epoch: int, metrics: Mapping[str, float]) -> None:
        """Nothing is written."""

    def epoch(self, step: int, epoch: int) -> None:
        """Nothing is written."""

    def flush(self) -> None:
        """Nothing is written."""


class NoStore:
    """A store that keeps nothing."""

    def save(self, content: Mapping[str, object], step: int, *, best: bool) -> None:
        """Nothing is kept."""

    def check(self) -> None:
        """Nothing can have failed."""

    def wait(self) -> None:
        """There is nothing to wait for."""
