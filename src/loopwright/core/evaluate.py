"""Evaluation that leaves no trace: modes, generators and buffers are afterwards what they were before, bit for bit."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext

import torch
from torch import nn

from loopwright.core.parameters import Unchanged
from loopwright.errors import UsageError
from loopwright.protocols import Split, Task
from loopwright.seeding import Purpose, fold, preserved_generators, seed_generators

NOT_BREAKABLE: AbstractContextManager[None] = nullcontext()


def evaluate(
    task: Task,
    model: nn.Module,
    split: Split,
    seed: int = 0,
    *,
    breakable: AbstractContextManager[None] = NOT_BREAKABLE,
) -> dict[str, float]:
    """The task's metrics of `model` on `split`, in eval mode and without gradients.

    Random numbers drawn by the task (for sampling, say) depend on `seed` alone, so two calls give the same. The task's
    own work runs inside `breakable`; what it has touched is put back outside of it. Raises UsageError for a metric that
    is no number.
    """
    with untouched(model), preserved_generators(), torch.no_grad():
        model.eval()
        seed_generators(fold(seed, Purpose.EVALUATE))
        with breakable:
            metrics = task.evaluate(model, split)
    return {name: number(name, value) for name, value in metrics.items()}


def number(name: str, value: object) -> float:
    """A metric as a float; NumPy's and PyTorch's scalars are numbers too. Raises UsageError for anything else."""
    try:
        return float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError) as error:
        kind = type(value).__name__
        raise UsageError(f"metric {name!r}: the evaluation gave a {kind}; each metric must be one number") from error


@contextmanager
def untouched(model: nn.Module) -> Iterator[None]:
    """Give each module its own mode and buffers back, each with its bits; to an Embedding with max_norm its rows too.

    Raises ConfigError where another parameter was changed.
    """
    modes = [(module, module.training) for module in model.modules()]
    places = [(module, *named) for module in model.modules() for named in module.named_buffers(recurse=False)]
    renormed = [
        (module, "weight", module.weight)
        for module in model.modules()
        if isinstance(module, nn.Embedding | nn.EmbeddingBag) and module.max_norm is not None
    ]
    kept = [(*place, place[-1].detach().clone()) for place in (*places, *renormed)]
    unchanged = Unchanged(model, besides=[weight for _, _, weight in renormed])
    try:
        yield
        unchanged.check("an evaluation that")
    finally:
        for module, training in modes:
            module.training = training
        with torch.no_grad():
            for module, name, tensor, before in kept:
                tensor.copy_(before)
                setattr(module, name, tensor)
