"""Which sequence model reads the strings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from torch import nn

from loopwright.errors import ConfigError
from loopwright.models.embedding import Embedding
from loopwright.models.heads import Heads
from loopwright.models.positions import Kind, Positions, positions
from loopwright.models.recurrent import Recurrent
from loopwright.models.transformer import Transformer


@dataclass(frozen=True)
class Network:
    """A decoder-only transformer, an LSTM or a GRU, of `layers` layers of `width` units.

    `heads`, `positions` and `most_positions` are the transformer's: `most_positions` says how many positions there are,
    0 as many as the task's strings need (of random ones twice as many). `rank` factorizes the embedding (0: whole);
    `tied` makes it the next token's head too.
    """

    kind: Literal["transformer", "lstm", "gru"] = "transformer"
    width: int = 64
    layers: int = 3
    heads: int = 4
    positions: Kind = "learned"
    most_positions: int = 0
    dropout: float = 0.0
    rank: int = 0
    tied: bool = True

    def build(self, *, vocabulary: int, classes: int, states: int, longest: int, trained: int) -> nn.Module:
        """The model, for sequences of up to `longest` tokens, in training `trained`. Raises ConfigError where it cannot
        read so many, or for sizes that do not fit together."""
        for field, least in {"width": 1, "layers": 1, "heads": 1, "rank": 0}.items():
            if getattr(self, field) < least:
                raise ConfigError(f"network {field} {getattr(self, field)}: must be {least} at least")
        embedding = Embedding(vocabulary, self.width, rank=self.rank or None)
        heads = Heads(embedding, classes=classes, states=states, tied=self.tied)
        if self.kind != "transformer":
            return Recurrent(embedding, heads, cell=self.kind, layers=self.layers, dropout=self.dropout)
        where = self._positions(longest, trained)
        return Transformer(embedding, heads, where, layers=self.layers, num_heads=self.heads, dropout=self.dropout)

    def _positions(self, longest: int, trained: int) -> Positions:
        most = self.most_positions or (2 * longest if self.positions == "random" else longest)
        if self.positions in ("learned", "sinusoidal", "random") and most < longest:
            raise ConfigError(
                f"most_positions {most}: the longest sequence has {longest} tokens, BOS and EOS among them; "
                f"raise it to {longest}, shorten the corpus's longest or beyond, or take positions rotary or none"
            )
        if self.positions == "rotary" and self.width // self.heads % 2:
            raise ConfigError(f"rotary positions, width {self.width} for {self.heads} heads: give each an even width")
        reached = longest if self.positions == "random" else most
        return positions(self.positions, self.width, reached, most=most, drawn=trained)
