"""Somewhere a zero is divided by zero, and from then on the loss is NaN: a batch without a valid target does it.

For eight steps all is well. The mean over an empty selection is NaN, and one update with it makes every weight so. A
run that is not watched goes on like that for days.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from weakref import WeakKeyDictionary

from torch import Tensor, nn

from loopwright.core.experiment import Experiment
from loopwright.faults.fault import Fault
from loopwright.faults.seams import LossOf, with_loss
from loopwright.protocols import Batch

HEALTHY = 8


def inject(experiment: Experiment) -> Experiment:
    """Make the loss NaN from the ninth call on, counted for each model, so that each run has its healthy steps."""
    calls: WeakKeyDictionary[nn.Module, int] = WeakKeyDictionary()

    def spoiled(loss: LossOf, model: nn.Module, batch: Batch) -> Mapping[str, Tensor]:
        calls[model] = calls.get(model, 0) + 1
        factor = 1.0 if calls[model] <= HEALTHY else math.inf - math.inf
        return {name: part * factor for name, part in loss(model, batch).items()}

    return with_loss(experiment, spoiled)


FAULT = Fault(
    name="non-finite",
    number=67,
    line="loss = losses[mask].mean()   (mask is empty now and then)",
    symptom="a healthy curve that ends in NaN, all at once",
    why="a NaN in the loss reaches every gradient, and with the next update every weight",
    causes=("non-finite",),
    inject=inject,
    since=lambda experiment: HEALTHY + 1,
)
