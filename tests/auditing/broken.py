"""Experiments that break one promise each, in a way that happens: what an audit must find."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.data import get_worker_info

from loopwright import losses
from loopwright.core import Experiment
from loopwright.data import DatasetData, count
from loopwright.protocols import Batch, Split
from tests.toys import Toy, toy

Shift = Callable[[], float]

calls = 0


def clock() -> float:
    """Another number in each process."""
    return (time.time_ns() % 1_000_003) * 1e-6


def called() -> float:
    """Grows from call to call, and no checkpoint knows."""
    global calls
    calls += 1
    return 1e-3 * calls


def launched() -> float:
    """Another number where torchrun has started the process."""
    return float(os.environ.get("WORLD_SIZE", "0"))


def refusing() -> float:
    """Fails where torchrun has started the process."""
    if "WORLD_SIZE" in os.environ:
        raise ValueError("not among others")
    return 0.0


def strict() -> float:
    """Another number where only deterministic operations are allowed."""
    return float(torch.are_deterministic_algorithms_enabled())


SHIFTS: dict[str, Shift] = {
    "clock": clock,
    "called": called,
    "launched": launched,
    "refusing": refusing,
    "strict": strict,
}


@dataclass(frozen=True)
class Shifted(Toy):
    """The toy whose inputs are moved by something that a run does not record."""

    by: str = "clock"

    def loss(self, model: nn.Module, batch: Batch) -> Mapping[str, Tensor]:
        x = batch["x"] + SHIFTS[self.by]()
        return {"cross_entropy": losses.cross_entropy(model(x), batch["label"])}


@dataclass(frozen=True)
class Meddling(Toy):
    """The toy whose evaluation lowers the dropout, which is neither a parameter nor a buffer."""

    def evaluate(self, model: nn.Module, split: Split) -> dict[str, float]:
        for module in model.modules():
            if isinstance(module, nn.Dropout):
                module.p *= 0.9
        return super().evaluate(model, split)


@dataclass(frozen=True)
class Undetermined(Toy):
    """The toy with an operation that has no deterministic form, even on a CPU."""

    def loss(self, model: nn.Module, batch: Batch) -> Mapping[str, Tensor]:
        x = batch["x"]
        copied = torch.zeros(x.numel()).put_(torch.arange(x.numel()), x.flatten()).view_as(x)
        return {"cross_entropy": losses.cross_entropy(model(copied), batch["label"])}


@dataclass(frozen=True)
class Crowded(Toy):
    """The toy whose loss needs more samples than a shard has."""

    fails: bool = True

    def loss(self, model: nn.Module, batch: Batch) -> Mapping[str, Tensor]:
        if len(batch) < 8 and self.fails:
            raise TypeError("too few to compare")
        value = losses.cross_entropy(model(batch["x"]), batch["label"])
        return {"cross_entropy": value if len(batch) >= 8 else value * torch.nan}


class Counter(nn.Module):
    """Counts its forward passes in a buffer."""

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("passes", torch.zeros(()))

    def forward(self, x: Tensor) -> Tensor:
        if self.training:
            self.passes += 1
        return x


@dataclass(frozen=True)
class Counting(Toy):
    """The toy with a buffer that cannot be combined over shards."""

    def model(self) -> nn.Module:
        return nn.Sequential(Counter(), nn.Linear(4, 2))


@dataclass(frozen=True, eq=False)
class Items:
    """The toy's points one by one, moved by the number of the worker that reads them where `marked`."""

    x: Tensor
    label: Tensor
    marked: bool

    def __len__(self) -> int:
        return len(self.label)

    def __getitem__(self, sample: int, /) -> Mapping[str, Any]:
        worker = get_worker_info()
        shift = 0.1 * (worker.id + 1) if self.marked and worker is not None else 0.0
        return {"x": self.x[sample] + shift, "label": self.label[sample]}


@dataclass(frozen=True)
class Loaded(Toy):
    """The toy through a loader."""

    num_workers: int = 0
    marked: bool = False

    @cached_property
    def data(self) -> DatasetData:
        splits = {
            split: Items(part["x"], part["label"], self.marked) for split, part in Toy(self.n).data.splits.items()
        }
        return DatasetData(splits, count("cross_entropy"), num_workers=self.num_workers)

    def evaluate(self, model: nn.Module, split: Split) -> dict[str, float]:
        sums = [(losses.cross_entropy(model(b["x"]), b["label"]), len(b)) for b in self.data.scan(split)]
        total = sum(float(loss) for loss, _ in sums)
        return {"loss": total / self.data.size(split), "accuracy": 0.5}


@dataclass(frozen=True)
class Perplexed(Loaded):
    """A perplexity that is the mean of the batches' perplexities: it depends on how the split was cut."""

    def evaluate(self, model: nn.Module, split: Split) -> dict[str, float]:
        means = [losses.cross_entropy(model(b["x"]), b["label"]) / len(b) for b in self.data.scan(split)]
        return {"accuracy": 0.5, "perplexity": float(torch.stack(means).exp().mean())}


def fine() -> Experiment:
    """Nothing is broken."""
    return replace(toy(), task=Loaded())


def noisy() -> Experiment:
    """Depends on the clock."""
    return replace(toy(), task=Shifted())


def forgetful() -> Experiment:
    """Remembers something that is not in the state."""
    return replace(toy(), task=Shifted(by="called"))


def meddling() -> Experiment:
    """Is changed by being looked at."""
    return replace(toy(), task=Meddling())


def marked() -> Experiment:
    """Depends on which loader worker has read a sample."""
    return replace(toy(), task=Loaded(marked=True))


def launched_differs() -> Experiment:
    """Depends on how its process was started."""
    return replace(toy(), task=Shifted(by="launched"))


def refusing_others() -> Experiment:
    """Fails among other workers."""
    return replace(toy(), task=Shifted(by="refusing"))


def crowded() -> Experiment:
    """Fails in shards, which nobody has asked for."""
    return toy(task=Crowded(), batch_size=13)


def infinite() -> Experiment:
    """Leaves the numbers in shards."""
    return toy(task=Crowded(fails=False), batch_size=13)


def strict_differs() -> Experiment:
    """Depends on whether only deterministic operations are allowed."""
    return replace(toy(), task=Shifted(by="strict"))


def undetermined() -> Experiment:
    """Has an operation without a deterministic form."""
    return replace(toy(), task=Undetermined())


def counting() -> Experiment:
    """Cannot be cut into shards."""
    return replace(toy(), task=Counting())


def perplexed() -> Experiment:
    """Is evaluated wrongly."""
    return replace(toy(), task=Perplexed())


def misspelled() -> Experiment:
    """Cannot be made."""
    raise NameError("misspelled")


def diverging() -> Experiment:
    """Does not train."""
    return replace(toy(), task=Shifted(by="none"))
