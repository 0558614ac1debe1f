"""Points in the plane, in two classes: so few that they can be learned perfectly, and nothing can hide."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Literal

import torch
from torch import Tensor, nn

from loopwright.data.tensors import TensorData, count
from loopwright.errors import DataError
from loopwright.models.mlp import MLP
from loopwright.protocols import SPLITS, Batch, Split
from loopwright.seeding import Purpose, fold
from loopwright.tasks.mistakes import find_mistakes, mistakes_table
from loopwright.tasks.supervised import classification_loss, gather, write_tables
from loopwright.tasks.tables import write_table

Shape = Literal["linear", "circles", "spirals", "xor"]


@dataclass(frozen=True)
class Points:
    """`n` training points (as many for validation and test) of a shape; the label is a rule of the place, exactly."""

    shape: Shape = "spirals"
    n: int = 100
    hidden: tuple[int, ...] = (64, 64)
    data_seed: int = 0

    @cached_property
    def data(self) -> TensorData:
        """Three splits of points (N, 2) in [-1, 1]^2 and labels (N,)."""
        if self.n < 2:
            raise DataError(f"points: received n = {self.n}, two classes need at least 2; set --task.n")
        splits = {
            split: draw(self.shape, self.n, fold(self.data_seed, Purpose.SPLIT, i)) for i, split in enumerate(SPLITS)
        }
        return TensorData(splits, count("cross_entropy"))

    def model(self) -> nn.Module:
        """A multi-layer perceptron."""
        return MLP(2, self.hidden, 2)

    def loss(self, model: nn.Module, batch: Batch) -> Mapping[str, Tensor]:
        """Cross-entropy."""
        return classification_loss(model, batch, "point")

    def evaluate(self, model: nn.Module, split: Split) -> dict[str, float]:
        """Loss, accuracy, macro-F1, calibration error."""
        return gather(model, self.data, split, "point", classes=2).result()

    def show(self, batch: Batch, row: int) -> str:
        """The point and its class."""
        x, y = batch["point"][row].tolist()
        return f"({x:.4f}, {y:.4f}) class {int(batch['label'][row])}"

    def artifacts(self, model: nn.Module, directory: Path) -> None:
        """The decision boundary with the training points, the test split's tables and mistakes."""
        draw_boundary(model, self.data.splits["train"], directory / "decision-boundary.svg")
        write_tables(gather(model, self.data, "test", "point", classes=2), directory)
        found = find_mistakes(model, self.data, "test", "point")
        table = mistakes_table(found, self.n, "test points", ["x", "y"], lambda wrong: wrong.inputs.tolist())
        write_table(table, directory / "mistakes.json")


def draw(shape: Shape, n: int, seed: int) -> dict[str, Tensor]:
    """`n` points float32 (n, 2) and their labels int64 (n,), the classes as equal in number as can be."""
    generator = torch.Generator().manual_seed(seed)
    label = torch.arange(n) % 2
    t = torch.rand(n, generator=generator)
    u = torch.rand(n, generator=generator)
    return {"point": SHAPES[shape](label, t, u), "label": label}


def linear(label: Tensor, t: Tensor, u: Tensor) -> Tensor:
    """Two strips on either side of the line y = x, with a gap between them."""
    along, across = 1.6 * t - 0.8, (0.1 + 0.4 * u) * (2 * label - 1)
    return torch.stack([along - across, along + across], dim=1) / 1.3


def circles(label: Tensor, t: Tensor, u: Tensor) -> Tensor:
    """A disc of radius 0.4 in a ring from 0.6 to 1."""
    return polar(torch.where(label == 0, 0.4 * u.sqrt(), 0.6 + 0.4 * u), 2 * math.pi * t)


def spirals(label: Tensor, t: Tensor, u: Tensor) -> Tensor:
    """Two arms of one and a half turns, half a turn apart; `u` moves points a little off the arm."""
    return polar(0.1 + 0.85 * t + 0.05 * (u - 0.5), 3 * math.pi * t + math.pi * label)


def xor(label: Tensor, t: Tensor, u: Tensor) -> Tensor:
    """Four squares; opposite ones belong together."""
    x, y = 2 * t - 1, 0.1 + 0.9 * u
    x = x + 0.1 * torch.sign(x)
    return torch.stack([x / 1.1, torch.where(label == 0, y, -y) * torch.sign(x)], dim=1)


def polar(radius: Tensor, angle: Tensor) -> Tensor:
    """Points (n, 2) from polar coordinates."""
    return torch.stack([radius * torch.cos(angle), radius * torch.sin(angle)], dim=1)


SHAPES: dict[Shape, Callable[[Tensor, Tensor, Tensor], Tensor]] = {
    "linear": linear,
    "circles": circles,
    "spirals": spirals,
    "xor": xor,
}


def draw_boundary(model: nn.Module, train: Mapping[str, Tensor], path: Path) -> None:
    """The probability of class 1 over the plane, with the training points on it, as an SVG file."""
    from matplotlib.figure import Figure

    axis = torch.linspace(-1.15, 1.15, 160)
    y, x = torch.meshgrid(axis, axis, indexing="ij")
    device = next(model.parameters()).device
    logits = model(torch.stack([x.flatten(), y.flatten()], dim=1).to(device)).float().cpu()
    probability = logits.softmax(-1)[:, 1].reshape(x.shape)
    figure = Figure(figsize=(5, 5), layout="constrained")
    axes = figure.subplots()
    axes.contourf(x, y, probability, levels=20, cmap="RdBu_r", alpha=0.45, vmin=0, vmax=1)
    axes.contour(x, y, probability, levels=[0.5], colors="#444444", linewidths=1.5)
    for label, color in ((0, "#1f4e8c"), (1, "#a3262a")):
        points = train["point"][train["label"] == label]
        axes.scatter(
            points[:, 0],
            points[:, 1],
            s=22,
            color=color,
            edgecolors="white",
            linewidths=0.6,
            label=f"class {label}",
        )
    axes.set_aspect("equal")
    axes.set(xlabel="x", ylabel="y", title="Where the model draws the line (training points)")
    axes.legend(loc="upper right", framealpha=0.8)
    figure.savefig(path, metadata={"Date": None})
