"""The smallest tasks that have everything that can go wrong: dropout, BatchNorm, augmentation, a short last batch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from loopwright import losses
from loopwright.core import AdamW, Cosine, Experiment, State, train
from loopwright.data.tensors import TensorData, count
from loopwright.metrics import classification
from loopwright.protocols import SPLITS, Batch, Hook, NoJournal, NoStore, Split, StepReport
from loopwright.seeding import Uniform


def noisy(tensors: Mapping[str, Tensor], uniform: Uniform) -> dict[str, Tensor]:
    """Augmentation: a little noise that belongs to the sample in the epoch."""
    return {**tensors, "x": tensors["x"] + 0.1 * uniform(4)}


@dataclass(frozen=True)
class Toy:
    """Which of two clouds a point comes from: 52 training points, so that batches of 8 leave a last one of 4."""

    n: int = 52
    dropout: float = 0.2

    @cached_property
    def data(self) -> TensorData:
        generator = torch.Generator().manual_seed(1)
        splits = {}
        for split in SPLITS:
            label = torch.arange(self.n) % 2
            x = torch.randn(self.n, 4, generator=generator) + label.unsqueeze(1)
            splits[split] = {"x": x, "label": label}
        return TensorData(splits, count("cross_entropy"), noisy)

    def model(self) -> nn.Module:
        return nn.Sequential(
            nn.Linear(4, 16), nn.BatchNorm1d(16), nn.ReLU(), nn.Dropout(self.dropout), nn.Linear(16, 2)
        )

    def loss(self, model: nn.Module, batch: Batch) -> Mapping[str, Tensor]:
        return {"cross_entropy": losses.cross_entropy(model(batch["x"]), batch["label"])}

    def evaluate(self, model: nn.Module, split: Split) -> dict[str, float]:
        whole = self.data.splits[split]
        return classification(model(whole["x"]), whole["label"])

    def artifacts(self, model: nn.Module, directory: Path) -> None:
        pass


def toy(**changes: Any) -> Experiment:
    """An experiment on the toy: 2 epochs of 7 steps, evaluated every 5 steps."""
    base = Experiment(
        name="toy",
        task=Toy(),
        epochs=2,
        batch_size=8,
        optimizer=AdamW(lr=0.01),
        schedule=Cosine(warmup=3, floor=0.1),
        eval_every=5,
        device="cpu",
        threads=1,
    )
    return replace(base, **changes)


class Memory(NoStore):
    """A store that keeps every checkpoint in memory, by step, and which were the best."""

    def __init__(self) -> None:
        self.saved: dict[int, Any] = {}
        self.best: list[int] = []

    def save(self, content: Mapping[str, object], step: int, *, best: bool) -> None:
        self.saved[step] = torch.utils._pytree.tree_map(
            lambda leaf: leaf.clone() if isinstance(leaf, Tensor) else leaf, dict(content)
        )
        if best:
            self.best.append(step)


class Records(NoJournal):
    """A journal in memory."""

    def __init__(self) -> None:
        self.steps: list[StepReport] = []
        self.validations: list[tuple[int, dict[str, float]]] = []
        self.epochs: list[tuple[int, int]] = []

    def step(self, report: StepReport) -> None:
        self.steps.append(report)

    def validation(self, step: int, epoch: int, metrics: Mapping[str, float]) -> None:
        self.validations.append((step, dict(metrics)))

    def epoch(self, step: int, epoch: int) -> None:
        self.epochs.append((step, epoch))

    def losses(self) -> list[float]:
        return [report.loss.item() for report in self.steps]


def run(experiment: Experiment, saved: Any = None, **parts: Any) -> tuple[State, Records, Memory]:
    """Train from the start, or from `saved`; everything in memory."""
    records, memory = Records(), Memory()
    state = State.create(experiment)
    if saved is not None:
        state.load_state_dict(saved)
    train(experiment, state, **{"journal": records, "store": memory, **parts})
    return state, records, memory


def bits(state: State) -> list[tuple[str, bytes]]:
    """Every tensor of a state as bytes, and every number."""
    leaves = torch.utils._pytree.tree_flatten_with_path(state.state_dict())[0]
    return [
        (str(path), leaf.numpy().tobytes() if isinstance(leaf, Tensor) else repr(leaf).encode())
        for path, leaf in leaves
    ]


class Order(Hook):
    """Notes the order in which a hook is called."""

    def __init__(self) -> None:
        self.calls: list[str] = []

    def on_epoch_start(self, epoch: int) -> None:
        self.calls.append(f"start {epoch}")

    def on_epoch_end(self, epoch: int) -> None:
        self.calls.append(f"end {epoch}")

    def on_step_end(self, report: StepReport) -> None:
        self.calls.append(f"step {report.step}")

    def on_validation_end(self, step: int, metrics: Mapping[str, float]) -> None:
        self.calls.append(f"validation {step}")
