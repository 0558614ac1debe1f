"""A deterministic finite automaton that decides every string: a total table of transitions, a class for each state.

State 0 is the start. The last state is the reject state: it has class 0 and no way out, and it is there even where
nothing leads to it. Class 0 means "in no language"; the languages have the classes 1, 2, …

One alignment everywhere: a trace of T symbols has T + 1 states, the start first; the state at place t is the one after
t symbols have been read.

Shape legend: S states, A symbols, N strings, T symbols of the longest string.
"""

from __future__ import annotations

import json
import operator
from dataclasses import asdict, dataclass, field
from functools import cached_property
from pathlib import Path

import numpy as np
import numpy.typing as npt

from loopwright.errors import DataError, some
from loopwright.files import write_text
from loopwright.reading import read_at_most

VERSION = 1
REJECT = 0
"""The class of a string that is in no language."""

Symbols = npt.NDArray[np.int8]
"""Strings as numbers of symbols in the alphabet, (N, T); -1 behind their ends."""


@dataclass(frozen=True)
class Automaton:
    """`transitions[state][symbol]` is the next state, `classes[state]` the class of the strings that end there.

    `alphabet` gives the symbols their numbers. `patterns` are the regular expressions by class, 1 first, where it was
    made from such; automata that do the same are equal, whatever was written. Raises DataError for a table that is not
    total or has no reject state in its last row, or for a gap in the classes.
    """

    alphabet: str
    transitions: tuple[tuple[int, ...], ...]
    classes: tuple[int, ...]
    patterns: tuple[str, ...] = field(default=(), compare=False)

    def __post_init__(self) -> None:
        total = len(self.transitions)
        if not self.alphabet or len(set(self.alphabet)) != len(self.alphabet):
            raise DataError(f"alphabet {self.alphabet!r}: an automaton needs one symbol at least, each of them once")
        if len(self.classes) != total or any(number < REJECT for number in self.classes):
            raise DataError(f"{len(self.classes)} classes for {total} states: each state has one, 0 or above")
        for state, row in enumerate(self.transitions):
            if len(row) != len(self.alphabet) or not all(0 <= target < total for target in row):
                raise DataError(
                    f"state {state} leads to {list(row)}: it must lead to one of the states 0 to {total - 1} "
                    f"for each of the {len(self.alphabet)} symbols"
                )
        if total < 2 or self.classes[-1] != REJECT or set(self.transitions[-1]) != {total - 1}:
            raise DataError("the last state must be the reject state: class 0, and every symbol leads back to it")
        if max(self.classes) + 1 != len(set(self.classes)):
            raise DataError(f"the states have the classes {some(sorted(set(self.classes)))}: 0, 1, 2, … without a gap")

    @property
    def reject(self) -> int:
        """The number of the reject state, the last one."""
        return len(self.transitions) - 1

    @property
    def num_classes(self) -> int:
        """The number of classes, 0 (in no language) among them."""
        return max(self.classes) + 1

    @cached_property
    def table(self) -> npt.NDArray[np.int64]:
        """The transitions as an array (S, A)."""
        return np.array(self.transitions, dtype=np.int64)

    @cached_property
    def class_of(self) -> npt.NDArray[np.int64]:
        """The class of each state as an array (S,)."""
        return np.array(self.classes, dtype=np.int64)

    def encode(self, text: str) -> list[int]:
        """The numbers of a string's symbols. Raises DataError, with its place, for one outside the alphabet."""
        for place, symbol in enumerate(text):
            if symbol not in self.alphabet:
                raise DataError(f"symbol {symbol!r} at place {place} of {text!r}: the alphabet is {self.alphabet!r}")
        return [self.alphabet.index(symbol) for symbol in text]

    def step(self, state: int, symbol: str) -> int:
        """The state that `symbol` leads to from `state`. Raises DataError for anything but one symbol."""
        if len(symbol) != 1:
            raise DataError(f"{symbol!r} has {len(symbol)} symbols: a step takes one; `trace` takes a string")
        return self.transitions[state][self.encode(symbol)[0]]

    def trace(self, text: str) -> list[int]:
        """The T + 1 states that a string of T symbols passes, the start first. Raises DataError as `encode`."""
        states = [0]
        for symbol in self.encode(text):
            states.append(self.transitions[states[-1]][symbol])
        return states

    def classify(self, text: str) -> int:
        """The class of a string, 0 where no language has it. Raises DataError as `encode`."""
        return self.classes[self.trace(text)[-1]]

    def traces(self, symbols: Symbols) -> npt.NDArray[np.int64]:
        """The states that many strings pass: int8 (N, T), -1 behind their ends, to int64 (N, T + 1).

        Behind its end a string keeps its last state. All strings take a step at a time.
        """
        # The table gets a column for -1, the last one, that keeps the state.
        stay = np.column_stack([self.table, np.arange(len(self.table))])
        states = np.zeros((len(symbols), symbols.shape[1] + 1), dtype=np.int64)
        for place in range(symbols.shape[1]):
            states[:, place + 1] = stay[states[:, place], symbols[:, place]]
        return states

    def save(self, path: Path) -> None:
        """Write the automaton to `path` as JSON."""
        content = {"version": VERSION, **asdict(self)}
        write_text(path, json.dumps(content, indent=1) + "\n")

    @classmethod
    def load(cls, path: Path) -> Automaton:
        """The automaton that `save` wrote to `path`. Raises DataError, naming the file, for anything else."""
        try:
            content = json.loads(read_at_most(path))
            if content["version"] != VERSION:
                raise DataError(f"version {content['version']!r}, expected {VERSION}")
            transitions = tuple(tuple(map(operator.index, row)) for row in content["transitions"])
            classes = tuple(map(operator.index, content["classes"]))
            alphabet, patterns = content["alphabet"], content["patterns"]
            if not all(isinstance(text, str) for text in (alphabet, *patterns)):
                raise DataError("the alphabet and each of the patterns must be text")
            return cls(alphabet, transitions, classes, tuple(patterns))
        except OSError as error:
            raise DataError(f"{path}: {error.strerror}; an automaton is a JSON file from Automaton.save") from error
        except (ValueError, KeyError, TypeError, RecursionError, DataError) as error:
            raise DataError(f"{path}: not an automaton from Automaton.save: {error}") from error
