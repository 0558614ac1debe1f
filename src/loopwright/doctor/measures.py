"""What the doctor measures of tensors. None of it draws a random number, and none of it changes what it is given."""

from __future__ import annotations

import inspect
import math
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from traceback import walk_stack
from typing import Any, TypeVar

import numpy as np
import torch
from torch import Tensor, nn
from torch.optim import Optimizer

T = TypeVar("T", bound=Tensor)

LEAVES = 16
"""How many tensors are taken out of a nested argument."""
WORDS = 4096
"""How many numbers of a row are hashed."""
MULTIPLIERS = (np.arange(1, WORDS + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)) | np.uint64(1)
BITS = 60.0
"""Inputs of more bits than this do not coincide by chance, even where their columns depend on each other."""
SCALES = ("MulBackward0", "DivBackward0")
VIEWS = (
    *("View", "Reshape", "Squeeze", "Unsqueeze", "Transpose", "Permute", "Clone", "Select", "Slice", "T", "Alias"),
    *("ToCopy", "Expand", "UnsafeView", "Index", "AsStrided", "Contiguous", "Split", "Unbind", "Chunk"),
)
"""Operations that change the place of numbers, not the numbers."""


def tensors(value: Any, depth: int = 3) -> Iterator[Tensor]:
    """The tensors in a nested value, in order."""
    if isinstance(value, Tensor):
        if not value.is_nested:  # which has no shape
            yield value
    elif depth and isinstance(value, Mapping):
        for each in value.values():
            yield from tensors(each, depth - 1)
    elif depth and isinstance(value, list | tuple):
        for each in value:
            yield from tensors(each, depth - 1)


def leaves(*values: Any) -> list[Tensor]:
    """The first tensors in nested values."""
    found = []
    for tensor in tensors(values, 5):
        found.append(tensor)
        if len(found) == LEAVES:
            break
    return found


@dataclass(frozen=True)
class Stats:
    """Of one float tensor: how many numbers, their mean, standard deviation, smallest, largest; are all finite, and
    are all rows alike."""

    count: int
    mean: float
    std: float
    low: float
    high: float
    finite: bool
    alike: bool

    @staticmethod
    def of(tensor: Tensor) -> Stats:
        """Measured in float32 or wider."""
        flat = tensor.detach()
        flat = flat if flat.dtype in (torch.float32, torch.float64) else flat.float()
        alike = bool((flat == flat[:1]).all()) if flat.ndim and len(flat) > 1 else False
        std, mean = torch.std_mean(flat, correction=0)
        low, high = torch.aminmax(flat)
        values = float(mean), float(std), float(low), float(high)
        return Stats(flat.numel(), *values, all(map(math.isfinite, values)), alike)


def pooled(stats: Sequence[Stats]) -> tuple[float, float]:
    """Mean and standard deviation over all that were measured."""
    total = sum(each.count for each in stats)
    mean = sum(each.mean * each.count for each in stats) / total
    square = sum((each.std**2 + each.mean**2) * each.count for each in stats) / total
    return mean, math.sqrt(max(0.0, square - mean**2))


def rows(tensor: Tensor) -> list[int]:
    """A number for each row of a tensor (B, *), equal where the rows' bits are, for the first `WORDS` numbers."""
    if not tensor.numel():
        return [0] * len(tensor)
    whole = torch.view_as_real(tensor.detach().resolve_conj()) if tensor.is_complex() else tensor.detach()
    flat = whole.reshape(len(tensor), -1)[:, :WORDS].contiguous().cpu()
    flat = flat.float() if flat.dtype in (torch.bfloat16, torch.float16) else flat
    array = flat.numpy()
    bits = array.view(f"u{array.itemsize}").astype(np.uint64)
    mixed = (bits ^ (bits >> np.uint64(17))) * MULTIPLIERS[: bits.shape[1]]
    found: list[int] = (mixed ^ (mixed >> np.uint64(29))).sum(1).tolist()
    return found


def bits(tensor: Tensor) -> float:
    """At most how many bits tell rows (N, *) apart: the sum over columns of log2 of their different values."""
    if tensor.is_complex():
        return bits(torch.view_as_real(tensor))
    flat = tensor.detach().reshape(len(tensor), -1)[:64, :: max(1, tensor[0].numel() // 64)][:, :64]
    ordered = flat.sort(0).values
    different = 1 + (ordered[1:] != ordered[:-1]).sum(0)
    return float(different.double().log2().sum())


def place(tensor: Tensor) -> int:
    """Where a tensor's numbers lie; of a sparse or nested one, which has no such place, a number that is its own."""
    return tensor.data_ptr() if tensor.layout is torch.strided and not tensor.is_nested else -id(tensor)


def fingerprint(tensor: Tensor) -> int:
    """A number that is equal where the bits of two tensors are; of large ones, of a part."""
    flat = tensor.detach().reshape(-1)
    part = flat[:: max(1, len(flat) // WORDS)][:WORDS]
    return hash((tuple(tensor.shape), *rows(part[None]))) if len(part) else 0


def first_gradient(optimizer: Optimizer) -> int:
    """Where an optimizer's first gradient lies; 0 without any, or where it is sparse."""
    every = (parameter.grad for group in optimizer.param_groups for parameter in group["params"])
    first = next((gradient for gradient in every if gradient is not None), None)
    return 0 if first is None or first.is_sparse else first.data_ptr()


def within_step() -> bool:
    """Whether an optimizer is making a step, of which this is a part."""
    steps = (frame for frame, _ in walk_stack(sys._getframe(1)) if frame.f_code.co_name == "step")
    owners = ((frame.f_code, owner) for frame in steps for owner in list(frame.f_locals.values())[:1])
    optimizers = ((code, type(owner)) for code, owner in owners if isinstance(owner, Optimizer))
    return any(getattr(inspect.unwrap(kind.step), "__code__", None) is code for code, kind in optimizers)


def settings(group: Mapping[str, Any]) -> dict[str, Any]:
    """What a group of an optimizer's parameters was told: its plain values."""
    return {name: value for name, value in group.items() if isinstance(value, int | float | tuple | bool)}


def ends_with(one: str, other: str) -> bool:
    """Whether one of two names is the other one behind a prefix."""
    return f".{one}".endswith(f".{other}") or f".{other}".endswith(f".{one}")


def traced() -> bool:
    """Whether torch.compile or a transform of torch.func is at work: tensors have no numbers of their own then."""
    return torch.compiler.is_compiling() or torch._C._functorch.peek_interpreter_stack() is not None


def norms(values: Sequence[Tensor]) -> list[float]:
    """The 2-norms of tensors."""
    if not values:
        return []
    return torch.stack([norm.float() for norm in torch._foreach_norm(list(values))]).tolist()


def chain(tensor: Tensor, limit: int = 6) -> tuple[str, ...]:
    """The names of the operations that made `tensor`, the last first, behind what only changes its shape."""
    found: list[str] = []
    node = tensor.grad_fn
    while node is not None and len(found) < limit:
        name = node.name().removesuffix("0").removesuffix("Backward")
        found.append(name)
        if name != "Log" and not any(name.startswith(view) for view in VIEWS):
            break
        node = node.next_functions[0][0] if node.next_functions else None
    return tuple(found)


def alike(matrix: Any, axis: int) -> bool:
    """Whether all rows, or columns, of a matrix have the same length."""
    if not isinstance(matrix, Tensor) or matrix.ndim != 2 or min(matrix.shape) < 2:
        return False
    lengths = matrix.detach().float().norm(dim=axis)
    return bool(((lengths - lengths[0]).abs() < 1e-3 * lengths[0]).all())


def bounded(tensor: Tensor) -> bool:
    """Whether a tensor is a factor times numbers that are at most 1, as similarities of normalized features are; asked
    before the backward pass, with which the factor is forgotten."""
    node = tensor.grad_fn
    if node is not None and node.name() == "MmBackward0":
        return any(alike(getattr(node, name), axis) for name, axis in (("_saved_self", 1), ("_saved_mat2", 0)))
    if node is None or node.name() not in SCALES:
        return node is not None and node.name() == "NegBackward0"  # distances
    known = (getattr(node, "_saved_other", None), getattr(node, "_saved_self", None))
    factor = next((float(each.detach()) for each in known if isinstance(each, Tensor) and each.numel() == 1), 0.0)
    most = abs(factor) if node.name() == SCALES[0] or not factor else 1 / abs(factor)
    return most > 0 and float(tensor.detach().abs().max()) <= most * (1 + 1e-3)


def made_by(names: tuple[str, ...]) -> str:
    """The operation at the end of a chain, in small letters; empty where there is none. A logarithm hides what it is
    taken of."""
    return "log" if "Log" in names else names[-1].lower().removesuffix("backward") if names else ""


@dataclass(frozen=True, eq=False)
class Anatomy:
    """What a module is made of. `names` and `owners`: of each parameter by its id, its name and its module's id."""

    names: dict[int, str]
    owners: dict[int, int]
    dropouts: list[tuple[str, nn.Module]]
    batch_norms: list[tuple[str, nn.Module]]
    modules: dict[int, str]
    sequence_first: bool
    looked_at: int

    @staticmethod
    def of(module: nn.Module, looked_at: int = 0) -> Anatomy:
        """Looked up in the module and everything below it."""
        named = list(module.named_modules())
        owned = [(owner, name, each) for name, owner in named for _, each in owner.named_parameters(recurse=False)]
        parameters = list(module.named_parameters())
        recurrent = [each for _, each in named if isinstance(each, nn.RNNBase | nn.MultiheadAttention)]
        return Anatomy(
            names={id(parameter): name for name, parameter in parameters},
            owners={id(parameter): id(owner) for owner, _, parameter in owned},
            dropouts=[(name, each) for name, each in named if drops(each)],
            batch_norms=[(name, each) for name, each in named if isinstance(each, nn.modules.batchnorm._BatchNorm)],
            modules={id(each): name for name, each in named},
            sequence_first=any(not each.batch_first for each in recurrent),
            looked_at=looked_at,
        )


def drops(module: nn.Module) -> bool:
    """Whether a module drops something while it is in training mode."""
    if isinstance(module, nn.modules.dropout._DropoutNd):
        return module.p > 0
    rate = getattr(module, "dropout", 0.0)
    return isinstance(module, nn.RNNBase | nn.MultiheadAttention) and isinstance(rate, float) and rate > 0


def chosen(named: Iterable[tuple[str, T]], most: int = 20_000_000) -> list[tuple[str, T]]:
    """As many of the tensors as have `most` numbers together, every kind of layer among them."""
    found: list[tuple[str, T]] = []
    total = 0
    for name, tensor in named:
        if total + tensor.numel() <= most or not found:
            found.append((name, tensor))
            total += tensor.numel()
    return found


def having(name: str, *kinds: type) -> list[type]:
    """Those of `kinds`, and of the classes below them that there are now, that have a method `name` of their own."""
    below = {each: None for kind in kinds for each in (kind, *subclasses(kind))}
    return [each for each in below if name in vars(each)]


def subclasses(kind: type) -> list[type]:
    """All classes below `kind` that there are now."""
    below: list[type] = kind.__subclasses__()
    return [found for each in below for found in (each, *subclasses(each))]
