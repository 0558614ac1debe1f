"""Stops a run before an update that would fill the weights with infinities, and says where they came from."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

from torch import Tensor

from loopwright.core.state import State
from loopwright.errors import NonFiniteError, some


def stop_if_not_finite(
    state: State, parts: Mapping[str, Tensor], loss: Tensor, norm: Tensor, samples: Callable[[], list[int]]
) -> None:
    """Raise NonFiniteError unless loss and gradient norm are finite; reads one number from the device.

    With a GradScaler at work an overflow of the scaled gradients is its business: it skips the step and halves the
    scale. Only where that has gone below 1 the gradients themselves must be at fault. `samples` gives the numbers of
    the batch's samples, for the message.
    """
    if math.isfinite((loss + norm).item()):
        return
    if state.scaler.is_enabled() and math.isfinite(loss.item()) and state.scaler.get_scale() >= 1:
        return
    losses = {"total": loss.item(), **{name: part.item() for name, part in parts.items()}}
    raise NonFiniteError(describe(state, parts, norm, samples()), state.step + 1, losses, norm.item())


def describe(state: State, parts: Mapping[str, Tensor], norm: Tensor, samples: list[int]) -> str:
    """The message: step, loss, norm, the parameters with non-finite gradients, the samples of the batch."""
    names = [name for name, parameter in state.model.named_parameters() if parameter.requires_grad]
    moved = [name for name, parameter in zip(names, state.parameters, strict=True) if parameter.grad is not None]
    lengths = state.layout.norms(state.parameters)
    bad = [name for name, length in zip(moved, lengths, strict=True) if not bool(length.isfinite())]
    losses = ", ".join(f"{name} {part.item():g}" for name, part in parts.items())
    where = f"non-finite gradients in {some(bad)}" if bad else "the gradient of each parameter is finite by itself"
    return (
        f"step {state.step + 1}: loss {losses}, gradient norm {norm.item():g}; stopped before the update, "
        f"the weights are those of step {state.step}\n"
        f"{where}; samples of the batch: {some(samples)}; "
        "try a lower --lr, clipping (--clip-norm 1), or look at these samples"
    )
