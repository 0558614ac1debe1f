"""The digits as a map-style dataset with per-sample transforms and DataLoader workers: the slow, flexible way."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from torch import Tensor, nn

from loopwright.data.loader import DatasetData
from loopwright.data.splits import stratified
from loopwright.data.tensors import count
from loopwright.data.transforms import On, RandomRotation, ToTensor
from loopwright.models.cnn import DigitCNN
from loopwright.protocols import Batch, Split
from loopwright.tasks.digits import FRACTIONS
from loopwright.tasks.images import in_shades, write_image_artifacts
from loopwright.tasks.packages import require_packages
from loopwright.tasks.supervised import classification_loss, gather


@dataclass(frozen=True, eq=False)
class DigitImages:
    """Some of the digits, one by one: `image` float32 (1, 8, 8) in [0, 1] and `label`."""

    images: npt.NDArray[np.uint8]
    labels: npt.NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, sample: int, /) -> Mapping[str, Any]:
        return {"image": ToTensor()(self.images[sample]), "label": int(self.labels[sample])}


@dataclass(frozen=True)
class DigitsDataset:
    """Which digit an 8x8 image shows. Training images are turned by up to `degrees`, in `num_workers` processes.

    The number of workers changes no bit: what is random about a sample depends on the seed, the epoch and the sample.
    """

    width: int = 32
    dropout: float = 0.3
    degrees: float = 15.0
    num_workers: int = 0
    split_seed: int = 42

    @cached_property
    def data(self) -> DatasetData:
        """Three splits, stratified by digit."""
        require_packages("sklearn")
        from sklearn.datasets import load_digits

        bunch = load_digits()
        images, labels = np.round(bunch.images * (255 / 16)).astype(np.uint8), bunch.target.astype(np.int64)
        parts = stratified(labels, FRACTIONS, self.split_seed)
        splits = {split: DigitImages(images[rows], labels[rows]) for split, rows in parts.items()}
        turned = On("image", RandomRotation(self.degrees))
        return DatasetData(splits, count("cross_entropy"), turned, num_workers=self.num_workers)

    def model(self) -> nn.Module:
        """The convolutional network of `digits-cnn`."""
        return DigitCNN(width=self.width, dropout=self.dropout)

    def loss(self, model: nn.Module, batch: Batch) -> Mapping[str, Tensor]:
        """Cross-entropy."""
        return classification_loss(model, batch, "image")

    def evaluate(self, model: nn.Module, split: Split) -> dict[str, float]:
        """Loss, accuracy, macro-F1, calibration error."""
        return gather(model, self.data, split, "image", classes=10).result()

    def show(self, batch: Batch, row: int) -> str:
        """The image in shades, and its label."""
        return f"{in_shades(batch['image'][row, 0])}\nlabel {int(batch['label'][row])}"

    def artifacts(self, model: nn.Module, directory: Path) -> None:
        """The test split's tables, and the images that were taken for something else."""
        write_image_artifacts(model, self.data, directory, classes=10)
