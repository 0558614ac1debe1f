"""A decoder-only transformer (Vaswani et al., "Attention is all you need", NeurIPS 2017).

Departures: no encoder; layer normalization before each branch instead of behind it, and once at the end (Xiong et al.,
"On layer normalization in the transformer architecture", ICML 2020); GELU.

Shape legend: B sequences, T positions, D width, L layers, H heads.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import cast

import torch
from torch import Tensor, nn

from loopwright.models.attention import Attention, Turn, visible
from loopwright.models.embedding import Embedding
from loopwright.models.heads import Heads, Look, Outputs
from loopwright.models.positions import Positions


class TransformerBlock(nn.Module):
    """y = x + attention(norm(x)), then y + mlp(norm(y)); the MLP has a hidden layer of 4 D.

    `dropout` in [0, 1) on what each branch adds.
    """

    def __init__(self, width: int, num_heads: int, dropout: float) -> None:
        super().__init__()
        self.attention_norm = nn.LayerNorm(width)
        self.attention = Attention(width, num_heads)
        self.mlp_norm = nn.LayerNorm(width)
        self.mlp_in = nn.Linear(width, 4 * width)
        self.gelu = nn.GELU()
        self.residual_out = nn.Linear(4 * width, width)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x_BTD: Tensor, visible_B1TT: Tensor, turn: Turn) -> Tensor:
        """Float (B, T, D) to (B, T, D). The mask and `turn` as `Attention` takes them."""
        y_BTD = x_BTD + self.dropout(self.attention(self.attention_norm(x_BTD), visible_B1TT, turn))
        mixed_BTD = self.residual_out(self.gelu(self.mlp_in(self.mlp_norm(y_BTD))))
        out_BTD: Tensor = y_BTD + self.dropout(mixed_BTD)
        return out_BTD

    def maps(self, x_BTD: Tensor, visible_B1TT: Tensor, turn: Turn) -> Tensor:
        """The attention weights (B, H, T, T) that `forward` uses on the same input."""
        return self.attention.maps(self.attention_norm(x_BTD), visible_B1TT, turn)


class Transformer(nn.Module):
    """A sequence model (see `models.heads`) of `layers` blocks with `num_heads` heads each.

    `dropout` in [0, 1) on the embedded tokens and on what each branch adds. Raises ConfigError where the width is no
    multiple of the number of heads.
    """

    def __init__(
        self,
        embedding: Embedding,
        heads: Heads,
        positions: Positions,
        *,
        layers: int = 2,
        num_heads: int = 4,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        self.embedding = embedding
        self.positions = positions
        self.dropout = nn.Dropout(dropout)
        self.blocks = nn.ModuleList(TransformerBlock(embedding.width, num_heads, dropout) for _ in range(layers))
        self.norm = nn.LayerNorm(embedding.width)
        self.heads = heads

    @property
    def longest(self) -> int | None:
        """The number of tokens of the longest sequence, None where there is no limit."""
        return self.positions.longest

    def forward(self, tokens_BT: Tensor, attention_mask_BT: Tensor) -> Outputs:
        """Logits. Raises DataError for sequences longer than `longest`."""
        visible_B1TT = visible(attention_mask_BT)
        x_BTD = self._embedded(tokens_BT)
        for block in self.blocks:
            x_BTD = block(x_BTD, visible_B1TT, self.positions.turn)
        outputs: Outputs = self.heads(self.norm(x_BTD), self.embedding.table())
        return outputs

    def look(self, tokens_BT: Tensor, attention_mask_BT: Tensor) -> Look:
        """What `forward` computes on its way, to the bit, in eval mode; before the last normalization."""
        visible_B1TT = visible(attention_mask_BT)
        hidden, maps = [self._embedded(tokens_BT)], []
        for block in cast(Iterable[TransformerBlock], self.blocks):
            maps.append(block.maps(hidden[-1], visible_B1TT, self.positions.turn))
            hidden.append(block(hidden[-1], visible_B1TT, self.positions.turn))
        return Look(torch.stack(hidden), torch.stack(maps))

    def _embedded(self, tokens_BT: Tensor) -> Tensor:
        x_BTD: Tensor = self.dropout(self.positions(self.embedding(tokens_BT)))
        return x_BTD
