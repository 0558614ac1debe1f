"""Small convolutional networks for small gray images.

Shape legend: B images, C channels, H height, W width, K classes.
"""

from __future__ import annotations

from torch import Tensor, nn


def _convolution(inputs: int, outputs: int, *, kernel: int = 3, stride: int = 1, padding: int = 1) -> nn.Module:
    """Convolution, batch normalization (which makes a bias useless) and ReLU."""
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, kernel, stride, padding, bias=False), nn.BatchNorm2d(outputs), nn.ReLU()
    )


class DigitCNN(nn.Module):
    """Four 3x3 convolutions in two stages, then one hidden layer, for gray images of 8x8.

    `width` channels in the first stage, twice as many in the second; `hidden` units; `dropout` in [0, 1)
    before both linear layers.
    """

    def __init__(self, *, width: int = 32, hidden: int = 128, classes: int = 10, dropout: float = 0.3) -> None:
        super().__init__()
        self.features = nn.Sequential(
            _convolution(1, width),
            _convolution(width, width),
            nn.MaxPool2d(2),
            _convolution(width, 2 * width),
            _convolution(2 * width, 2 * width),
            nn.MaxPool2d(2),
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
        self, *, widths: tuple[int, int, int, int] = (16, 32, 64, 64), classes: int = 10, dropout: float = 0.2
    ) -> None:
        super().__init__()
        first, second, third, fourth = widths
        self.features = nn.Sequential(
            _convolution(1, first, kernel=5, stride=2, padding=0),  # 28x28 to 12x12
            _convolution(first, second),
            nn.MaxPool2d(2),  # to 6x6
            _convolution(second, third),
            _convolution(third, fourth),
            nn.MaxPool2d(2),  # to 3x3
        )
        self.classifier = nn.Sequential(nn.Flatten(), nn.Dropout(dropout), nn.Linear(fourth * 3 * 3, classes))

    def forward(self, images_B1HW: Tensor) -> Tensor:
        """`images_B1HW` float (B, 1, 28, 28) to logits (B, K)."""
        logits_BK: Tensor = self.classifier(self.features(images_B1HW))
        return logits_BK
