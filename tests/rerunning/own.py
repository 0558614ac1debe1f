"""Experiments of one's own, in a file that records can name: each parts from itself in one way."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.checkpoint import checkpoint

from loopwright.core import Experiment
from loopwright.data.tensors import TensorData, count
from loopwright.protocols import SPLITS, Batch
from loopwright.seeding import Uniform
from tests.toys import Toy, toy


def plain() -> Experiment:
    """The toy itself: dropout, BatchNorm, augmentation, a short last batch."""
    return replace(toy(), eval_every=4)


def hidden() -> float:
    """A number in [0, 1) that no seed decides."""
    return int.from_bytes(os.urandom(4)) / 2**32


class Noise(nn.Module):
    """Adds what no seed decides."""

    def forward(self, x: Tensor) -> Tensor:
        return x + hidden()


@dataclass(frozen=True)
class NoisyToy(Toy):
    """The toy with a module whose randomness is hidden."""

    def model(self) -> nn.Module:
        return nn.Sequential(nn.Linear(4, 16), nn.ReLU(), Noise(), nn.Linear(16, 2))


def noisy() -> Experiment:
    """Never the same twice."""
    return replace(plain(), task=NoisyToy())


@dataclass(frozen=True)
class Normed(Toy):
    """Wide layers with LayerNorm, whose weight's gradient is a sum that threads share."""

    n: int = 600

    def model(self) -> nn.Module:
        return nn.Sequential(nn.Linear(4, 64), nn.LayerNorm(64), nn.GELU(), nn.Linear(64, 2))


def normed() -> Experiment:
    """A model on which the number of threads can be seen."""
    return replace(plain(), task=Normed(), batch_size=512, steps=8)


@dataclass(frozen=True)
class FromFile(Toy):
    """The toy with points from a file of numbers."""

    path: Path = Path("points.txt")

    @cached_property
    def data(self) -> TensorData:
        numbers = [float(line) for line in self.path.read_text().split()]
        x = torch.tensor(numbers).reshape(-1, 4)
        whole = {"x": x, "label": torch.arange(len(x)) % 2}
        return TensorData(dict.fromkeys(SPLITS, whole), count("cross_entropy"))


def from_file() -> Experiment:
    """Data that can be edited."""
    return replace(plain(), task=FromFile())


class Attention(nn.Module):
    """Four kinds of attention, one after the other, and dropout behind them."""

    def __init__(self) -> None:
        super().__init__()
        self.embed = nn.Linear(1, 8)
        self.library = nn.MultiheadAttention(8, 2, dropout=0.1, batch_first=True)
        self.weighed = nn.MultiheadAttention(8, 2, batch_first=True)
        self.explicit = Explicit()
        self.dropout = nn.Dropout(0.1)
        self.head = nn.Linear(8, 2)

    def forward(self, x_BF: Tensor) -> Tensor:
        h = self.embed(x_BF.unsqueeze(-1))
        h = h + self.library(h, h, h, need_weights=False)[0]
        h = h + self.weighed(h, h, h)[0]
        h = h + self.explicit(h)[0]
        h = h + functional.scaled_dot_product_attention(h[:, None], h[:, None], h[:, None], is_causal=True)[:, 0]
        return self.head(self.dropout(h.mean(1)))


class Explicit(nn.Module):
    """Attention that returns its weights."""

    def forward(self, h_BTC: Tensor) -> tuple[Tensor, Tensor]:
        h_BHTD = h_BTC.unflatten(-1, (2, 4)).transpose(1, 2)
        weights_BHTT = (h_BHTD @ h_BHTD.transpose(-2, -1)).softmax(-1)
        return (weights_BHTT @ h_BHTD).transpose(1, 2).flatten(2), weights_BHTT


@dataclass(frozen=True)
class Attentive(Toy):
    """The toy's four numbers as a sequence."""

    def model(self) -> nn.Module:
        return Attention()

    def show(self, batch: Batch, row: int) -> str:
        return f"label {int(batch['label'][row])}, first number {batch['x'][row, 0].item():.9g}"


def attentive() -> Experiment:
    """A model with attention, in two shards."""
    return replace(plain(), task=Attentive(), shards=2, steps=8)


class Twice(nn.Module):
    """Calls one layer twice."""

    def __init__(self) -> None:
        super().__init__()
        self.layer, self.head = nn.Linear(4, 4), nn.Linear(4, 2)

    def forward(self, x_BF: Tensor) -> Tensor:
        return self.head(self.layer(self.layer(x_BF).relu()))


@dataclass(frozen=True)
class TwiceToy(Toy):
    """A model that shares a layer."""

    def model(self) -> nn.Module:
        return Twice()


def twice() -> Experiment:
    """A module with two calls in a step."""
    return replace(plain(), task=TwiceToy(), steps=4)


class Unsafe(nn.Module):
    """Adds noise, and calls an operation that torch calls not deterministic."""

    def forward(self, x: Tensor) -> Tensor:
        noise = torch.zeros_like(x)
        return x + noise.put_(torch.tensor([0]), torch.tensor([hidden()]))


@dataclass(frozen=True)
class UnsafeToy(Toy):
    """The toy with an operation that strict mode refuses."""

    def model(self) -> nn.Module:
        return nn.Sequential(nn.Linear(4, 16), nn.ReLU(), Unsafe(), nn.Linear(16, 2))


def refused() -> Experiment:
    """Never the same twice, and torch knows."""
    return replace(plain(), task=UnsafeToy())


SLOPE = 1.0


class Sloped(nn.Module):
    """Multiplies by a number of the code."""

    def forward(self, x: Tensor) -> Tensor:
        return SLOPE * x


@dataclass(frozen=True)
class SlopedToy(Toy):
    """The toy with a module whose code can be edited."""

    def model(self) -> nn.Module:
        return nn.Sequential(nn.Linear(4, 16), nn.ReLU(), Sloped(), nn.Linear(16, 2))


def noiseless() -> Experiment:
    """Depends on the code alone."""
    return replace(plain(), task=SlopedToy())


class Attends(nn.Module):
    """Attention of the batch's samples to each other."""

    def forward(self, x_BF: Tensor) -> Tensor:
        return functional.scaled_dot_product_attention(x_BF, x_BF, x_BF)


class Recomputed(nn.Module):
    """Runs its layer a second time in the backward pass."""

    def __init__(self) -> None:
        super().__init__()
        self.layer, self.head = nn.Sequential(nn.Linear(4, 8), Attends(), nn.Linear(8, 8)), nn.Linear(8, 2)

    def forward(self, x_BF: Tensor) -> Tensor:
        return self.head(checkpoint(self.layer, x_BF, use_reentrant=False).relu())


@dataclass(frozen=True)
class RecomputedToy(Toy):
    """The toy with activation checkpointing."""

    def model(self) -> nn.Module:
        return Recomputed()


def recomputed() -> Experiment:
    """Modules that are called again while gradients are computed."""
    return replace(plain(), task=RecomputedToy(), shards=2, steps=4)


SEEN: list[int] = []


class Counting(nn.Module):
    """Depends on how often it was called in this process."""

    def forward(self, x: Tensor) -> Tensor:
        SEEN.append(len(x))
        return x * (1 + 0.01 * len(SEEN))


class Fading(nn.Module):
    """Multiplies by a number that changes from step to step, in no buffer."""

    def __init__(self) -> None:
        super().__init__()
        self.scale = 1.0

    def forward(self, x: Tensor) -> Tensor:
        self.scale = 0.9 * self.scale + 0.05
        return x * self.scale


@dataclass(frozen=True)
class CountingToy(Toy):
    """The toy with a module that writes to a variable of its file."""

    def model(self) -> nn.Module:
        return nn.Sequential(nn.Linear(4, 16), nn.ReLU(), Counting(), nn.Linear(16, 2))


@dataclass(frozen=True)
class FadingToy(Toy):
    """The toy with a module that remembers in an attribute."""

    def model(self) -> nn.Module:
        return nn.Sequential(nn.Linear(4, 16), nn.ReLU(), Fading(), nn.Linear(16, 2))


def counting() -> Experiment:
    """State in a list."""
    return replace(plain(), task=CountingToy())


def fading() -> Experiment:
    """State in an attribute."""
    return replace(plain(), task=FadingToy())


class Worn(nn.Module):
    """Gives what is not a number from its tenth call on, which no buffer counts."""

    def __init__(self) -> None:
        super().__init__()
        self.calls = 0

    def forward(self, x: Tensor) -> Tensor:
        self.calls += self.training
        return x * (float("nan") if self.calls >= 10 else 1.0)


@dataclass(frozen=True)
class WornToy(Toy):
    """The toy with a module that breaks after a while."""

    def model(self) -> nn.Module:
        return nn.Sequential(nn.Linear(4, 16), nn.ReLU(), Worn(), nn.Linear(16, 2))


def worn() -> Experiment:
    """Breaks in step 10, unless it goes on from a checkpoint."""
    return replace(plain(), task=WornToy())


@dataclass(frozen=True)
class Poisoned(Toy):
    """The toy with a sample whose loss is infinite."""

    bad: int = 5

    def loss(self, model: nn.Module, batch: Batch) -> Mapping[str, Tensor]:
        factor = torch.where(batch.samples == self.bad, torch.inf, 1.0).prod()
        return {name: value * factor for name, value in super().loss(model, batch).items()}


def poisoned() -> Experiment:
    """Breaks in the step that sees the sample."""
    return replace(plain(), task=Poisoned(), shards=2, eval_every=1)


def jittered(tensors: Mapping[str, Tensor], uniform: Uniform) -> dict[str, Tensor]:
    """Augmentation that no seed decides."""
    return {**tensors, "x": tensors["x"] + hidden()}


@dataclass(frozen=True)
class JitteredToy(Toy):
    """The toy with data that are never the same twice."""

    @cached_property
    def data(self) -> TensorData:
        return replace(super().data, augment=jittered)


def jittery() -> Experiment:
    """Hidden randomness in the data."""
    return replace(plain(), task=JitteredToy())
