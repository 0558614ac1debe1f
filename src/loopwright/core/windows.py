"""A worker's part of a parameter, laid out so that an optimizer computes the bits it would compute on the whole.

The fused kernels walk through memory in vectors and do what is left over at the end one by one, which rounds otherwise.
So which of the two an element meets must not depend on where a parameter is cut: a part is widened to whole vectors,
and its last elements end where the parameter ends. What stands in the borders is computed and never read.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn

ALIGNED = 64
"""Elements; a multiple of every processor's vectors."""


@dataclass(frozen=True)
class Window:
    """What worker `rank` of `size` has of a tensor of shape `shape`, whose rows are dealt out in runs of one length."""

    shape: torch.Size
    rank: int
    size: int

    @property
    def part(self) -> int:
        """Elements of each worker's part; the last parts of a tensor may be shorter, or empty."""
        rows = self.shape[0]
        return -(-rows // self.size) * math.prod(self.shape[1:])

    @property
    def bounds(self) -> tuple[int, int]:
        """First and end element of this part in the flat tensor."""
        first = min(self.rank * self.part, self.shape.numel())
        return first, min(first + self.part, self.shape.numel())

    @property
    def borders(self) -> tuple[int, int]:
        """How many elements the window has before and behind the part."""
        first, end = self.bounds
        if first == end:
            return 0, 0
        return first % ALIGNED, min(-end % ALIGNED, self.shape.numel() - end)

    def cut(self, whole: Tensor) -> Tensor:
        """The part (n,) of the whole tensor. Raises ValueError where that has another shape."""
        if whole.shape != self.shape:
            raise ValueError(f"a tensor {tuple(whole.shape)} where {tuple(self.shape)} is expected")
        first, end = self.bounds
        return whole.reshape(-1)[first:end]

    def widened(self, part: Tensor) -> Tensor:
        """The window of a part (n,): the same memory where there are no borders."""
        before, behind = self.borders
        return torch.nn.functional.pad(part, (before, behind)) if before or behind else part

    def inner(self, window: Tensor) -> Tensor:
        """The part (n,) within its window."""
        first, end = self.bounds
        before, _ = self.borders
        return window[before : before + end - first]


@dataclass(frozen=True)
class Held:
    """A parameter of which this worker holds a part: `local` (n,), as the model reads it, and `parameter`, the window
    that the optimizer moves; the same memory where there are no borders."""

    window: Window
    local: Tensor
    parameter: nn.Parameter

    @staticmethod
    def of(local: Tensor, window: Window) -> Held:
        """From the part's own memory, which must stay where it is."""
        flat = local.view(-1)
        return Held(window, flat, nn.Parameter(window.widened(flat)))

    @torch.no_grad()
    def pull(self) -> None:
        """Bring the model's weights into the window."""
        if any(self.window.borders):
            self.window.inner(self.parameter).copy_(self.local)

    @torch.no_grad()
    def push(self) -> None:
        """Give the window's weights to the model."""
        if any(self.window.borders):
            self.local.copy_(self.window.inner(self.parameter))
