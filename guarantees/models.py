"""Small tasks with what can go wrong when work is divided: BatchNorm, dropout, bf16, recurrence, a short last batch."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from loopwright import losses
from loopwright.core import SGD, AdamW, Cosine, Experiment
from loopwright.data import TensorData, count
from loopwright.metrics import classification
from loopwright.protocols import SPLITS, Batch, Split
from loopwright.seeding import Uniform

TRAIN, LENGTH, WIDTH, CLASSES = 52, 8, 12, 3


def mlp() -> nn.Module:
    """A perceptron with LayerNorm and dropout."""
    return nn.Sequential(
        nn.Flatten(),
        nn.Linear(LENGTH * WIDTH, 32),
        nn.LayerNorm(32),
        nn.GELU(),
        nn.Dropout(0.2),
        nn.Linear(32, CLASSES),
    )


def cnn() -> nn.Module:
    """Convolutions with BatchNorm and dropout."""
    return nn.Sequential(
        nn.Unflatten(1, (1, LENGTH)),
        nn.Conv2d(1, 8, 3, padding=1),
        nn.BatchNorm2d(8),
        nn.ReLU(),
        nn.Dropout2d(0.2),
        nn.Conv2d(8, 8, 3, stride=2),
        nn.BatchNorm2d(8),
        nn.ReLU(),
        nn.AdaptiveAvgPool2d(2),
        nn.Flatten(),
        nn.Linear(32, CLASSES),
    )


class Last(nn.Module):
    """The last position of a sequence, (batch, length, width) to (batch, width); of a pair, its first."""

    def forward(self, x: Any) -> Tensor:
        """The last position."""
        sequence: Tensor = x[0] if isinstance(x, tuple) else x
        return sequence[:, -1]


def transformer() -> nn.Module:
    """Two encoder layers with dropout."""
    layer = nn.TransformerEncoderLayer(WIDTH, 2, 24, dropout=0.1, batch_first=True, norm_first=True)
    encoder = nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)
    return nn.Sequential(encoder, Last(), nn.Linear(WIDTH, CLASSES))


def lstm() -> nn.Module:
    """Two recurrent layers with dropout between them."""
    return nn.Sequential(
        nn.LSTM(WIDTH, 16, num_layers=2, dropout=0.2, batch_first=True), Last(), nn.Linear(16, CLASSES)
    )


MODELS: dict[str, Callable[[], nn.Module]] = {"mlp": mlp, "cnn": cnn, "transformer": transformer, "lstm": lstm}


def noisy(tensors: Mapping[str, Tensor], uniform: Uniform) -> dict[str, Tensor]:
    """Augmentation: a little noise that belongs to the sample in the epoch."""
    return {**tensors, "x": tensors["x"] + 0.1 * uniform(LENGTH * WIDTH).reshape(-1, LENGTH, WIDTH)}


@dataclass(frozen=True)
class Sequences:
    """Which of three directions a short sequence of vectors leans to."""

    kind: str = "mlp"

    @cached_property
    def data(self) -> TensorData:
        """Made from a fixed seed; 52 training samples, so that batches of 16 leave a last one of 4."""
        generator = torch.Generator().manual_seed(1)
        splits = {}
        for split in SPLITS:
            label = torch.arange(TRAIN) % CLASSES
            x = torch.randn(TRAIN, LENGTH, WIDTH, generator=generator)
            x[:, :, 0] += label.unsqueeze(1)
            splits[split] = {"x": x, "label": label}
        return TensorData(splits, count("cross_entropy"), noisy)

    def model(self) -> nn.Module:
        """The one of this kind."""
        return MODELS[self.kind]()

    def loss(self, model: nn.Module, batch: Batch) -> Mapping[str, Tensor]:
        """Cross-entropy."""
        return {"cross_entropy": losses.cross_entropy(model(batch["x"]), batch["label"])}

    def evaluate(self, model: nn.Module, split: Split) -> dict[str, float]:
        """Classification metrics over the whole split."""
        whole = self.data.splits[split]
        return classification(model(whole["x"]), whole["label"])

    def artifacts(self, model: nn.Module, directory: Path) -> None:
        """There are none."""


def experiment(kind: str, shards: int = 8, **changes: Any) -> Experiment:
    """Two epochs of four steps, the last of each epoch short, with warm-up, clipping and a moving average."""
    base = Experiment(
        name=f"sequences-{kind}",
        task=Sequences(kind),
        epochs=2,
        batch_size=16,
        shards=shards,
        optimizer=AdamW(lr=0.01),
        schedule=Cosine(warmup=3, floor=0.1),
        clip_norm=0.5,
        ema_decay=0.9,
        eval_every=3,
        device="cpu",
        threads=1,
    )
    return replace(base, **changes)


def momentum() -> SGD:
    """SGD with momentum."""
    return SGD(lr=0.05, momentum=0.9)


CASES: dict[str, Callable[[], Experiment]] = {
    "MLP with LayerNorm and dropout, AdamW": lambda: experiment("mlp"),
    "MLP, SGD with momentum, 6 shards": lambda: experiment("mlp", shards=6, optimizer=momentum()),
    "CNN with BatchNorm and dropout, AdamW": lambda: experiment("cnn"),
    "CNN with BatchNorm and dropout, SGD": lambda: experiment("cnn", shards=5, optimizer=momentum()),
    "transformer with dropout, bf16 autocast": lambda: experiment("transformer", precision="bf16"),
    "transformer, fp32, SGD, 4 shards": lambda: experiment("transformer", shards=4, optimizer=momentum()),
    "LSTM with dropout, AdamW": lambda: experiment("lstm"),
}
