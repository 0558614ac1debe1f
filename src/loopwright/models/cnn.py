"""Small convolutional networks for small gray images.

Shape legend: B images, C channels, H height, W width, K classes.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn


def _stage(inputs: int, outputs: int, *, pool: bool = False) -> nn.Module:
    """3x3 convolution, batch normalization (which makes a bias useless) and ReLU.

    With `pool` the largest of each 2x2 is taken right after the convolution, so that all that follows handles a
    quarter of the numbers.
    """
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, 3, padding=1, bias=False),
        nn.MaxPool2d(2) if pool else nn.Identity(),
        nn.BatchNorm2d(outputs),
        nn.ReLU(),
    )


class DigitCNN(nn.Module):
    """Four convolutions in two stages, then one hidden layer, for gray images of 8x8.

    `width` channels in the first stage, twice as many in the second; `hidden` units; `dropout` in [0, 1)
    before both linear layers.
    """

    def __init__(self, *, width: int = 32, hidden: int = 128, classes: int = 10, dropout: float = 0.3) -> None:
        super().__init__()
        self.features = nn.Sequential(
            _stage(1, width),
            _stage(width, width, pool=True),  # 8x8 to 4x4
            _stage(width, 2 * width),
            _stage(2 * width, 2 * width, pool=True),  # to 2x2
        )
        self.classifier = nn.Sequential(
            nn.Flatten(),
            nn.Dropout(dropout),
            nn.Linear(2 * width * 2 * 2, hidden),
            nn.ReLU(),
            nn.Dropout(dropout),
            nn.Linear(hidden, classes),
        )

    def forward(self, images_B1HW: Tensor) -> Tensor:
        """`images_B1HW` float (B, 1, 8, 8) to logits (B, K)."""
        logits_BK: Tensor = self.classifier(self.features(images_B1HW))
        return logits_BK


class MnistCNN(nn.Module):
    """Four convolutions for gray images of 28x28, the first with a stride of 2 so that the others are cheap.

    `widths` channels after each convolution; `dropout` in [0, 1) before the linear layer.
    """

    def __init__(
        self, *, widths: tuple[int, int, int, int] = (24, 48, 64, 64), classes: int = 10, dropout: float = 0.2
    ) -> None:
        super().__init__()
        first, second, third, fourth = widths
        self.features = nn.Sequential(
            nn.Conv2d(1, first, 5, stride=2, bias=False),  # 28x28 to 12x12
            nn.BatchNorm2d(first),
            nn.ReLU(),
            _stage(first, second, pool=True),  # to 6x6
            _stage(second, third),
            _stage(third, fourth, pool=True),  # to 3x3
        )
        self.classifier = nn.Sequential(nn.Flatten(), nn.Dropout(dropout), nn.Linear(fourth * 3 * 3, classes))
        # About 1.4 times as fast as the plain layout on a CPU; PyTorch's types lack this overload.
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def forward(self, images_B1HW: Tensor) -> Tensor:
        """`images_B1HW` float (B, 1, 28, 28) to logits (B, K)."""
        logits_BK: Tensor = self.classifier(self.features(images_B1HW))
        return logits_BK
