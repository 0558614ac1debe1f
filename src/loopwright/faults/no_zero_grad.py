"""The line that clears the gradients was deleted, or never written.

Backward adds to what lies in `.grad`. Without a clearing each update follows the sum of all gradients so far, most of
them of weights that are long gone. Adam hides it: the sum changes little from step to step, so the loss falls at first.
"""

from __future__ import annotations

from torch import nn
from torch.optim import Optimizer

from loopwright.core.experiment import Experiment
from loopwright.faults.fault import Fault
from loopwright.faults.seams import with_optimizer


def keep(model: nn.Module, optimizer: Optimizer) -> Optimizer:
    """An optimizer whose zero_grad does nothing."""
    optimizer.zero_grad = lambda set_to_none=True: None  # type: ignore[method-assign]
    return optimizer


def inject(experiment: Experiment) -> Experiment:
    """Never clear a gradient."""
    return with_optimizer(experiment, keep)


FAULT = Fault(
    name="no-zero-grad",
    number=37,
    line="# optimizer.zero_grad()",
    symptom="falls at first, then wobbles or rises; the gradient norm grows steadily",
    why="each update follows the sum of all gradients so far instead of the present one",
    causes=("no-zero-grad",),
    inject=inject,
)
