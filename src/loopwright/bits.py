"""What is meant by the same bits: of tensors, and of everything nested in a state."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor


def as_bytes(tensor: Tensor) -> Tensor:
    """A tensor's elements in their order, as uint8 (bytes,); the same memory where it is contiguous."""
    return tensor.detach().contiguous().reshape(-1).view(torch.uint8)


def same_bits(left: Tensor, right: Tensor) -> bool:
    """Whether two tensors have one shape and dtype and are equal byte by byte: NaN equals itself, 0.0 is not -0.0."""
    alike = left.shape == right.shape and left.dtype == right.dtype
    return alike and torch.equal(as_bytes(left), as_bytes(right))


def leaves(tree: Any, path: str = "") -> dict[str, Any]:
    """Every value nested in mappings, lists and tuples, by its dotted path.

    >>> leaves({"step": 3, "betas": [0.9, 0.99]})
    {'step': 3, 'betas.0': 0.9, 'betas.1': 0.99}
    """
    if isinstance(tree, Mapping):
        items = [(str(key), value) for key, value in tree.items()]
    elif isinstance(tree, list | tuple):
        items = [(str(number), value) for number, value in enumerate(tree)]
    else:
        return {path: tree}
    below = f"{path}." if path else ""
    return {place: leaf for key, value in items for place, leaf in leaves(value, below + key).items()}
