"""Tokens as vectors, in full or as a product of two thin matrices.

Shape legend: B sequences, T positions, V tokens of the vocabulary, D width, R rank.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

STD = 0.02
"""The spread of a new table's entries: small enough for a tied head's first guess to be near chance."""


class Embedding(nn.Module):
    """sqrt(D) times a row of the table for each token (Vaswani et al., "Attention is all you need", 2017, section 3.4).

    The table (V, D) is U, or, with a `rank` R, the product U (V, R) V (R, D) (Lan et al., "ALBERT", ICLR 2020, section
    3.1). `vocabulary` V; `width` D.
    """

    def __init__(self, vocabulary: int, width: int, *, rank: int | None = None) -> None:
        super().__init__()
        self.vocabulary, self.width = vocabulary, width
        # The entries of a product of R factors have the spread std^2 sqrt(R).
        std = STD if rank is None else math.sqrt(STD / math.sqrt(rank))
        self.u = nn.Parameter(std * torch.randn(vocabulary, rank or width))
        self.v = None if rank is None else nn.Parameter(std * torch.randn(rank, width))

    def table(self) -> Tensor:
        """U, or U V: float (V, D). A tied head takes it for its weight."""
        return self.u if self.v is None else self.u @ self.v

    def forward(self, tokens_BT: Tensor) -> Tensor:
        """Int64 (B, T) to float (B, T, D)."""
        return functional.embedding(tokens_BT, self.table()) * math.sqrt(self.width)

    def l1_u(self) -> Tensor:
        """The sum of |U|, a scalar: a penalty that leaves few of a token's R factors (of its D entries without a rank)
        other than 0."""
        return self.u.abs().sum()
