"""A small residual network for gray images of 28x28 (He et al., "Deep residual learning", CVPR 2016).

Departures: one 5x5 convolution with a stride of 2 as the stem, shortcuts that halve by averaging (He et al.
drop three of four pixels), the maximum instead of the mean over the last map, and dropout before the
classifier.

Shape legend: B images, C channels, H height, W width, K classes.
"""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor, nn


class Block(nn.Module):
    """relu(shortcut(x) + norm(conv(relu(norm(conv(x)))))), with 3x3 convolutions.

    With `stride` 2 it halves height and width, which must be even. The branch's last gain starts at 0, so
    that a new block only passes its input on (Goyal et al., "Accurate, large minibatch SGD", 2017, section
    5.1), where `closed`.
    """

    def __init__(self, inputs: int, outputs: int, *, stride: Literal[1, 2] = 1, closed: bool = True) -> None:
        super().__init__()
        self.branch = nn.Sequential(
            nn.Conv2d(inputs, outputs, 3, stride, padding=1, bias=False),
            nn.BatchNorm2d(outputs),
            nn.ReLU(),
            nn.Conv2d(outputs, outputs, 3, padding=1, bias=False),
        )
        self.last_norm = nn.BatchNorm2d(outputs)
        if closed:
            nn.init.zeros_(self.last_norm.weight)
        self.shortcut = nn.Identity() if inputs == outputs and stride == 1 else _projection(inputs, outputs, stride)

    def forward(self, x_BCHW: Tensor) -> Tensor:
        """Float (B, inputs, H, W) to (B, outputs, H / stride, W / stride)."""
        return torch.relu(self.shortcut(x_BCHW) + self.last_norm(self.branch(x_BCHW)))


def _projection(inputs: int, outputs: int, stride: int) -> nn.Module:
    return nn.Sequential(nn.AvgPool2d(stride), nn.Conv2d(inputs, outputs, 1, bias=False), nn.BatchNorm2d(outputs))


class MnistResNet(nn.Module):
    """Stages of residual blocks on maps of 12x12, 6x6 and 3x3.

    `widths` channels and `blocks` number of blocks of each stage; `closed` as in `Block`; `dropout` in [0,
    1). Convolutions are drawn from N(0, 2 / fan_out) (He et al., ICCV 2015, equation 14).
    """

    def __init__(
        self,
        *,
        widths: tuple[int, int, int] = (32, 64, 128),
        blocks: tuple[int, int, int] = (1, 1, 1),
        classes: int = 10,
        dropout: float = 0.1,
        closed: bool = True,
    ) -> None:
        super().__init__()
        layers: list[nn.Module] = [
            nn.Conv2d(1, widths[0], 5, stride=2, bias=False),  # 28x28 to 12x12
            nn.BatchNorm2d(widths[0]),
            nn.ReLU(),
        ]
        inputs = widths[0]
        for stage, (width, count) in enumerate(zip(widths, blocks, strict=True)):
            for block in range(count):
                halves = stage > 0 and block == 0
                layers.append(Block(inputs, width, stride=2 if halves else 1, closed=closed))
                inputs = width
        self.features = nn.Sequential(*layers)
        self.dropout = nn.Dropout(dropout)
        self.classifier = nn.Linear(inputs, classes)
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
        # About 1.4 times as fast as the plain layout on a CPU; PyTorch's types lack this overload.
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def forward(self, images_B1HW: Tensor) -> Tensor:
        """`images_B1HW` float (B, 1, 28, 28) to logits (B, K)."""
        features_BC = self.features(images_B1HW).amax((-2, -1))
        logits_BK: Tensor = self.classifier(self.dropout(features_BC))
        return logits_BK
