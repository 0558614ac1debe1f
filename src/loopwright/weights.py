"""Putting saved weights into a model, with an error that lists what does not fit."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor, nn

from loopwright.errors import CheckpointError


def load_weights(model: nn.Module, weights: Mapping[str, Tensor], origin: str = "the checkpoint") -> None:
    """Copy `weights` into `model`; the names and shapes must be the same.

    Raises CheckpointError that lists each missing, unexpected and mis-shaped key; the model is then untouched.
    """
    problems = mismatches(model.state_dict(), weights)
    if problems:
        listed = "\n  ".join(problems)
        raise CheckpointError(
            f"{origin} belongs to another model than {type(model).__name__}: {len(problems)} keys do not fit; "
            f"build the model it was saved from\n  {listed}"
        )
    model.load_state_dict(weights)


def mismatches(expected: Mapping[str, Tensor], found: Mapping[str, Tensor]) -> list[str]:
    """One line for each key that is missing, unexpected or of another shape."""
    lines = [f"missing: {key} {tuple(expected[key].shape)}" for key in expected if key not in found]
    lines += [f"unexpected: {key} {tuple(found[key].shape)}" for key in found if key not in expected]
    lines += [
        f"shape: {key} is {tuple(found[key].shape)} in the checkpoint, {tuple(expected[key].shape)} in the model"
        for key in expected
        if key in found and expected[key].shape != found[key].shape
    ]
    return lines
