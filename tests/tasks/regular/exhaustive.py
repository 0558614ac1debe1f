"""Automata by hand, for tests of what builds on them; every state of each is named by what has been read."""

from __future__ import annotations

from itertools import product

import numpy as np

from loopwright.tasks.regular.automaton import Automaton
from loopwright.tasks.regular.categories import Cell, Strings, label

A_PLUS = Automaton("a", ((1,), (1,), (2,)), (0, 1, 0), ("a+",))
A_THEN_B = Automaton("ab", ((1, 2), (1, 2), (3, 2), (3, 3)), (1, 1, 1, 0), ("a*b*",))
AB = Automaton("ab", ((1, 3), (3, 2), (3, 3), (3, 3)), (0, 0, 1, 0), ("ab",))
EVEN = Automaton("ab", ((1, 0), (0, 1), (2, 2)), (1, 0, 0), ("(b*ab*a)*b*",))
# Class 1 is a, aa, …; class 2 ends in b; class 3 is c alone; from the start any symbol is legal.
THREE = Automaton(
    "abc",
    ((1, 2, 3), (1, 2, 5), (4, 2, 5), (5, 5, 5), (5, 2, 3), (5, 5, 5)),
    (0, 1, 2, 3, 0, 0),
    ("a+", "…b", "c"),
)
LANGUAGES = {"a_plus": A_PLUS, "a_then_b": A_THEN_B, "ab": AB, "even": EVEN, "three": THREE}


def every_string(automaton: Automaton, longest: int) -> Strings:
    """All strings of up to `longest` symbols."""
    rows = [
        [*symbols, *[-1] * (longest - length)]
        for length in range(longest + 1)
        for symbols in product(range(len(automaton.alphabet)), repeat=length)
    ]
    return label(automaton, np.array(rows, dtype=np.int8).reshape(len(rows), longest))


def cells(strings: Strings) -> list[Cell]:
    """The cell of each string."""
    columns = (strings.categories.tolist(), strings.lengths.tolist(), strings.places.tolist())
    return [Cell(*cell) for cell in zip(*columns, strict=True)]


def uses(automaton: Automaton, strings: Strings, edges: set[tuple[int, int]]) -> list[bool]:
    """Whether each string uses one of `edges`, read off its trace symbol by symbol."""
    found = []
    for content in strings.contents():
        states = automaton.trace("".join(automaton.alphabet[symbol] for symbol in content))
        found.append(any(edge in edges for edge in zip(states, content, strict=False)))
    return found
