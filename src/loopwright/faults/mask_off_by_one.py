"""The causal mask lets one token too many through: `torch.triu(…, diagonal=2)` where 1 was meant.

One place is all it takes, since the next token is the one that is asked for. The model learns to look one place ahead
and copy. Everything that comes after it stays hidden, so a test with a token far ahead finds nothing wrong.
"""

from __future__ import annotations

from torch import Tensor

from loopwright.core.experiment import Experiment
from loopwright.faults.fault import Fault
from loopwright.faults.future_visible import has_attention, with_visible


def one_ahead(queries: Tensor, keys: Tensor) -> Tensor:
    """Each position sees those up to the next."""
    return keys <= queries + 1


def inject(experiment: Experiment) -> Experiment:
    """Let attention see one token ahead."""
    return with_visible(experiment, one_ahead)


FAULT = Fault(
    name="mask-off-by-one",
    number=22,
    line="hidden = torch.triu(torch.ones(T, T), diagonal=2)",
    symptom="the loss of the next token goes far below what is possible, in validation too",
    why="the one token that attention sees too many is the one to be predicted",
    causes=("future-visible",),
    inject=inject,
    applies=has_attention,
)
