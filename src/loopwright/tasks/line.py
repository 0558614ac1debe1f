"""The straight line y = 2x + 1 with noise: the smallest thing that can be trained, and its answer is known."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import torch
from torch import Tensor, nn

from loopwright import losses
from loopwright.data.tensors import TensorData, count
from loopwright.metrics import Table
from loopwright.protocols import SPLITS, Batch, Split
from loopwright.seeding import Purpose, fold
from loopwright.tasks.tables import write_table


@dataclass(frozen=True)
class Line:
    """`n` training points (as many for validation and test) on `slope` x + `intercept`, x in [-1, 1], with noise."""

    slope: float = 2.0
    intercept: float = 1.0
    noise: float = 0.1
    n: int = 1000
    data_seed: int = 0

    @cached_property
    def data(self) -> TensorData:
        """Three splits of x and y, float32 (N, 1)."""
        return TensorData({split: self.draw(number) for number, split in enumerate(SPLITS)}, count("mse"))

    def draw(self, number: int) -> dict[str, Tensor]:
        """The points of one split."""
        generator = torch.Generator().manual_seed(fold(self.data_seed, Purpose.SPLIT, number))
        x = 2 * torch.rand(self.n, 1, generator=generator) - 1
        return {
            "x": x,
            "y": self.slope * x + self.intercept + self.noise * torch.randn(self.n, 1, generator=generator),
        }

    def model(self) -> nn.Module:
        """One weight and one bias."""
        return nn.Linear(1, 1)

    def loss(self, model: nn.Module, batch: Batch) -> Mapping[str, Tensor]:
        """Squared error, summed."""
        return {"mse": losses.mse(model(batch["x"]), batch["y"])}

    def evaluate(self, model: nn.Module, split: Split) -> dict[str, float]:
        """Mean squared error, and the line that was found."""
        device = next(model.parameters()).device
        total = sum(
            float(losses.mse(model(b["x"].to(device)), b["y"].to(device)).double()) for b in self.data.scan(split)
        )
        bias, end = model(torch.tensor([[0.0], [1.0]], device=device)).flatten().tolist()
        return {"loss": total / self.data.size(split), "slope": end - bias, "intercept": bias}

    def show(self, batch: Batch, row: int) -> str:
        """The point."""
        return f"x {batch['x'][row].item():.4f}  y {batch['y'][row].item():.4f}"

    def artifacts(self, model: nn.Module, directory: Path) -> None:
        """The test points and the line through them; the points that are furthest from it."""
        from matplotlib.figure import Figure

        test = self.data.splits["test"]
        ends = torch.tensor([[-1.0], [1.0]])
        found = model(ends.to(next(model.parameters()).device)).cpu()
        figure = Figure(figsize=(6, 4), layout="constrained")
        axes = figure.subplots()
        axes.scatter(test["x"], test["y"], s=6, color="#7a8aa0", alpha=0.5, label="test points")
        axes.plot(ends, found, color="#a3262a", linewidth=2, label="the line found")
        axes.set(xlabel="x", ylabel="y", title=f"y = {self.slope:g}x + {self.intercept:g}, and what was found")
        axes.legend()
        figure.savefig(directory / "line.svg", metadata={"Date": None})
        write_table(furthest(test["x"], test["y"], found), directory / "mistakes.json")


def furthest(x: Tensor, y: Tensor, ends: Tensor, shown: int = 12) -> Table:
    """The points `x`, `y` (N, 1) that are furthest from the line, which is at `ends` (2, 1) at -1 and at 1."""
    told = ends.mean() + x * (ends[1] - ends[0]) / 2
    off = (y - told).flatten()
    rows = off.abs().argsort(descending=True)[:shown].tolist()
    cells: list[list[str | int | float]] = [
        [row, *(round(value, 4) for value in (x[row].item(), y[row].item(), told[row].item(), off[row].item()))]
        for row in rows
    ]
    note = f"The {len(rows)} of {len(off):,} test points that are furthest from the line."
    return Table(title="Test points", columns=["no.", "x", "y", "said", "off by"], rows=cells, note=note)
