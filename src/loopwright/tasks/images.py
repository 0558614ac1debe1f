"""Pictures of what an image classifier got wrong."""

from __future__ import annotations

from pathlib import Path

from torch import Tensor, nn

from loopwright.protocols import Data, Split
from loopwright.tasks.mistakes import SHOWN, find_mistakes
from loopwright.tasks.supervised import gather, write_tables

SHADES = " ░▒▓█"
SMALL_ROWS = 16
"""Images of more rows are shown at half their height, one character a pixel; smaller ones two characters a pixel."""


def write_image_artifacts(model: nn.Module, data: Data, directory: Path, *, classes: int) -> None:
    """The test split's tables, and the test images (tensor `image`) that were taken for something else."""
    write_tables(gather(model, data, "test", "image", classes=classes), directory)
    draw_mistakes(model, data, "test", directory / "mistakes.svg")


def draw_mistakes(model: nn.Module, data: Data, split: Split, path: Path) -> None:
    """The images (tensor `image`) of `split` that the model is most wrong about, with label and prediction."""
    from matplotlib.figure import Figure

    found = find_mistakes(model, data, split, "image")
    shown = found[:SHOWN]
    columns = 8
    rows = max(1, -(-len(shown) // columns))
    figure = Figure(figsize=(9, 1.45 * rows + 0.4 if shown else 0.4), layout="constrained")
    figure.suptitle(f"{len(found)} of {data.size(split)} {split} images were taken for something else")
    grid = figure.subplots(rows, columns, squeeze=False)
    for axes in grid.flat:
        axes.set_axis_off()
    for axes, wrong in zip(grid.flat, shown, strict=False):
        axes.imshow(wrong.inputs[0].numpy(), cmap="gray_r")
        axes.set_title(f"{wrong.label} taken for {wrong.taken}\n{wrong.certainty:.0%}, no. {wrong.sample}", fontsize=8)
    figure.savefig(path, metadata={"Date": None})


def in_shades(image_HW: Tensor) -> str:
    """An image (H, W) in block characters, from its darkest value to its brightest."""
    pixels = image_HW.float()
    pixels = (pixels - pixels.min()) / (pixels.max() - pixels.min()).clamp(min=1e-12)
    if len(pixels) > SMALL_ROWS:
        pixels = pixels[: len(pixels) // 2 * 2].unflatten(0, (-1, 2)).mean(1)
    else:
        pixels = pixels.repeat_interleave(2, dim=1)
    levels = (pixels * len(SHADES)).long().clamp(max=len(SHADES) - 1)
    return "\n".join("".join(SHADES[level] for level in row) for row in levels.tolist())
