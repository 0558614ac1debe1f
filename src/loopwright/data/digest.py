"""One digest for any number of named tensors."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

import torch
from torch import Tensor


def tensors_sha256(named: Iterable[tuple[str, Tensor]]) -> str:
    """The SHA-256 over names, dtypes, shapes and bytes, in the order given, as hexadecimal digits."""
    digest = hashlib.sha256()
    for name, tensor in named:
        digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}\n".encode())
        digest.update(tensor.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy().data)
    return digest.hexdigest()
