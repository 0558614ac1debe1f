"""Evaluation that leaves no trace: modes, generators and buffers are afterwards what they were before, bit for bit."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import nn

from loopwright.protocols import Split, Task
from loopwright.seeding import Purpose, fold, preserved_generators, seed_generators


def evaluate(task: Task, model: nn.Module, split: Split, seed: int = 0) -> dict[str, float]:
    """The task's metrics of `model` on `split`, in eval mode and without gradients.

    Random numbers drawn by the task (for sampling, say) depend on `seed` alone, so two calls give the same.
    """
    with untouched(model), preserved_generators(), torch.no_grad():
        model.eval()
        seed_generators(fold(seed, Purpose.EVALUATE))
        return task.evaluate(model, split)


@contextmanager
def untouched(model: nn.Module) -> Iterator[None]:
    """Give each module its own mode back, and each buffer its bits."""
    modes = [(module, module.training) for module in model.modules()]
    buffers = [(buffer, buffer.detach().clone()) for buffer in model.buffers()]
    try:
        yield
    finally:
        for module, training in modes:
            module.training = training
        with torch.no_grad():
            for buffer, kept in buffers:
                buffer.copy_(kept)
