"""Small automata whose every label can be checked by eye."""

from __future__ import annotations

import numpy as np

from loopwright.tasks.regular.automaton import Automaton, Symbols

AB_STAR = Automaton("ab", ((1, 2), (2, 0), (2, 2)), (1, 0, 0), ("(ab)*",))
EVEN_A = Automaton("ab", ((1, 0), (0, 1), (2, 2)), (1, 0, 0), ("(b*ab*a)*b*",))


def symbols(automaton: Automaton, *texts: str, width: int | None = None) -> Symbols:
    """Strings as the numbers of their symbols, -1 behind their ends."""
    rows = np.full((len(texts), max(map(len, texts)) if width is None else width), -1, dtype=np.int8)
    for row, text in enumerate(texts):
        rows[row, : len(text)] = automaton.encode(text)
    return rows
