"""MNIST from its original IDX files: in a directory (`--data-dir`, LOOPWRIGHT_DATA), or downloaded with checksums."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Literal

from torch import Tensor, nn

from loopwright.data.mnist import read_mnist
from loopwright.data.splits import stratified
from loopwright.data.tensors import TensorData, count
from loopwright.data.transforms import random_affine
from loopwright.models.cnn import MnistCNN
from loopwright.models.resnet import MnistResNet
from loopwright.protocols import Batch, Split
from loopwright.seeding import Uniform
from loopwright.tasks.images import in_shades, write_image_artifacts
from loopwright.tasks.supervised import classification_loss, gather

MEAN, STD = 0.1307, 0.3081
BACKGROUND = -MEAN / STD


@dataclass(frozen=True)
class Mnist:
    """Which digit a 28x28 image shows. `val_share` of the 60,000 training images decide which weights are the best.

    Training images are moved by up to `pixels`, turned by up to `degrees` and scaled by up to the share `scale`;
    validation and test images never are. The 10,000 test images are only looked at when the run is over.
    """

    network: Literal["cnn", "resnet"] = "cnn"
    dropout: float = 0.2
    label_smoothing: float = 0.0
    pixels: float = 1.5
    degrees: float = 8.0
    scale: float = 0.08
    val_share: float = 1 / 12
    split_seed: int = 42
    data_dir: Path | None = None

    @cached_property
    def data(self) -> TensorData:
        """Three splits; images float32 (N, 1, 28, 28) of mean 0 and deviation 1, labels int64 (N,)."""
        read = read_mnist(self.data_dir)
        fractions: dict[Split, float] = {"train": 1 - self.val_share, "val": self.val_share}
        parts = stratified(read["train_labels"].numpy(), fractions, self.split_seed)
        splits = {
            split: labeled(read["train_images"][rows], read["train_labels"][rows]) for split, rows in parts.items()
        }
        splits["test"] = labeled(read["test_images"], read["test_labels"])
        return TensorData(splits, count("cross_entropy"), self.jitter)

    def jitter(self, tensors: Mapping[str, Tensor], uniform: Uniform) -> dict[str, Tensor]:
        """Move, turn and scale each image; what comes in from outside is background."""
        moved = random_affine(
            tensors["image"] - BACKGROUND, uniform, degrees=self.degrees, scale=self.scale, pixels=self.pixels
        )
        return {**tensors, "image": moved + BACKGROUND}

    def model(self) -> nn.Module:
        """The network, with ten outputs."""
        return MnistCNN(dropout=self.dropout) if self.network == "cnn" else MnistResNet(dropout=self.dropout)

    def loss(self, model: nn.Module, batch: Batch) -> Mapping[str, Tensor]:
        """Cross-entropy."""
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


def labeled(images: Tensor, labels: Tensor) -> dict[str, Tensor]:
    """Raw bytes as a split: normalized images with a channel, and labels."""
    return {"image": ((images.float() / 255 - MEAN) / STD).unsqueeze(1), "label": labels.long()}
