"""Recurrent networks: LSTM (Hochreiter and Schmidhuber 1997) and GRU (Cho et al. 2014).

Shape legend: B sequences, T positions, D width, L layers.
"""

from __future__ import annotations

from typing import Literal, get_args

import torch
from torch import Tensor, nn

from loopwright.errors import ConfigError, nearest
from loopwright.models.embedding import Embedding
from loopwright.models.heads import Heads, Look, Outputs

Cell = Literal["lstm", "gru"]


class Recurrent(nn.Module):
    """A sequence model (see `models.heads`) of `layers` recurrent layers, each as wide as the embedding.

    It reads from the front, so that padding, which stands behind, has no influence whatever the mask says. `dropout` in
    [0, 1) on what each layer is given. Raises ConfigError for another `cell`.
    """

    longest: int | None = None

    def __init__(
        self, embedding: Embedding, heads: Heads, *, cell: Cell = "lstm", layers: int = 1, dropout: float = 0.0
    ) -> None:
        super().__init__()
        if cell not in get_args(Cell):
            raise ConfigError(f"cell {cell!r} is unknown: {nearest(cell, get_args(Cell))}")
        layer = nn.LSTM if cell == "lstm" else nn.GRU
        self.embedding = embedding
        self.dropout = nn.Dropout(dropout)
        # One by one, so that what each gives can be seen.
        self.layers = nn.ModuleList(layer(embedding.width, embedding.width, batch_first=True) for _ in range(layers))
        self.heads = heads

    def forward(self, tokens_BT: Tensor, attention_mask_BT: Tensor) -> Outputs:
        """Logits."""
        outputs: Outputs = self.heads(self._hidden(tokens_BT)[-1], self.embedding.table())
        return outputs

    def look(self, tokens_BT: Tensor, attention_mask_BT: Tensor) -> Look:
        """What `forward` computes on its way, to the bit, in eval mode; there are no maps."""
        hidden_LBTD = torch.stack(self._hidden(tokens_BT))
        B, T = tokens_BT.shape
        return Look(hidden_LBTD, hidden_LBTD.new_empty(0, B, 0, T, T))

    def _hidden(self, tokens_BT: Tensor) -> list[Tensor]:
        hidden = [self.embedding(tokens_BT)]
        for layer in self.layers:
            hidden.append(layer(self.dropout(hidden[-1]))[0])
        return hidden
