"""What a string is, by its trace alone: of a class, or one of four kinds of reject; and where it went wrong.

A string has exactly one category, so that no two of them share a string. A symbol is legal in a state unless it leads
into the reject state. A string that never enters the reject state has the class of its last state or, where that is
0, came to a premature end. Any other is told by the state its first illegal symbol was read in: a state with a class
(the string was complete and ran over), or one without, with several legal symbols or with one.
"""

from __future__ import annotations

import enum
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from loopwright.data.permutation import Int64
from loopwright.tasks.regular.automaton import REJECT, Automaton, Symbols

# Strings labelled at once: what a step touches stays in the processor's cache.
_CHUNK = 8192


class Kind(enum.IntEnum):
    """The kinds of reject. They are negative, so that a category is a class or a kind by its sign."""

    PREMATURE_END = -1
    OVERRUN = -2
    WRONG_ALTERNATIVE = -3
    ILLEGAL_STEP = -4


class Cell(NamedTuple):
    """Strings of one category and length whose first illegal symbol stands at `place`, or at the end if there is none.

    `category` is a class (1 and above) or a `Kind`.
    """

    category: int
    length: int
    place: int


@dataclass(frozen=True, eq=False)
class Strings:
    """Strings and what they are: `symbols` int8 (N, T), -1 behind the ends; `lengths`, `categories` and `places`
    int64 (N,), each string's cell."""

    symbols: Symbols
    lengths: Int64
    categories: Int64
    places: Int64

    def __len__(self) -> int:
        return len(self.symbols)

    def take(self, rows: Int64) -> Strings:
        """The strings of these rows, in their order."""
        return Strings(self.symbols[rows], self.lengths[rows], self.categories[rows], self.places[rows])

    def contents(self) -> list[bytes]:
        """Each string as bytes, one for each symbol: the same string, the same bytes, whatever it stands beside."""
        return contents(self.symbols, self.lengths)


def contents(symbols: Symbols, lengths: Int64) -> list[bytes]:
    """`Strings.contents` for symbols that are not labelled yet."""
    width, joined = symbols.shape[1], np.ascontiguousarray(symbols).tobytes()
    return [joined[row * width : row * width + length] for row, length in enumerate(lengths.tolist())]


def name(category: int) -> str:
    """A category in words.

    >>> name(2), name(Kind.PREMATURE_END)
    ('class 2', 'premature end')
    """
    return f"class {category}" if category > REJECT else Kind(category).name.lower().replace("_", " ")


def num_classes(automaton: Automaton) -> int:
    """How many classes there are, 0 (in no language) not among them; one of a pattern that nothing matches is."""
    return max(automaton.num_classes - 1, len(automaton.patterns))


def endings(automaton: Automaton) -> Int64:
    """The category of a string that ends in each state without an illegal symbol: (S,), 0 for the reject state."""
    categories = np.where(automaton.class_of == REJECT, np.int64(Kind.PREMATURE_END), automaton.class_of)
    categories[automaton.reject] = REJECT
    return categories


def kinds(automaton: Automaton) -> Int64:
    """The kind of reject that an illegal symbol makes in each state: (S,), 0 for the reject state."""
    legal = (automaton.table != automaton.reject).sum(axis=1)
    inside = np.where(legal > 1, np.int64(Kind.WRONG_ALTERNATIVE), np.int64(Kind.ILLEGAL_STEP))
    categories = np.where(automaton.class_of == REJECT, inside, np.int64(Kind.OVERRUN))
    categories[automaton.reject] = REJECT
    return categories


def label(automaton: Automaton, symbols: Symbols) -> Strings:
    """Strings, int8 (N, T), with the cells that the automaton's traces of them give."""
    chunks = [_cells(automaton, symbols[first : first + _CHUNK]) for first in range(0, len(symbols), _CHUNK)]
    return Strings(symbols, *(_joined([chunk[column] for chunk in chunks]) for column in range(3)))


def _cells(automaton: Automaton, symbols: Symbols) -> tuple[Int64, Int64, Int64]:
    """Lengths, categories and places."""
    states, lengths = automaton.traces(symbols), (symbols >= 0).sum(axis=1)
    rejected = states == automaton.reject
    places = np.where(rejected[:, -1], rejected.argmax(axis=1) - 1, lengths)
    last = states[np.arange(len(states)), places]
    return lengths, np.where(rejected[:, -1], kinds(automaton)[last], endings(automaton)[last]), places


def _joined(parts: Sequence[Int64]) -> Int64:
    return np.concatenate([np.empty(0, dtype=np.int64), *parts])
