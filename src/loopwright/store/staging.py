"""A copy of the state into memory that is allocated once, so that training goes on while the copy is written."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from loopwright.store.plain import Place, plain


class Staging:
    """Buffers on the CPU, one for each tensor, used again at each save (fresh memory costs page faults)."""

    def __init__(self) -> None:
        self.buffers: dict[Place, Tensor] = {}

    def copy(self, content: Any) -> Any:
        """The same nesting of dicts, lists and tuples with each tensor copied into its buffer.

        Two names of one tensor (tied weights) share a copy. Raises StoreError for what a checkpoint cannot hold.
        """
        copied: dict[Place, Tensor] = {}

        def stage(tensor: Tensor, place: Place) -> Tensor:
            if tensor.layout != torch.strided:
                return tensor.detach().cpu().clone()
            memory = (tensor.device, tensor.data_ptr(), *form(tensor))
            if memory not in copied:
                copied[memory] = self.buffer(place, tensor).copy_(tensor.detach())
            return copied[memory]

        return plain(content, stage)

    def buffer(self, place: Place, tensor: Tensor) -> Tensor:
        """The buffer for the tensor at `place`, made anew when its shape, type or layout has changed.

        The layout is kept since fused optimizers walk through memory: an average that comes back in another layout than
        its parameter's would be applied to the wrong weights.
        """
        buffer = self.buffers.get(place)
        if buffer is None or form(buffer) != form(tensor):
            buffer = torch.empty_like(tensor.detach(), device="cpu", pin_memory=tensor.is_cuda)
            self.buffers[place] = buffer
        return buffer


def form(tensor: Tensor) -> tuple[Any, ...]:
    """What two tensors have in common when one fits into the memory of the other."""
    return tensor.dtype, tensor.shape, tensor.stride()
