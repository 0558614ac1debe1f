"""The model gives (N, 1), the targets are (N,), and the difference of the two is (N, N).

No error is raised, since shapes like these broadcast. Every prediction is compared with every target, and the best
answer to that is the mean of all targets, whatever the input. The loss falls to the variance of the targets and rests.
"""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor, nn

from loopwright.core.experiment import Experiment
from loopwright.faults.fault import Fault
from loopwright.faults.seams import LossOf, input_name, splits_of, target_name, with_loss
from loopwright.protocols import Batch


def inject(experiment: Experiment) -> Experiment:
    """Compare each prediction with each target."""
    given, asked = input_name(experiment), target_name(experiment)

    def each_with_each(loss: LossOf, model: nn.Module, batch: Batch) -> Mapping[str, Tensor]:
        squares = (model(batch[given]) - batch[asked].flatten()) ** 2
        (component,) = batch.weights
        # The mean of all pairs, as a sum over the samples: the loop divides by their number.
        return {component: squares.mean() * len(batch)}

    return with_loss(experiment, each_with_each)


def has_columns(experiment: Experiment) -> bool:
    """Whether a model is to put out one number for each sample, in a column."""
    name = target_name(experiment)
    return name != "" and splits_of(experiment)["train"][name].shape[1:] == (1,)


FAULT = Fault(
    name="target-broadcast",
    number=20,
    line="loss = ((model(x) - y) ** 2).mean()   (model(x) is (N, 1), y is (N,))",
    symptom="the loss falls to the variance of the targets and stays there; all predictions become the same",
    why="each prediction is compared with all targets, so the mean of the targets is the best answer to any input",
    causes=("target-broadcast",),
    inject=inject,
    applies=has_columns,
)
