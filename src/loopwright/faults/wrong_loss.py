"""`nll_loss` is given raw logits: the `log_softmax` before it was removed, or never there.

That loss only picks the right class's number and turns its sign. Nothing holds the others down, so raising all logits
without bound is the way to a lower loss. It falls below zero and goes on falling, while accuracy stays poor.
"""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor, nn
from torch.nn import functional

from loopwright.core.experiment import Experiment
from loopwright.faults.fault import Fault
from loopwright.faults.seams import LossOf, input_name, is_classification, with_loss
from loopwright.protocols import Batch


def inject(experiment: Experiment) -> Experiment:
    """Take logits for logarithms of probabilities."""
    name = input_name(experiment)

    def unnormalized(loss: LossOf, model: nn.Module, batch: Batch) -> Mapping[str, Tensor]:
        (component,) = batch.weights
        return {component: functional.nll_loss(model(batch[name]), batch["label"], reduction="sum")}

    return with_loss(experiment, unnormalized)


FAULT = Fault(
    name="wrong-loss",
    number=28,
    line="loss = nll_loss(model(x), y)   # log_softmax(model(x), -1)",
    symptom="the training loss becomes negative and falls without end; validation gets worse",
    why="without a softmax nothing keeps the logits of wrong classes down, and larger weights are always better",
    causes=("wrong-loss",),
    inject=inject,
    applies=is_classification,
)
