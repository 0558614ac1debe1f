"""The checkpoint holds the model's weights, and a resumed run begins with a new optimizer.

Momentum and second moments are gone. Right behind the resumption updates are too large or point elsewhere, and the loss
jumps. Later everything is as before, so it passes for noise.
"""

from __future__ import annotations

from typing import Any

from torch import nn
from torch.optim import Optimizer

from loopwright.core.experiment import Experiment
from loopwright.faults.fault import Fault
from loopwright.faults.optimizer_rebuilt import remembers
from loopwright.faults.seams import with_optimizer


def forget(optimizer: Optimizer) -> None:
    """Clear what an optimizer, or each that it consists of, remembers."""
    for part in getattr(optimizer, "parts", [optimizer]):
        part.state.clear()


def forgetful(model: nn.Module, optimizer: Optimizer) -> Optimizer:
    """An optimizer that gets its settings back, and not its memory."""
    load = optimizer.load_state_dict

    def load_settings(saved: dict[str, Any]) -> None:
        load(saved)
        forget(optimizer)

    optimizer.load_state_dict = load_settings  # type: ignore[assignment, method-assign]
    return optimizer


def inject(experiment: Experiment) -> Experiment:
    """Lose the optimizer's memory when a run is resumed."""
    return with_optimizer(experiment, forgetful)


FAULT = Fault(
    name="optimizer-not-saved",
    number=79,
    line="torch.save(model.state_dict(), path)   # and optimizer.state_dict()?",
    symptom="none until a run is resumed; then a jump of the loss",
    why="the moments of the gradients begin at zero again, in the middle of training",
    causes=("optimizer-not-saved",),
    inject=inject,
    applies=remembers,
)
