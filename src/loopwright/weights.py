"""Putting saved weights into a model, with an error that lists what does not fit."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import chain
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from loopwright.errors import CheckpointError, printable

MOST_LISTED = 40
"""So many keys that do not fit are listed."""


def load_weights(model: nn.Module, weights: Mapping[str, Any], origin: str = "the checkpoint") -> None:
    """Copy `weights` into `model`; the names and shapes must be the same.

    Raises CheckpointError that lists each missing, unexpected and mis-shaped key; the model is then untouched.
    """
    check_weights(model, weights, origin)
    try:
        model.load_state_dict(weights)
    except (RuntimeError, TypeError, ValueError) as error:
        name = type(model).__name__
        raise CheckpointError(f"{origin} holds weights that do not fit {name} ({first_line(error)})") from error


def load_optimizer(optimizer: Optimizer, saved: Any, origin: str = "the checkpoint") -> None:
    """Restore `optimizer` from its saved state; raises CheckpointError where that is another one's.

    The optimizer is then as it was.
    """
    before = optimizer.state_dict()
    try:
        optimizer.load_state_dict(saved)
        check_moments(optimizer)
    except (AttributeError, LookupError, RuntimeError, TypeError, ValueError) as error:
        optimizer.load_state_dict(before)
        name = type(optimizer).__name__
        raise CheckpointError(
            f"{origin}: does not fit this {name} ({first_line(error)}); build the one that was saved"
        ) from error


def check_moments(optimizer: Optimizer) -> None:
    """Raise ValueError where what a fused optimizer remembers of a parameter has another shape than it.

    A fused kernel walks through memory without a check: a moment too short is read and written beyond its end.
    """
    fused = [group["params"] for group in optimizer.param_groups if group.get("fused")]
    for parameter in chain.from_iterable(fused):
        for name, value in optimizer.state.get(parameter, {}).items():
            wanted = "()" if name == "step" else shape(parameter)
            absent = value is None and name == "momentum_buffer"
            if not absent and (shape(value) != wanted or value.layout != torch.strided):
                raise ValueError(f"{name} is {shape(value)}, of a parameter {shape(parameter)} {wanted} is expected")


def first_line(error: Exception) -> str:
    """What an error says, in at most 200 characters."""
    return str(error).partition("\n")[0][:200]


def check_weights(model: nn.Module, weights: Any, origin: str = "the checkpoint") -> None:
    """Raise CheckpointError, as `load_weights` does, unless `weights` fit `model`."""
    if not isinstance(weights, Mapping):
        raise CheckpointError(f"{origin}: its weights are a {type(weights).__name__}; a dict of tensors is expected")
    problems = mismatches(model.state_dict(), weights)
    if problems:
        more = [f"… and {len(problems) - MOST_LISTED:,} more"] if len(problems) > MOST_LISTED else []
        name, listed = type(model).__name__, "\n  ".join([*problems[:MOST_LISTED], *more])
        raise CheckpointError(
            f"{origin} belongs to another model than {name}; build the model it was saved from\n  {listed}"
        )


def mismatches(expected: Mapping[str, Any], found: Mapping[str, Any]) -> list[str]:
    """One line for each key that is missing, unexpected or of another shape."""
    lines = [f"missing: {shown(key)} {shape(expected[key])}" for key in expected if key not in found]
    lines += [f"unexpected: {shown(key)} {shape(found[key])}" for key in found if key not in expected]
    lines += [
        f"shape: {shown(key)} is {shape(found[key])} in the checkpoint, {shape(expected[key])} in the model"
        for key in expected
        if key in found and shape(expected[key]) != shape(found[key])
    ]
    return lines


def shown(key: object) -> str:
    """A key in print: whoever made the file chose it."""
    return printable(" ".join(str(key)[:100].split()))


def shape(value: Any) -> str:
    """The shape of a tensor in print; of the plain values that some modules keep beside their weights, the kind."""
    return str(tuple(value.shape)) if isinstance(value, Tensor) else type(value).__name__
