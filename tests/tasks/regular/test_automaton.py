"""The automaton: steps, traces and classes of any string, and its file."""

from __future__ import annotations

import dataclasses
import json
import random
from pathlib import Path

import numpy as np
import pytest

from loopwright.errors import DataError
from loopwright.tasks.regular.automaton import Automaton
from loopwright.tasks.regular.patterns import compile_patterns

EVEN = Automaton("ab", ((1, 0), (0, 2), (2, 2)), (1, 0, 0), ("(aa|b)*",))
"""Strings of runs of a that are even; after an odd run b leads to reject."""


def test_a_step_leads_to_the_next_state():
    assert [EVEN.step(0, "a"), EVEN.step(0, "b"), EVEN.step(1, "a"), EVEN.step(1, "b")] == [1, 0, 0, 2]
    assert [EVEN.step(EVEN.reject, symbol) for symbol in "ab"] == [2, 2]


def test_a_trace_has_a_state_more_than_the_string_has_symbols():
    assert EVEN.trace("") == [0]
    assert EVEN.trace("aabab") == [0, 1, 0, 0, 1, 2]


def test_a_string_has_the_class_of_its_last_state():
    assert [EVEN.classify(text) for text in ("", "a", "aa", "ab", "baab")] == [1, 0, 1, 0, 1]
    assert EVEN.num_classes == 2
    assert EVEN.class_of.tolist() == [1, 0, 0]


def test_a_foreign_symbol_is_named_with_its_place():
    with pytest.raises(DataError, match="symbol 'c' at place 2 of 'abc': the alphabet is 'ab'"):
        EVEN.trace("abc")
    with pytest.raises(DataError, match="symbol 'A'"):
        EVEN.step(0, "A")


@pytest.mark.parametrize("symbol", ["", "ab"])
def test_a_step_takes_one_symbol(symbol):
    with pytest.raises(DataError, match=f"'{symbol}' has {len(symbol)} symbols: a step takes one"):
        EVEN.step(0, symbol)


def test_the_traces_of_many_strings_are_the_traces_of_each():
    automaton = compile_patterns([("(b*ab*ab*a)*b*", 1), ("(ab|c)*", 2)], "abc")
    generator = random.Random(3)
    texts = ["", *("".join(generator.choices("abc", k=generator.randrange(40))) for _ in range(200))]
    longest = max(map(len, texts))
    symbols = np.array([automaton.encode(text) + [-1] * (longest - len(text)) for text in texts], dtype=np.int8)
    states = automaton.traces(symbols)
    assert states.shape == (201, longest + 1)
    assert states.dtype == np.int64
    for text, row in zip(texts, states.tolist(), strict=True):
        trace = automaton.trace(text)
        assert row == trace + trace[-1:] * (longest - len(text))


def test_traces_of_empty_strings_stay_at_the_start():
    assert EVEN.traces(np.zeros((2, 0), dtype=np.int8)).tolist() == [[0], [0]]
    assert EVEN.traces(np.full((1, 2), -1, dtype=np.int8)).tolist() == [[0, 0, 0]]


def test_a_saved_automaton_is_loaded_as_it_was(tmp_path):
    EVEN.save(tmp_path / "automaton.json")
    loaded = Automaton.load(tmp_path / "automaton.json")
    assert dataclasses.astuple(loaded) == dataclasses.astuple(EVEN)
    assert loaded == EVEN
    assert json.loads((tmp_path / "automaton.json").read_text())["version"] == 1


def test_automata_are_equal_whatever_patterns_they_were_made_from():
    assert dataclasses.replace(EVEN, patterns=()) == EVEN
    assert dataclasses.replace(EVEN, alphabet="ba") != EVEN


def broken(path: Path, **changes: object) -> str:
    """The message about a file that has something else in its fields; None leaves a field out."""
    content = {"version": 1, **dataclasses.asdict(EVEN), **changes}
    path.write_text(json.dumps({key: value for key, value in content.items() if value is not None}))
    with pytest.raises(DataError) as caught:
        Automaton.load(path)
    assert str(path) in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"version": 2}, "version 2, expected 1"),
        ({"version": None}, "'version'"),
        ({"patterns": None}, "'patterns'"),
        ({"alphabet": "aa"}, "each of them once"),
        ({"alphabet": ""}, "one symbol at least"),
        ({"alphabet": ["a", "b"]}, "must be text"),
        ({"patterns": [1]}, "must be text"),
        ({"patterns": 5}, "not an automaton"),
        ({"classes": [1, 0]}, "2 classes for 3 states"),
        ({"classes": [-1, 1, 0]}, "0 or above"),
        ({"classes": [1.0, 0, 0]}, "float"),
        ({"classes": [1, 3, 0]}, "the classes 0, 1, 3: 0, 1, 2, … without a gap"),
        ({"classes": [1, 10**30, 0]}, "without a gap"),
        ({"classes": [0, 0, 1]}, "the last state must be the reject state"),
        ({"transitions": [[1, 0], [0, 2], [2, 0]]}, "the last state must be the reject state"),
        ({"transitions": [[1, 0], [0, 3], [2, 2]]}, "state 1 leads to [0, 3]"),
        ({"transitions": [[1, 0], [0, -1], [2, 2]]}, "state 1 leads to [0, -1]"),
        ({"transitions": [[1, 0], [0], [2, 2]]}, "for each of the 2 symbols"),
        ({"transitions": [[1, 0], [0, 1.5], [2, 2]]}, "float"),
        ({"transitions": [[1, 0], None, [2, 2]]}, "not an automaton"),
        ({"transitions": [], "classes": []}, "the last state must be the reject state"),
    ],
)
def test_a_file_that_is_no_automaton_is_refused_with_the_reason(tmp_path, changes, reason):
    assert reason in broken(tmp_path / "automaton.json", **changes)


@pytest.mark.parametrize("content", ["", "{", "[]", "3", "null", "[" * 100_000, '"a"', "\x00"])
def test_a_file_of_something_else_is_refused(tmp_path, content):
    path = tmp_path / "automaton.json"
    path.write_text(content)
    with pytest.raises(DataError, match=r"automaton\.json: not an automaton from Automaton\.save"):
        Automaton.load(path)


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(DataError, match=r"gone\.json: No such file or directory"):
        Automaton.load(tmp_path / "gone.json")
