"""A copy of the state into memory that is allocated once, so that training goes on while the copy is written."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor


class Staging:
    """Buffers on the CPU, one for each tensor of the state, used again at each save (a fresh copy costs page faults)."""

    def __init__(self) -> None:
        self.buffers: dict[str, Tensor] = {}

    def copy(self, content: Any, place: str = "") -> Any:
        """The same nesting of dicts, lists and tuples, each tensor copied into its buffer; plain values as they are."""
        if isinstance(content, Tensor):
            return self.buffer(place, content).copy_(content.detach())
        if isinstance(content, dict):
            return {key: self.copy(value, f"{place}/{key}") for key, value in content.items()}
        if isinstance(content, list | tuple):
            return type(content)(self.copy(value, f"{place}/{number}") for number, value in enumerate(content))
        return content

    def buffer(self, place: str, tensor: Tensor) -> Tensor:
        """The buffer for the tensor at `place`, made anew when its shape or type has changed."""
        buffer = self.buffers.get(place)
        if buffer is None or buffer.shape != tensor.shape or buffer.dtype != tensor.dtype:
            buffer = torch.empty(tensor.shape, dtype=tensor.dtype, pin_memory=tensor.is_cuda)
            self.buffers[place] = buffer
        return buffer
