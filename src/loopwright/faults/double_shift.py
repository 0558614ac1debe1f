"""The targets are shifted twice: once in the data set, and once more in a loss that shifts by itself.

Each side was right alone. The model learns to predict the token after the next, which is harder, so the loss is higher
than it could be and still falls as if all were well. Whoever generates from it gets every second token.
"""

from __future__ import annotations

from torch import Tensor

from loopwright.core.experiment import Experiment
from loopwright.faults.fault import Fault
from loopwright.faults.seams import with_tensor
from loopwright.faults.unshifted_targets import has_next_tokens
from loopwright.tasks.regular.encoding import PAD


def shifted_again(following: Tensor) -> Tensor:
    """Targets (N, T) one place further to the left; what comes in is padding."""
    ahead = following.roll(-1, 1)
    ahead[:, -1] = PAD
    return ahead


def inject(experiment: Experiment) -> Experiment:
    """Ask for the token after the next."""
    return with_tensor(experiment, "next", shifted_again)


FAULT = Fault(
    name="double-shift",
    number=18,
    line="loss = cross_entropy(logits[:, :-1], targets[:, 1:])   (targets are shifted already)",
    symptom="a loss that falls as usual and ends higher than it could",
    why="the model is trained to predict the token after the next, and never the next",
    causes=("double-shift",),
    inject=inject,
    applies=has_next_tokens,
)
