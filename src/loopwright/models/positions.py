"""Where in its sequence a token stands, told to a model that would not know.

Shape legend: B sequences, T positions, D width, K width of a head (even); `*` any dimensions.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Literal, cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from loopwright.errors import ConfigError, DataError, nearest
from loopwright.models.embedding import STD

Kind = Literal["none", "learned", "sinusoidal", "rotary", "random"]


class Positions(nn.Module):
    """No positions: nothing is added to a token, nothing turned. The other kinds override one of the two.

    A causal model tells positions apart even so, by how many tokens it sees (Haviv et al., EMNLP Findings 2022).
    `longest` is the number of tokens of the longest sequence that can be given, None where there is no limit.
    """

    longest: int | None = None

    def forward(self, x_BTD: Tensor) -> Tensor:
        """What is known of the tokens, (B, T, D), with their positions. DataError as `check_length`."""
        return x_BTD

    def turn(self, x: Tensor) -> Tensor:
        """Queries and keys (*, T, K), turned by their positions."""
        return x

    def check_length(self, T: int) -> None:
        """Raise DataError for sequences of `T` tokens where they are longer than `longest`."""
        if self.longest is not None and self.longest < T:
            raise DataError(
                f"a sequence of {T} tokens: the model's positions end at {self.longest}; "
                "make it for longer ones, or with positions none or rotary, which do not end"
            )


class Learned(Positions):
    """A learned row of numbers for each of `longest` positions; at first of the size of an embedded token."""

    def __init__(self, width: int, longest: int) -> None:
        super().__init__()
        self.longest = longest
        self.weight = nn.Parameter(STD * math.sqrt(width) * torch.randn(longest, width))

    def forward(self, x_BTD: Tensor) -> Tensor:
        """x + weight[:T]. DataError as `check_length`."""
        self.check_length(x_BTD.shape[1])
        return x_BTD + self.weight[: x_BTD.shape[1]]


class Sinusoidal(Positions):
    """Fixed waves (`waves`) for `longest` positions."""

    table: Tensor

    def __init__(self, width: int, longest: int) -> None:
        super().__init__()
        self.longest = longest
        self.register_buffer("table", waves(longest, width), persistent=False)

    def forward(self, x_BTD: Tensor) -> Tensor:
        """x + table[:T]. DataError as `check_length`."""
        self.check_length(x_BTD.shape[1])
        return x_BTD + self.table[: x_BTD.shape[1]]


class Random(Positions):
    """Waves (`waves`) at random places, so that the places of long sequences are known from training on short ones
    (Ruoss et al., "Randomized positional encodings boost length generalization of transformers", ACL 2023, arXiv
    2305.16843).

    While training each sequence gets `drawn` different numbers in [0, `most`), in ascending order, from the global
    generator, and uses the first of them. In eval mode position t is at t * (`most` // `longest`), in every sequence.
    `drawn` is the number of tokens of the longest sequence to train on.

    Departures: the paper draws as many as the sequence has tokens, and in evaluation too. Then the gaps tell a causal
    model how long the sequence will be: it learns to know its end in advance, and has unlearned it in eval mode.

    Raises ConfigError unless 1 <= drawn <= longest <= most.
    """

    table: Tensor

    def __init__(self, width: int, longest: int, *, most: int, drawn: int) -> None:
        super().__init__()
        if not 1 <= drawn <= longest <= most:
            raise ConfigError(
                f"random positions: {drawn} drawn, {longest} longest, {most} most; choose 1 <= drawn <= longest <= most"
            )
        self.longest = longest
        self.drawn = drawn
        self.register_buffer("table", waves(most, width), persistent=False)

    def forward(self, x_BTD: Tensor) -> Tensor:
        """x + table[places]. DataError as `check_length`, and while training for more than `drawn` tokens."""
        B, T, _ = x_BTD.shape
        self.check_length(T)
        return x_BTD + functional.embedding(self.places(B, T), self.table)

    def places(self, B: int, T: int) -> Tensor:
        """Ascending and different numbers in [0, most): int64 (B, T) while training, (1, T) in eval mode."""
        most, device = len(self.table), self.table.device
        if not self.training:
            return torch.arange(T, device=device)[None] * (most // cast(int, self.longest))
        if self.drawn < T:
            raise DataError(f"a sequence of {T} tokens to train on: {self.drawn} random positions are drawn; draw more")
        return torch.rand(B, most, device=device).topk(self.drawn).indices.sort().values[:, :T]


class Rotary(Positions):
    """Each pair of a query's and a key's numbers, as a complex number, times exp(i t 10000^(-2j / K)) at position t
    (Su et al., "RoFormer", 2021, section 3.2.2): their product depends on the distance alone. Pair j is (j, j + K / 2).
    """

    def turn(self, x: Tensor) -> Tensor:
        """Queries and keys (*, T, K), turned by their positions."""
        sin, cos = (wave.to(x.dtype) for wave in _angles(x.shape[-2], x.shape[-1], x.device))
        first, second = x.chunk(2, -1)
        return torch.cat([first * cos - second * sin, first * sin + second * cos], -1)


def positions(kind: Kind, width: int, longest: int, *, most: int, drawn: int) -> Positions:
    """New positions by name, for a model of `width` D; `longest`, `most` and `drawn` as `Random` takes them.

    Raises ConfigError for another name.
    """
    kinds: dict[str, Callable[[], Positions]] = {
        "none": Positions,
        "learned": lambda: Learned(width, longest),
        "sinusoidal": lambda: Sinusoidal(width, longest),
        "rotary": Rotary,
        "random": lambda: Random(width, longest, most=most, drawn=drawn),
    }
    if kind not in kinds:
        raise ConfigError(f"positions {kind!r} are unknown: {nearest(kind, kinds)}")
    return kinds[kind]()


def waves(longest: int, width: int) -> Tensor:
    """PE[t, 2j] = sin(t 10000^(-2j / D)), PE[t, 2j + 1] = cos(the same): float32 (longest, D), D even, else
    ConfigError (Vaswani et al., NeurIPS 2017, section 3.5)."""
    return torch.stack(_angles(longest, width, torch.device("cpu")), -1).flatten(1).float()


def _angles(T: int, width: int, device: torch.device) -> tuple[Tensor, Tensor]:
    """Sines and cosines of position times frequency, float64 (T, width / 2)."""
    if width % 2:
        raise ConfigError(
            f"positions of width {width}: waves come in pairs; choose an even width (for rotary, of a head)"
        )
    frequencies = 10000.0 ** (-torch.arange(0, width, 2, device=device, dtype=torch.float64) / width)
    angles = torch.arange(T, device=device, dtype=torch.float64)[:, None] * frequencies
    return angles.sin(), angles.cos()
