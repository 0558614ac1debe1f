"""How many strings each cell has: exactly, in Python's integers, from the numbers of paths to the end.

A string of a cell is a path of `place` legal symbols and, if it is rejected by a symbol, one illegal symbol and then
any symbols up to its length. So a cell's number is the number of paths that may end where they do, times a power of
the size of the alphabet.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from loopwright.tasks.regular.automaton import Automaton
from loopwright.tasks.regular.categories import Cell, Kind, endings, kinds, num_classes

Edge = tuple[int, int]
"""A transition: a state, and the number of the symbol that is read there."""


@dataclass(frozen=True)
class Paths:
    """The strings of up to `longest` symbols that use none of the `held_out` edges, or, with `used`, at least one.

    They are paths between nodes: the states outside the reject state, once for strings that have used no held-out edge
    so far and once for those that have; the last node is the reject state. Node 0 is the start.
    """

    automaton: Automaton
    longest: int
    held_out: tuple[Edge, ...] = ()
    used: bool = False

    @cached_property
    def categories(self) -> tuple[int, ...]:
        """The classes, then the kinds of reject."""
        return (*range(1, num_classes(self.automaton) + 1), *map(int, Kind))

    @property
    def reject(self) -> int:
        """The number of the reject node, the last one."""
        return self.automaton.reject * (2 if self.held_out else 1)

    @cached_property
    def moves(self) -> tuple[tuple[int, ...], ...]:
        """The node that each symbol leads to from each node."""
        return (*(self._move(node) for node in range(self.reject)), (self.reject,) * len(self.automaton.alphabet))

    def _move(self, node: int) -> tuple[int, ...]:
        copy, state = divmod(node, self.automaton.reject)
        copies = [1 if (state, symbol) in self.held_out else copy for symbol in range(len(self.automaton.alphabet))]
        return tuple(
            self.reject if target == self.automaton.reject else target + to * self.automaton.reject
            for target, to in zip(self.automaton.transitions[state], copies, strict=True)
        )

    def counts(self, node: int) -> bool:
        """Whether a string may end, or take its illegal symbol, in `node`: whether it has used what it must."""
        return node < self.reject and (node >= self.automaton.reject) == self.used

    def ending(self, node: int) -> int:
        """The category of a string that ends in `node` without an illegal symbol."""
        return self._endings[node % self.automaton.reject]

    def kind(self, node: int) -> int:
        """The kind of reject that an illegal symbol makes in `node`."""
        return self._kinds[node % self.automaton.reject]

    @cached_property
    def _endings(self) -> list[int]:
        categories: list[int] = endings(self.automaton).tolist()
        return categories

    @cached_property
    def _kinds(self) -> list[int]:
        categories: list[int] = kinds(self.automaton).tolist()
        return categories

    @cached_property
    def ways(self) -> dict[int, list[list[int]]]:
        """`ways[category][m][node]`: the paths from `node` by m legal symbols to where the category may end, each
        as often as there are illegal symbols to end it with."""
        found = {category: [[0] * (self.reject + 1)] for category in self.categories}
        for node in filter(self.counts, range(self.reject)):
            found[self.ending(node)][0][node] += 1
            found[self.kind(node)][0][node] += self.moves[node].count(self.reject)
        for rows in found.values():
            for _ in range(self.longest):
                rows.append([sum(map(rows[-1].__getitem__, targets)) for targets in self.moves])
        return found

    def options(self, category: int, m: int, node: int) -> Sequence[int]:
        """In how many ways a string can go on in `node` with each symbol, `m` symbols before its place.

        At its place (m = 0) it takes an illegal one; behind it (m = -1) each symbol counts the same.
        """
        if m > 0:
            return [self.ways[category][m - 1][target] for target in self.moves[node]]
        if m < 0:
            return [1] * len(self.automaton.alphabet)
        return [int(self.ways[category][0][node] > 0 and target == self.reject) for target in self.moves[node]]

    def places(self, category: int, length: int) -> range:
        """Where the first illegal symbol of such strings could stand; the length for those that have none."""
        return range(length) if category < Kind.PREMATURE_END else range(length, length + 1)

    def count(self, cell: Cell) -> int:
        """How many strings `cell` has."""
        if cell.place not in self.places(cell.category, cell.length):
            return 0
        behind: int = len(self.automaton.alphabet) ** free(cell)
        return self.ways[cell.category][cell.place][0] * behind

    def number(self, category: int, length: int) -> int:
        """How many strings have this category and length, wherever the first illegal symbol stands."""
        return sum(self.count(Cell(category, length, place)) for place in self.places(category, length))


def free(cell: Cell) -> int:
    """How many symbols follow the first illegal one."""
    return max(cell.length - cell.place - 1, 0)
