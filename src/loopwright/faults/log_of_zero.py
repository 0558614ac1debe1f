"""`log(softmax(x))` in two steps, on logits that are scaled up by 200 for a sharp temperature.

In float32 a softmax rounds small probabilities down to exactly 0, and the logarithm of that is minus infinity. It takes
a single sample whose right class is that improbable. `log_softmax` computes the same and has no such edge.
"""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor, nn
from torch.nn import functional

from loopwright.core.experiment import Experiment
from loopwright.faults.fault import Fault
from loopwright.faults.seams import LossOf, input_name, is_classification, with_loss
from loopwright.protocols import Batch

SHARP = 200.0


def inject(experiment: Experiment) -> Experiment:
    """Take the logarithm of probabilities that may be zero."""
    name = input_name(experiment)

    def in_two_steps(loss: LossOf, model: nn.Module, batch: Batch) -> Mapping[str, Tensor]:
        (component,) = batch.weights
        log_probabilities = (SHARP * model(batch[name])).softmax(-1).log()
        return {component: functional.nll_loss(log_probabilities, batch["label"], reduction="sum")}

    return with_loss(experiment, in_two_steps)


FAULT = Fault(
    name="log-of-zero",
    number=68,
    line="loss = nll_loss(torch.log(torch.softmax(x / 0.005, -1)), y)",
    symptom="the first losses are large; then one is infinite, and the next NaN",
    why="a probability below 1e-45 is exactly zero, and the logarithm of zero is minus infinity",
    causes=("log-of-zero", "non-finite", "lr-too-large"),
    inject=inject,
    applies=is_classification,
)
