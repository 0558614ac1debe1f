"""What a sequence model says of each position: the next token, the class, the state; and what there is to see inside.

Every sequence model is called with tokens int64 (B, T) and an attention mask bool (B, T), True at real tokens, which
stand before the padding, and gives `Outputs`. Its `look`, called in the same way, gives a `Look`; its `longest` is the
number of tokens of the longest sequence that it takes, None where there is no limit.

Shape legend: B sequences, T positions, V tokens of the vocabulary, C classes, S states, D width, L layers, H heads.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from loopwright.models.embedding import STD, Embedding


class Outputs(NamedTuple):
    """Logits: `next` (B, T, V), `classes` (B, T, C), `states` (B, T, S). What stands at padding means nothing."""

    next: Tensor
    classes: Tensor
    states: Tensor


class Look(NamedTuple):
    """`hidden` (L + 1, B, T, D): the embedded tokens and what each layer gives. `maps` (L, B, H, T, T): each layer's
    attention weights, query before key, each row with the sum 1; (0, B, 0, T, T) for a model without attention."""

    hidden: Tensor
    maps: Tensor


class Heads(nn.Module):
    """Three linear maps, whose first guess is near chance.

    `tied` takes the embedding's table for the weight of the next token's (Press and Wolf, "Using the output embedding
    to improve language models", EACL 2017).
    """

    def __init__(self, embedding: Embedding, *, classes: int, states: int, tied: bool = True) -> None:
        super().__init__()
        vocabulary, width = embedding.vocabulary, embedding.width
        self.next_weight = None if tied else nn.Parameter(STD * torch.randn(vocabulary, width))
        self.next_bias = nn.Parameter(torch.zeros(vocabulary))
        self.classes = nn.Linear(width, classes)
        self.states = nn.Linear(width, states)
        for head in (self.classes, self.states):
            nn.init.normal_(head.weight, std=STD)
            nn.init.zeros_(head.bias)

    def forward(self, x_BTD: Tensor, table_VD: Tensor) -> Outputs:
        """Float (B, T, D), and the embedding's table, to logits."""
        weight_VD = table_VD if self.next_weight is None else self.next_weight
        next_BTV = functional.linear(x_BTD, weight_VD, self.next_bias)
        return Outputs(next_BTV, self.classes(x_BTD), self.states(x_BTD))
