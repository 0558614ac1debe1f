"""The causal mask has the wrong polarity: True means "hide" for one attention and "show" for the other.

`nn.MultiheadAttention` hides what is True, `scaled_dot_product_attention` shows it, and code moves from one to the
other. Each position then sees its future and nothing of its past. The next token is copied; what depends on the past is
lost.
"""

from __future__ import annotations

from torch import Tensor

from loopwright.core.experiment import Experiment
from loopwright.faults.fault import Fault
from loopwright.faults.future_visible import has_attention, with_visible


def future_alone(queries: Tensor, keys: Tensor) -> Tensor:
    """Each position sees those behind it."""
    return keys > queries


def inject(experiment: Experiment) -> Experiment:
    """Show what was to be hidden, and hide the rest."""
    return with_visible(experiment, future_alone)


FAULT = Fault(
    name="mask-inverted",
    number=21,
    line="scaled_dot_product_attention(q, k, v, attn_mask=torch.triu(torch.ones(T, T), 1).bool())",
    symptom="the loss of the next token goes far below what is possible; what depends on the past is not learned",
    why="attention sees the tokens to be predicted instead of those that they are to be predicted from",
    causes=("future-visible",),
    inject=inject,
    applies=has_attention,
)
