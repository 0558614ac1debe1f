"""Strings as tensors, with every label that is known of them.

A string of n symbols is BOS s_0 … s_(n-1) EOS, then PAD. The ids of PAD, BOS and EOS stand before those of the symbols,
so that none can be taken for another whatever the alphabet. What belongs to a token stands at its own position: the
next token, the state after the symbols read so far (after BOS: the start), and that state's class.

Shape legend: N strings, T positions: the longest string's symbols and two.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor

from loopwright.data.padding import attention_mask, loss_mask
from loopwright.tasks.regular.automaton import Automaton, Symbols

PAD, BOS, EOS = range(3)
FIRST_SYMBOL = 3
"""The id of the alphabet's first symbol; the others follow."""


def vocabulary_size(automaton: Automaton) -> int:
    """How many ids there are: PAD, BOS, EOS, the symbols."""
    return FIRST_SYMBOL + len(automaton.alphabet)


def encode(automaton: Automaton, symbols: Symbols) -> dict[str, Tensor]:
    """What a model reads and what it is asked: from int8 (N, T - 2), -1 behind the strings' ends.

    `tokens`, `next`, `state`, `class`: int64 (N, T). `attention_mask`: bool (N, T), True at tokens, EOS among them, and
    not at PAD. `loss_mask`: bool (N, T), True where something is asked: at tokens that have a next one. `length`: int64
    (N,), each string's tokens. Where `loss_mask` is False, labels mean nothing.
    """
    N, T = len(symbols), symbols.shape[1] + 2
    ends = (symbols >= 0).sum(1) + 1
    tokens = np.full((N, T), PAD, dtype=np.int64)
    tokens[:, 0] = BOS
    tokens[:, 1:-1] = np.where(symbols >= 0, symbols + FIRST_SYMBOL, PAD)
    tokens[np.arange(N), ends] = EOS
    following = np.column_stack([tokens[:, 1:], np.full(N, PAD)])
    traces = automaton.traces(symbols)
    states = np.column_stack([traces, traces[:, -1]])
    length = torch.from_numpy(ends + 1)
    return {
        "tokens": torch.from_numpy(tokens),
        "next": torch.from_numpy(following),
        "state": torch.from_numpy(states),
        "class": torch.from_numpy(automaton.class_of[states]),
        "attention_mask": attention_mask(length, T),
        "loss_mask": loss_mask(length, T, skip_last=1),
        "length": length,
    }


def decode(automaton: Automaton, tokens: Tensor) -> str:
    """The string in a row of ids (T,), without BOS, EOS and PAD.

    >>> decode(Automaton("ab", ((0, 1), (1, 1)), (1, 0)), torch.tensor([BOS, 3, 4, EOS, PAD]))
    'ab'
    """
    return "".join(automaton.alphabet[token - FIRST_SYMBOL] for token in tokens.tolist() if token >= FIRST_SYMBOL)


def last(encoded: Mapping[str, Tensor]) -> Tensor:
    """The position at which a string's own class stands, its last symbol or, of the empty one, BOS: int64 (N,)."""
    return encoded["length"] - 2
