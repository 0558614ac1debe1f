"""scikit-learn's 1,797 handwritten digits of 8x8 pixels (Alpaydin and Kaynak 1998): real images without a download."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Literal

import torch
from torch import Tensor, nn

from loopwright.data.splits import stratified
from loopwright.data.tensors import TensorData, count
from loopwright.data.transforms import random_affine
from loopwright.models.cnn import DigitCNN
from loopwright.models.mlp import MLP
from loopwright.protocols import Batch, Split
from loopwright.seeding import Uniform
from loopwright.tasks.images import in_shades, write_image_artifacts
from loopwright.tasks.packages import require_packages
from loopwright.tasks.supervised import classification_loss, gather

FRACTIONS: dict[Split, float] = {"train": 0.7, "val": 0.15, "test": 0.15}


@dataclass(frozen=True)
class Digits:
    """Which digit an 8x8 image shows. `augment` moves, turns and scales training images a little."""

    network: Literal["cnn", "mlp"] = "cnn"
    width: int = 32
    hidden: int = 128
    dropout: float = 0.3
    label_smoothing: float = 0.1
    augment: bool = True
    split_seed: int = 42

    @cached_property
    def data(self) -> TensorData:
        """Three splits, stratified by digit; images float32 (N, 1, 8, 8) in [-1, 1], labels int64 (N,)."""
        require_packages("sklearn")
        from sklearn.datasets import load_digits

        bunch = load_digits()
        image = torch.from_numpy(bunch.images).float().unsqueeze(1) / 8 - 1
        label = torch.from_numpy(bunch.target).long()
        parts = stratified(bunch.target, FRACTIONS, self.split_seed)
        splits = {split: {"image": image[rows], "label": label[rows]} for split, rows in parts.items()}
        return TensorData(splits, count("cross_entropy"), jitter if self.augment else None)

    def model(self) -> nn.Module:
        """The network, with ten outputs."""
        if self.network == "mlp":
            return MLP(64, (self.hidden, self.hidden), 10, dropout=self.dropout)
        return DigitCNN(width=self.width, hidden=self.hidden, dropout=self.dropout)

    def loss(self, model: nn.Module, batch: Batch) -> Mapping[str, Tensor]:
        """Cross-entropy with label smoothing."""
        return classification_loss(model, batch, "image", label_smoothing=self.label_smoothing)

    def evaluate(self, model: nn.Module, split: Split) -> dict[str, float]:
        """Loss (without smoothing), accuracy, macro-F1, calibration error."""
        return gather(model, self.data, split, "image", classes=10).result()

    def show(self, batch: Batch, row: int) -> str:
        """The image in shades, and its label."""
        return f"{in_shades(batch['image'][row, 0])}\nlabel {int(batch['label'][row])}"

    def artifacts(self, model: nn.Module, directory: Path) -> None:
        """The test split's tables, and the images that were taken for something else."""
        write_image_artifacts(model, self.data, directory, classes=10)


def jitter(tensors: Mapping[str, Tensor], uniform: Uniform) -> dict[str, Tensor]:
    """Move by up to 0.7 pixels, turn by up to 10 degrees, scale by up to a tenth."""
    ink = tensors["image"] + 1  # so that what comes in from outside, 0, is background
    return {**tensors, "image": random_affine(ink, uniform, degrees=10, scale=0.1, pixels=0.7) - 1}
