"""Strings of given cells, each string of a cell with the same probability, all of them a symbol at a time.

At each place the symbols' thresholds divide a range in the ratio of the exact numbers of strings that go on with each,
and a value picks one. In cells of up to 2^62 strings the value is the string's rank in its cell, less what is below
the symbols chosen so far: all ranks give all strings, each once. In larger cells it is a new random number at each
place, of 62 bits.

Shape legend: N strings, T symbols of the longest, C categories, M places before a string's own, V nodes, A symbols.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate

import numpy as np

from loopwright.data.permutation import Int64, Permutation
from loopwright.data.splits import deduplicate
from loopwright.errors import DataError
from loopwright.seeding import Purpose, UInt64, fold, mix_array
from loopwright.tasks.regular.automaton import Symbols
from loopwright.tasks.regular.categories import Cell, contents
from loopwright.tasks.regular.counting import Paths

RANKED = 1 << 62
"""Cells of up to so many strings are chosen from by rank; ranks and random numbers are int64 below this."""

# Strings spelled at once: what a step touches stays in the processor's cache.
_CHUNK = 8192
_MASK = (1 << 64) - 1
_GOLDEN = 0x9E3779B97F4A7C15
_ATTEMPT = np.uint64(1 << 40)


@dataclass(frozen=True)
class Sampler:
    """Strings of the cells of `paths`; `seed` says which. Cells of more than `ranked` strings are drawn from."""

    paths: Paths
    seed: int
    ranked: int = RANKED

    def distinct(self, quotas: Mapping[Cell, int]) -> Symbols:
        """For each cell in turn as many strings as asked, no two the same: int8 (N, T), -1 behind the ends.

        A larger quota of a ranked cell begins with the strings of a smaller one. Raises DataError for a cell that is
        asked for more strings than it has.
        """
        for cell, asked in quotas.items():
            if asked > self.paths.count(cell):
                raise DataError(f"{asked} strings of {cell}: there are {self.paths.count(cell)}")
        width = max((cell.length for cell in quotas), default=0)
        owner = np.repeat(np.arange(len(quotas)), list(quotas.values()))
        cells = np.array(list(quotas), dtype=np.int64).reshape(-1, 3)[owner]
        ranked = np.array([self.paths.count(cell) <= self.ranked for cell in quotas], dtype=bool)[owner]
        symbols = np.full((len(owner), width), -1, dtype=np.int8)
        symbols[ranked] = self._spell(cells[ranked], self._ranks(quotas), width, ranked=True)
        symbols[~ranked] = self._drawn(cells[~ranked], self._keys(quotas), width)
        return symbols

    def _key(self, cell: Cell) -> int:
        return fold(self.seed, Purpose.GENERATE, self.paths.used, *cell)

    def _ranks(self, quotas: Mapping[Cell, int]) -> UInt64:
        """For each string of a ranked cell its rank: the first ones of the cell's shuffled order."""
        sizes = {cell: self.paths.count(cell) for cell in quotas}
        ranks = [
            Permutation(sizes[cell], self._key(cell)).take(np.arange(asked))
            for cell, asked in quotas.items()
            if sizes[cell] <= self.ranked
        ]
        return np.concatenate([np.empty(0, dtype=np.int64), *ranks]).astype(np.uint64)

    def _keys(self, quotas: Mapping[Cell, int]) -> UInt64:
        """For each string of a cell that is drawn from, the key of its random numbers."""
        keys = [
            np.arange(asked, dtype=np.uint64) + np.uint64(self._key(cell))
            for cell, asked in quotas.items()
            if self.paths.count(cell) > self.ranked
        ]
        return np.concatenate([np.empty(0, dtype=np.uint64), *keys])

    def _drawn(self, cells: Int64, keys: UInt64, width: int) -> Symbols:
        """Strings by random numbers; those that came up before are drawn again."""
        symbols = self._spell(cells, mix_array(keys), width, ranked=False)
        while True:
            again = np.ones(len(symbols), dtype=bool)
            again[deduplicate(contents(symbols, cells[:, 1]))] = False
            if not again.any():
                return symbols
            keys = np.where(again, keys + _ATTEMPT, keys)
            symbols[again] = self._spell(cells[again], mix_array(keys[again]), width, ranked=False)

    def _spell(self, cells: Int64, starts: UInt64, width: int, *, ranked: bool) -> Symbols:
        """The strings of `cells` (N, 3) that `starts` (N,) stand for: ranks, or keys of random numbers."""
        symbols = np.empty((len(cells), width), dtype=np.int8)
        # The longest first, so that those that go on at a place are the first ones.
        order = np.argsort(-cells[:, 1], kind="stable")
        for first in range(0, len(cells), _CHUNK):
            rows = order[first : first + _CHUNK]
            symbols[rows] = self._spell_chunk(cells[rows], starts[rows], width, ranked=ranked)
        return symbols

    def _spell_chunk(self, cells: Int64, starts: UInt64, width: int, *, ranked: bool) -> Symbols:
        A, (category, length, place) = len(self.paths.automaton.alphabet), cells.T
        bounds, table = self._ranked_bounds if ranked else self._drawn_bounds, np.array(self.paths.moves).ravel()
        V, powers = self.paths.reject + 1, np.array([min(A**e, RANKED) for e in range(self.paths.longest + 1)])
        first_row = category % _categories(self.paths) * (self.paths.longest + 2)
        spelled = np.full((width, len(cells)), -1, dtype=np.int8)
        node, value = np.zeros(len(cells), dtype=np.int64), starts.astype(np.int64)
        for t in range(int(length.max(initial=0))):
            on = int((length > t).sum())
            row = (first_row[:on] + np.maximum(place[:on] - t, -1) + 1) * V + node[:on]
            if ranked:
                # Of a rank, each choice is worth what is free behind the illegal symbol, or behind this one.
                scale = powers[np.maximum(length[:on] - 1 - np.maximum(place[:on], t), 0)]
                value = value[:on]
            else:
                scale = powers[:1]
                value = _bits(starts[:on], t)
            symbol = np.zeros(on, dtype=np.int64)
            for a in range(1, A):
                symbol += value >= bounds[row * A + a] * scale
            value = value - bounds[row * A + symbol] * scale
            node = table[node[:on] * A + symbol]
            spelled[t, :on] = symbol
        return spelled.T

    @cached_property
    def _ranked_bounds(self) -> Int64:
        return self._bounds(lambda below, _: min(below, RANKED))

    @cached_property
    def _drawn_bounds(self) -> Int64:
        return self._bounds(lambda below, total: below * RANKED // max(total, 1))

    def _bounds(self, as_bound: Callable[[int, int], int]) -> Int64:
        """Where each symbol's part of the range begins, given how many strings are below it and in all: flat
        (C, M, V, A), of M the first the places behind a string's own."""
        paths = self.paths
        bounds = np.zeros((_categories(paths), paths.longest + 2, paths.reject + 1, len(paths.automaton.alphabet)), int)
        for category in paths.categories:
            for m in range(-1, paths.longest + 1):
                for node in range(paths.reject + 1):
                    *below, total = accumulate(paths.options(category, m, node), initial=0)
                    bounds[category, m + 1, node] = [as_bound(number, total) for number in below]
        return bounds.ravel()


def _categories(paths: Paths) -> int:
    """Rows enough for a category to be its own index: classes from the front, kinds from the end."""
    return len(paths.categories) + 1


def _bits(keys: UInt64, place: int) -> Int64:
    """A random number below 2^62 for each key at this place."""
    counter = np.uint64((place + 1) * _GOLDEN & _MASK)
    return (mix_array(keys + counter) >> np.uint64(2)).view(np.int64)
