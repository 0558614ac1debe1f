"""How tensors of two runs, A and B, differ, in words and in numbers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import torch
from torch import Tensor

from loopwright.bits import as_bytes, same_bits

Tensors = Mapping[str, Tensor]


def unequal(a: Tensors, b: Tensors) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """The tensors whose bits differ, each with how, in words and in numbers."""
    for name in {**a, **b}:
        if name not in a or name not in b:
            yield name, f"only in {'A' if name in a else 'B'}", {}
        elif (described := how(a[name], b[name])) is not None:
            yield name, *described


def how(a: Tensor, b: Tensor) -> tuple[str, dict[str, Any]] | None:
    """How two tensors differ; None where all bits are equal."""
    if same_bits(a, b):
        return None
    if a.dtype != b.dtype or a.shape != b.shape:
        return f"{a.dtype} {tuple(a.shape)} in A, {b.dtype} {tuple(b.shape)} in B", {}
    apart = (as_bytes(a) != as_bytes(b)).reshape(-1, a.element_size()).any(-1)
    count, position = int(apart.sum()), int(apart.to(torch.uint8).argmax())
    first = [int(index) for index in torch.unravel_index(torch.tensor(position), a.shape)]
    wide = torch.complex128 if a.is_complex() else torch.float64
    ours, theirs = a.to(wide), b.to(wide)
    largest = float((ours - theirs).abs().max())
    relative = largest / (float(ours.abs().max()) or 1.0)
    text = (
        f"{count:,} of {a.numel():,} elements, by up to {largest:.3g} ({relative:.2g} of the largest), first at {first}"
    )
    numbers = {"elements": count, "of": a.numel(), "max_abs": largest, "relative": relative, "first": first}
    return text, numbers
