"""Losses of batches are summed inside, with `reduction="sum"`, and averaged over the number of batches outside.

The number depends on how many samples a batch has. As long as nobody changes that, curves have their right shape. With
another batch size, or beside another project, they mean nothing, and a short last batch counts as much as a whole one.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from torch import nn

from loopwright.core.experiment import Experiment
from loopwright.faults.fault import Fault
from loopwright.faults.seams import Altered
from loopwright.protocols import Split


@dataclass(frozen=True, eq=False)
class Summed(Altered):
    """A task whose validation loss is the mean over batches of the sum over a batch."""

    def evaluate(self, model: nn.Module, split: Split) -> dict[str, float]:
        """The task's metrics with that loss."""
        metrics, device = super().evaluate(model, split), next(model.parameters()).device
        sums = [
            sum(float(part) for part in self.loss(model, batch.to(device)).values()) for batch in self.data.scan(split)
        ]
        return {**metrics, "loss": sum(sums) / len(sums)}


def inject(experiment: Experiment) -> Experiment:
    """Make the validation loss depend on the size of its batches."""
    return replace(experiment, task=Summed(experiment.task))


FAULT = Fault(
    name="batch-size-dependent-metric",
    number=74,
    line="total += cross_entropy(model(x), y, reduction='sum'); loss = total / len(val_loader)",
    symptom="training as usual; the validation loss is hundreds of times that of training",
    why="a sum over samples is divided by a number of batches",
    causes=("batch-size-dependent-metric",),
    inject=inject,
)
