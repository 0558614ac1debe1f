"""The head was replaced when the optimizer had already been built.

That is the order of many fine-tuning scripts: load, build the optimizer, and then fit the head to the new classes. The
optimizer goes on holding the old head, which no longer runs. The new one is never updated.
"""

from __future__ import annotations

from torch import nn
from torch.optim import Optimizer

from loopwright.core.experiment import Experiment
from loopwright.faults.fault import Fault
from loopwright.faults.missing_head import has_head
from loopwright.faults.seams import last_layer, with_optimizer


def with_new_head(model: nn.Module, optimizer: Optimizer) -> Optimizer:
    """The optimizer as it is; the model has a new last layer."""
    name, old = last_layer(model)
    parent, _, own = name.rpartition(".")
    fresh = nn.Linear(old.in_features, old.out_features, bias=old.bias is not None)
    setattr(model.get_submodule(parent), own, fresh.to(old.weight))
    return optimizer


def inject(experiment: Experiment) -> Experiment:
    """Replace the last layer behind the optimizer's back."""
    return with_optimizer(experiment, with_new_head)


FAULT = Fault(
    name="stale-optimizer",
    number=51,
    line="optimizer = AdamW(model.parameters()); model.head = nn.Linear(width, classes)",
    symptom="the loss falls slower; the gradient norm grows steadily",
    why="the optimizer holds a layer that no longer runs, and the one that runs is in no optimizer",
    causes=("stale-optimizer", "missing-from-optimizer"),
    inject=inject,
    applies=has_head,
)
