"""What a corpus really holds, counted from its strings: for people to read and for tests to check."""

from __future__ import annotations

from itertools import combinations, product

import numpy as np

from loopwright.data.permutation import Int64
from loopwright.metrics import Table
from loopwright.tasks.regular.automaton import REJECT, Automaton
from loopwright.tasks.regular.categories import Strings, name
from loopwright.tasks.regular.corpus import Corpus, Source
from loopwright.tasks.regular.quotas import water_fill

Telemetry = dict[str, object]

# Strings traced at once, so that what is held in between stays small.
_CHUNK = 8192


def telemetry(corpus: Corpus) -> Telemetry:
    """A dict that JSON can hold: the `sets`, the `sources` they came from with all their cells, by name; `shared`.

    `shared` is how many strings each two sets have in common. It and `duplicates` are counted, not assumed, to be 0.
    """
    contents = {set_name: set(strings.contents()) for set_name, strings in corpus.sets.items()}
    return {
        "sets": {set_name: describe(corpus.automaton, strings) for set_name, strings in corpus.sets.items()},
        "sources": {source_name: describe_source(source) for source_name, source in corpus.sources.items()},
        "shared": {f"{one}, {other}": len(contents[one] & contents[other]) for one, other in combinations(contents, 2)},
    }


def describe(automaton: Automaton, strings: Strings) -> Telemetry:
    """One set: its numbers of strings by length and category, of visits to states and uses of edges, duplicates."""
    visits, uses = _visits(automaton, strings)
    names = [f"{state}:{symbol}" for state in range(len(automaton.transitions)) for symbol in automaton.alphabet]
    edges = dict(zip(names, uses.ravel().tolist(), strict=True))
    lengths, categories = (np.unique(of, return_counts=True) for of in (strings.lengths, strings.categories))
    return {
        "strings": len(strings),
        "symbols": int(strings.lengths.sum()),
        "lengths": {str(length): int(count) for length, count in zip(*lengths, strict=True)},
        "categories": {name(int(category)): int(count) for category, count in zip(*categories, strict=True)},
        "states": {str(state): int(count) for state, count in enumerate(visits)},
        "states_never_visited": [str(state) for state in np.flatnonzero(visits == 0)],
        "edges": edges,
        "edges_never_used": [edge for edge, count in edges.items() if not count],
        "duplicates": len(strings) - len(set(strings.contents())),
    }


def describe_source(source: Source) -> Telemetry:
    """What a set was asked for and could give: `cells`, by category and length with the number of `strings` there
    are, how many an even share `asked` for and how many were `given`; what is `impossible`, having none."""
    cells = [cell for sign, total in zip((1, -1), source.asked, strict=True) for cell in _cells(source, sign, total)]
    possible = {cell["category"] for cell in cells if cell["strings"]}
    return {
        "asked": {"accepted": source.asked[0], "rejected": source.asked[1]},
        "given": sum(source.quotas.values()),
        "impossible": [name(category) for category in source.paths.categories if name(category) not in possible],
        "cells": cells,
    }


def _cells(source: Source, sign: int, total: int) -> list[Telemetry]:
    categories = [category for category in source.paths.categories if category * sign > 0]
    pairs = list(product(categories, source.lengths))
    even = water_fill(total, [total] * len(pairs), range(len(pairs)))
    given = dict.fromkeys(pairs, 0)
    for cell, count in source.quotas.items():
        if cell.category * sign > 0:
            given[cell.category, cell.length] += count
    return [
        {
            "category": name(category),
            "length": length,
            "strings": source.paths.number(category, length),
            "asked": asked,
            "given": given[category, length],
        }
        for (category, length), asked in zip(pairs, even, strict=True)
    ]


def _visits(automaton: Automaton, strings: Strings) -> tuple[Int64, Int64]:
    """How often the strings are in each state, (S,), their ends included, and how often they use each edge, (S, A)."""
    S, A = automaton.table.shape
    last, uses = np.zeros(S, dtype=np.int64), np.zeros(S * A, dtype=np.int64)
    for first in range(0, len(strings), _CHUNK):
        symbols = strings.symbols[first : first + _CHUNK]
        states = automaton.traces(symbols)
        there = symbols >= 0
        uses += np.bincount(states[:, :-1][there] * A + symbols[there], minlength=S * A)
        last += np.bincount(states[:, -1], minlength=S)
    return last + uses.reshape(S, A).sum(axis=1), uses.reshape(S, A)


def sets_table(corpus: Corpus) -> Table:
    """The sets of a corpus for the report: what is in each, and how many of its strings another one has too."""
    contents = {set_name: set(strings.contents()) for set_name, strings in corpus.sets.items()}
    rows: list[list[str | int | float]] = []
    for set_name, strings in corpus.sets.items():
        others = set().union(*(held for other, held in contents.items() if other != set_name))
        span = f"{strings.lengths.min()} to {strings.lengths.max()}" if len(strings) else "none"
        accepted = int((strings.categories > REJECT).sum())
        shared = len(contents[set_name] & others)
        rows.append([set_name, len(strings), span, accepted, len(strings) - accepted, shared])
    columns = ["set", "strings", "symbols", "in a language", "in none", "also in another set"]
    return Table(title="Strings", columns=columns, rows=rows)
