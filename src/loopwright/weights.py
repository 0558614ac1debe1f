"""Putting saved weights into a model, with an error that lists what does not fit."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import Tensor, nn

from loopwright.errors import CheckpointError


def load_weights(model: nn.Module, weights: Mapping[str, Any], origin: str = "the checkpoint") -> None:
    """Copy `weights` into `model`; the names and shapes must be the same.

    Raises CheckpointError that lists each missing, unexpected and mis-shaped key; the model is then untouched.
    """
    check_weights(model, weights, origin)
    model.load_state_dict(weights)


def check_weights(model: nn.Module, weights: Any, origin: str = "the checkpoint") -> None:
    """Raise CheckpointError, as `load_weights` does, unless `weights` fit `model`."""
    if not isinstance(weights, Mapping):
        raise CheckpointError(f"{origin}: its weights are a {type(weights).__name__}; a dict of tensors is expected")
    problems = mismatches(model.state_dict(), weights)
    if problems:
        name, listed = type(model).__name__, "\n  ".join(problems)
        raise CheckpointError(
            f"{origin} belongs to another model than {name}; build the model it was saved from\n  {listed}"
        )


def mismatches(expected: Mapping[str, Any], found: Mapping[str, Any]) -> list[str]:
    """One line for each key that is missing, unexpected or of another shape."""
    lines = [f"missing: {key} {shape(expected[key])}" for key in expected if key not in found]
    lines += [f"unexpected: {key} {shape(found[key])}" for key in found if key not in expected]
    lines += [
        f"shape: {key} is {shape(found[key])} in the checkpoint, {shape(expected[key])} in the model"
        for key in expected
        if key in found and shape(expected[key]) != shape(found[key])
    ]
    return lines


def shape(value: Any) -> str:
    """The shape of a tensor in print; of the plain values that some modules keep beside their weights, the kind."""
    return str(tuple(value.shape)) if isinstance(value, Tensor) else type(value).__name__
