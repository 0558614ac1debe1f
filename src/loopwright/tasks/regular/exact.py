"""The best that any model can do on a corpus: its source's own probabilities, exactly.

A source gives a string of cell c the probability (c's share of the quotas) / (number of strings in c). What may come
next after a prefix, and how likely it is, follows by adding up the strings behind it: for a prefix without an illegal
symbol they depend on its node and length alone, for any other on its kind, the place of that symbol, and its length.
All are integers over one common denominator; the rounding to float64 is the last step.

Shape legend: N strings, T symbols of the longest in hand, L + 1 lengths of the source, V nodes, A symbols.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property

import numpy as np
import numpy.typing as npt

from loopwright.data.permutation import Int64
from loopwright.errors import DataError
from loopwright.tasks.regular.categories import Cell, Kind, Strings
from loopwright.tasks.regular.corpus import Source

Float64 = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class NextTokens:
    """At each position of strings, (N, T + 1), the first before any symbol: the next token and the most probable one.

    `log_prob`: float64, the natural logarithm of the next token's probability, -inf where the source never gives it.
    `best`: int64, the most probable token, the number of a symbol or, for the end, the size of the alphabet; the
    smallest of several. `best_prob`: float64, its probability. Behind the end: 0, -1 and 0.
    """

    log_prob: Float64
    best: Int64
    best_prob: Float64


@dataclass(frozen=True)
class Optimum:
    """What is known exactly of a source's strings; tokens are symbols and the end."""

    source: Source

    @cached_property
    def _masses(self) -> dict[Cell, int]:
        """The probability of each single string of a cell, times the common denominator."""
        count = self.source.paths.count
        return {cell: given * (self._lcm // count(cell)) for cell, given in self.source.quotas.items()}

    @cached_property
    def _lcm(self) -> int:
        return math.lcm(*map(self.source.paths.count, self.source.quotas))

    @cached_property
    def _denominator(self) -> int:
        return self._lcm * sum(self.source.quotas.values())

    @cached_property
    def _behind(self) -> dict[tuple[int, int], list[list[int]]]:
        """`[kind, place][t]`: the masses of the next tokens, each symbol and the end, of a prefix of t symbols with
        its illegal symbol at `place`; all symbols have the same."""
        A, longest = len(self.source.paths.automaton.alphabet), self.source.paths.longest
        found = {}
        for kind, place in {(cell.category, cell.place) for cell in self._masses if cell.category < Kind.PREMATURE_END}:
            rows, ahead = [[0] * (A + 1) for _ in range(longest + 1)], 0
            for t in range(longest, place, -1):
                rows[t] = [ahead] * A + [self._masses.get(Cell(kind, t, place), 0)]
                ahead = sum(rows[t])
            found[kind, place] = rows
        return found

    @cached_property
    def _alive(self) -> list[list[list[int]]]:
        """`[t][node]`: the masses of the next tokens of a prefix of t symbols that has led to `node`."""
        paths = self.source.paths
        rows: list[list[list[int]]] = [[]] * (paths.longest + 1)
        ahead = [0] * (paths.reject + 1)
        for t in range(paths.longest, -1, -1):
            rows[t] = [self._options(t, node, ahead) for node in range(paths.reject)]
            ahead = [*map(sum, rows[t]), 0]
        return rows

    def _options(self, t: int, node: int, ahead: list[int]) -> list[int]:
        paths = self.source.paths
        ends = illegal = 0
        if paths.counts(node):
            ends = self._masses.get(Cell(paths.ending(node), t, t), 0)
            behind = self._behind.get((paths.kind(node), t))
            illegal = sum(behind[t + 1]) if behind and t < paths.longest else 0
        return [*(illegal if target == paths.reject else ahead[target] for target in paths.moves[node]), ends]

    def log_prob(self, strings: Strings) -> Float64:
        """The natural logarithm of each string's own probability, (N,), from its cell."""
        total, logs = sum(self.source.quotas.values()), {}
        for cell, given in self.source.quotas.items():
            logs[cell] = math.log(given) - math.log(total) - math.log(self.source.paths.count(cell))
        cells = zip(strings.categories.tolist(), strings.lengths.tolist(), strings.places.tolist(), strict=True)
        return np.array([logs.get(Cell(*cell), -math.inf) for cell in cells])

    @cached_property
    def entropy(self) -> float:
        """Of the source's strings, in nats: what any model's mean NLL of a whole string is at least."""
        total = sum(self.source.quotas.values())
        return math.fsum(
            given / total * (math.log(self.source.paths.count(cell)) + math.log(total) - math.log(given))
            for cell, given in self.source.quotas.items()
        )

    @cached_property
    def tokens(self) -> Fraction:
        """How many next tokens a string has in the mean: its symbols and the end."""
        total = sum(self.source.quotas.values())
        return Fraction(sum(given * (cell.length + 1) for cell, given in self.source.quotas.items()), total)

    @property
    def nll(self) -> float:
        """The least next-token NLL there can be, in nats a token: the entropy over the mean number of tokens."""
        return self.entropy / float(self.tokens)

    @cached_property
    def accuracy(self) -> Fraction:
        """The highest next-token accuracy there can be: the most probable token, guessed after each prefix."""
        paths, right = self.source.paths, 0
        prefixes = [1] + [0] * paths.reject
        A, rejected = len(paths.automaton.alphabet), dict.fromkeys(self._behind, 0)
        for t, rows in enumerate(self._alive):
            right += sum(map(int.__mul__, prefixes, map(max, rows)))
            right += sum(number * max(self._behind[key][t]) for key, number in rejected.items())
            rejected = {key: number * A for key, number in rejected.items()}
            following = [0] * (paths.reject + 1)
            for node in range(paths.reject):
                for target in paths.moves[node]:
                    following[target] += prefixes[node]
                key = (paths.kind(node), t)
                if paths.counts(node) and key in rejected:
                    rejected[key] += prefixes[node] * paths.moves[node].count(paths.reject)
            prefixes = [*following[:-1], 0]
        return Fraction(right, self._denominator) / self.tokens

    @cached_property
    def _table(self) -> Float64:
        """The probabilities of the next tokens in each situation, (rows, A + 1): nodes by length, (L + 1) x V, then
        `_behind`, a block of L + 1 for each kind and place, then a row of a prefix that the source never gives."""
        alive = [row for rows in self._alive for row in [*rows, []]]
        behind = [row for key in self._behind for row in self._behind[key]]
        width = len(self.source.paths.automaton.alphabet) + 1
        return np.array([_ratios(row, width) for row in [*alive, *behind, []]], dtype=np.float64)

    @cached_property
    def _blocks(self) -> Int64:
        """Where in `_table` the rows of each kind and place begin, (kinds, L + 1); the kind is its own index."""
        paths = self.source.paths
        blocks = np.full((len(Kind) + 1, paths.longest + 1), -1, dtype=np.int64)
        for number, (kind, place) in enumerate(self._behind):
            blocks[kind, place] = (paths.longest + 1) * (paths.reject + 1 + number)
        return blocks

    def next_tokens(self, strings: Strings) -> NextTokens:
        """What comes next at each position, and what is most probable. Raises DataError for a string longer than any
        of the source."""
        if int(strings.lengths.max(initial=0)) > self.source.paths.longest:
            raise DataError(
                f"a string of {strings.lengths.max()} symbols: this source's have {self.source.paths.longest} at most"
            )
        rows, tokens = self._rows(strings), _with_end(strings, self._table.shape[1] - 1)
        there = tokens >= 0
        probabilities = np.take_along_axis(self._table[rows], np.maximum(tokens, 0)[..., None], axis=2)[..., 0]
        with np.errstate(divide="ignore"):
            log_prob = np.log(np.where(there, probabilities, 1.0))
        best, best_prob = self._table.argmax(axis=1)[rows], self._table.max(axis=1)[rows]
        return NextTokens(log_prob, np.where(there, best, -1), np.where(there, best_prob, 0.0))

    def _rows(self, strings: Strings) -> Int64:
        """The row of `_table` at each position, (N, T + 1)."""
        paths, width = self.source.paths, strings.symbols.shape[1]
        stay = np.column_stack([np.array(paths.moves), np.arange(paths.reject + 1)])
        nodes = np.zeros((len(strings), width + 1), dtype=np.int64)
        for t in range(width):
            nodes[:, t + 1] = stay[nodes[:, t], strings.symbols[:, t]]
        lengths = np.minimum(np.arange(width + 1), paths.longest)
        block = self._blocks[np.minimum(strings.categories, 0), strings.places]
        # What was rejected where the source's strings never are, has the row of what it never gives.
        given = np.array([paths.counts(node) for node in range(paths.reject + 1)])
        given = given[nodes[np.arange(len(nodes)), strings.places]] & (block >= 0)
        behind = np.where(given[:, None], block[:, None] + lengths, len(self._table) - 1)
        return np.where(nodes == paths.reject, behind, lengths * (paths.reject + 1) + nodes)


def _ratios(masses: list[int], width: int) -> list[float]:
    """Masses as probabilities; zeros where there is none."""
    total = sum(masses)
    return [mass / total for mass in masses] if total else [0.0] * width


def _with_end(strings: Strings, end: int) -> Int64:
    """The next token at each position, (N, T + 1): the symbols, then `end`, then -1."""
    tokens = np.pad(strings.symbols.astype(np.int64), ((0, 0), (0, 1)), constant_values=-1)
    tokens[np.arange(len(tokens)), strings.lengths] = end
    return tokens
