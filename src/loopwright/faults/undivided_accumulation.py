"""Four micro-batches for one step, a backward pass of each one's whole mean loss: nobody divides by four.

Memory did not do for the batch, so it was cut into four, and backward was called for each. Gradients add up. The one
that the optimizer gets is four times as large as that of the batch was: under SGD that is four times the learning rate.
Adam divides by the gradient's size and hardly notices, until gradients are clipped at a norm that was chosen before.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from torch import Tensor, nn

from loopwright.core.experiment import Experiment
from loopwright.faults.fault import Fault
from loopwright.faults.seams import LossOf, with_loss
from loopwright.protocols import Batch

PARTS = 4


def whole(loss: LossOf, model: nn.Module, batch: Batch) -> Mapping[str, Tensor]:
    """The loss of a part, as large as if it were that of a whole batch."""
    return {name: value * PARTS for name, value in loss(model, batch).items()}


def inject(experiment: Experiment) -> Experiment:
    """Cut each batch into parts, and let each count in full."""
    return replace(with_loss(experiment, whole), shards=PARTS)


def can_be_cut(experiment: Experiment) -> bool:
    """Whether a batch is in one piece, and can be cut."""
    return experiment.shards == 1 and experiment.plan().batch_size % PARTS == 0


FAULT = Fault(
    name="undivided-accumulation",
    number=30,
    line="for part in parts: loss(model(part)).backward()   # / len(parts)",
    symptom="gradient norms are four times as large; with SGD the loss jumps about, with Adam little is seen",
    why="the gradients of the parts are added up, and their sum is taken for their mean",
    causes=("undivided-accumulation",),
    inject=inject,
    applies=can_be_cut,
)
