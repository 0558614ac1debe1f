"""Changing images: one at a time, for datasets, and a whole batch at once, for `TensorData.augment`.

The first kind draws from the global generator, which `DatasetData` sets for each sample; the second is handed
numbers that belong to each sample. B images of C channels, H rows, W columns; floating point; what moves in
from outside is zero.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn.functional import grid_sample, pad

from loopwright.errors import DataError
from loopwright.seeding import Uniform

Transform = Callable[[Any], Any]


@dataclass(frozen=True)
class Compose:
    """The transforms one after the other."""

    transforms: tuple[Transform, ...]

    def __call__(self, value: Any) -> Any:
        """What the last transform gives."""
        for transform in self.transforms:
            value = transform(value)
        return value


@dataclass(frozen=True)
class On:
    """`transform` applied to one entry of an item, the others left as they are: for `DatasetData.augment`."""

    name: str
    transform: Transform

    def __call__(self, item: Mapping[str, Any]) -> dict[str, Any]:
        """A new item; the given one stays as it is."""
        return {**item, self.name: self.transform(item[self.name])}


@dataclass(frozen=True)
class ToTensor:
    """A uint8 image (H, W) or (H, W, C), array or tensor, as float32 (C, H, W) in [0, 1]."""

    def __call__(self, image: npt.NDArray[np.uint8] | Tensor) -> Tensor:
        """Raises DataError for another dtype or rank."""
        pixels = torch.as_tensor(image)
        if pixels.dtype != torch.uint8 or pixels.ndim not in (2, 3):
            raise DataError(
                f"an image of {pixels.dtype} {tuple(pixels.shape)}: ToTensor takes uint8 (H, W) or (H, W, C)"
            )
        channels_last = pixels if pixels.ndim == 3 else pixels[:, :, None]
        return channels_last.permute(2, 0, 1).to(torch.float32) / 255


@dataclass(frozen=True)
class Normalize:
    """(image - mean) / std, each a number or one for each channel. Raises DataError unless std > 0."""

    mean: float | tuple[float, ...]
    std: float | tuple[float, ...]

    def __post_init__(self) -> None:
        if not (torch.as_tensor(self.std) > 0).all():
            raise DataError(f"Normalize(std={self.std}): a standard deviation must be above 0")

    def __call__(self, images: Tensor) -> Tensor:
        """(C, H, W) or (B, C, H, W), the same shape and dtype."""
        mean, std = (torch.as_tensor(v, dtype=images.dtype, device=images.device) for v in (self.mean, self.std))
        return (images - mean.reshape(-1, 1, 1)) / std.reshape(-1, 1, 1)


@dataclass(frozen=True)
class RandomRotation:
    """An image (C, H, W) turned about its center by an angle drawn evenly from [-degrees, degrees]."""

    degrees: float

    def __call__(self, image: Tensor) -> Tensor:
        """Draws one number from PyTorch's global generator."""
        angle = math.radians(self.degrees) * (2 * torch.rand(1) - 1)
        return _resampled(image[None], angle, torch.ones(1), torch.zeros(1, 2))[0]


def random_shift(images_BCHW: Tensor, uniform: Uniform, pixels: int) -> Tensor:
    """Each image moved by whole pixels, up to `pixels` along either axis; the same shape and dtype."""
    B, C, H, W = images_BCHW.shape
    padded = pad(images_BCHW, (pixels, pixels, pixels, pixels))
    offsets_B2 = (uniform(2) * (2 * pixels + 1)).to(torch.int64)
    rows_BH = offsets_B2[:, :1] + torch.arange(H, device=images_BCHW.device)
    columns_BW = offsets_B2[:, 1:] + torch.arange(W, device=images_BCHW.device)
    positions = rows_BH[:, :, None] * padded.shape[3] + columns_BW[:, None, :]
    return padded.flatten(2).gather(2, positions.reshape(B, 1, -1).expand(B, C, -1)).reshape(B, C, H, W)


def random_affine(
    images_BCHW: Tensor, uniform: Uniform, *, degrees: float = 0.0, scale: float = 0.0, pixels: float = 0.0
) -> Tensor:
    """Each image turned, enlarged and moved about its center; the same shape and dtype.

    The angle is drawn evenly from [-degrees, degrees], the factor from [1 - scale, 1 + scale] (0 <= scale <
    1), the move along either axis from [-pixels, pixels].
    """
    signed_B4 = 2 * uniform(4) - 1
    angles = math.radians(degrees) * signed_B4[:, 0]
    return _resampled(images_BCHW, angles, 1 + scale * signed_B4[:, 1], pixels * signed_B4[:, 2:])


def _resampled(images_BCHW: Tensor, angles_B: Tensor, factors_B: Tensor, moves_B2: Tensor) -> Tensor:
    """Turned counter-clockwise (radians), enlarged, moved by (x, y) pixels: bilinear.

    The grid is made element by element, as fast as `affine_grid` and without its matrix product: an image's
    bits must not depend on the batch it is in.
    """
    H, W = images_BCHW.shape[2:]
    cos, sin = ((f(angles_B) / factors_B)[:, None] for f in (torch.cos, torch.sin))
    x_BW = torch.arange(W, device=images_BCHW.device) - (W - 1) / 2 - moves_B2[:, :1]
    y_BH = torch.arange(H, device=images_BCHW.device) - (H - 1) / 2 - moves_B2[:, 1:]
    from_x_BHW = (cos * x_BW)[:, None, :] - (sin * y_BH)[:, :, None]
    from_y_BHW = (sin * x_BW)[:, None, :] + (cos * y_BH)[:, :, None]
    grid_BHW2 = torch.stack((from_x_BHW * (2 / W), from_y_BHW * (2 / H)), dim=-1).to(images_BCHW.dtype)
    return grid_sample(images_BCHW, grid_BHW2, mode="bilinear", padding_mode="zeros", align_corners=False)
