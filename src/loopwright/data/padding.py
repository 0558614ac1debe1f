"""Sequences of different lengths in one tensor, and the masks that go with it.

One polarity everywhere: True means "is there, may be attended to, counts"; False means "must have no
influence". It is the polarity of `scaled_dot_product_attention`, and the opposite of
`nn.MultiheadAttention`'s `key_padding_mask`. The mask of a decoder over padded sequences is
`attention_mask(lengths, T)[:, None, :] & causal_mask(T)`, (B, T, T).

B sequences, T positions.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from loopwright.errors import DataError


def pad(sequences: Sequence[Tensor | Sequence[int]], value: int, length: int | None = None) -> Tensor:
    """The sequences filled up at the end with `value`, to the longest or to `length`: (B, T), of their dtype.

    Empty ones are sequences too; lists of integers become int64. Raises DataError for a sequence that is
    longer than `length`.

    >>> pad([[5, 6], []], value=0, length=3)
    tensor([[5, 6, 0],
            [0, 0, 0]])
    """
    rows = [row if isinstance(row, Tensor) else torch.tensor(row, dtype=torch.int64) for row in sequences]
    longest = max(map(len, rows), default=0)
    width = longest if length is None else length
    if longest > width:
        raise DataError(f"a sequence of {longest} tokens does not fit into {width}: choose a larger length or cut it")
    padded = torch.full((len(rows), width), value, dtype=rows[0].dtype if rows else torch.int64)
    for number, row in enumerate(rows):
        padded[number, : len(row)] = row
    return padded


def attention_mask(lengths: Tensor, T: int) -> Tensor:
    """Where there is a token and not padding: `lengths` int64 (B,) to bool (B, T).

    Its sum is the number of real tokens. Raises DataError for a length above T.
    """
    return loss_mask(lengths, T)


def causal_mask(T: int, device: torch.device | None = None) -> Tensor:
    """Position i may attend to position j where j <= i: bool (T, T), [i, j].

    >>> causal_mask(2)
    tensor([[ True, False],
            [ True,  True]])
    """
    return torch.ones(T, T, dtype=torch.bool, device=device).tril()


def loss_mask(lengths: Tensor, T: int, skip_first: int | Tensor = 0, skip_last: int = 0) -> Tensor:
    """Which positions count in a loss, `skip_first` <= t < length - `skip_last`: int64 (B,) to bool (B, T).

    `skip_first`, a number or int64 (B,), leaves out a prompt; `skip_last=1` the last token, which has no next
    one to predict. Raises DataError for a length above T.
    """
    if len(lengths) and int(lengths.max()) > T:
        raise DataError(f"a sequence of {int(lengths.max())} tokens does not fit into {T} positions")
    positions = torch.arange(T, device=lengths.device)
    starts = torch.as_tensor(skip_first, device=lengths.device).reshape(-1, 1)
    return (positions >= starts) & (positions < (lengths - skip_last)[:, None])
