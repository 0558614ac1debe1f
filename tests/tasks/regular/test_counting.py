from __future__ import annotations

from collections import Counter
from itertools import pairwise

import numpy as np
import pytest

from loopwright.tasks.regular.automaton import Automaton
from loopwright.tasks.regular.categories import Cell, Kind, label, name
from loopwright.tasks.regular.counting import Paths
from tests.tasks.regular.exhaustive import A_THEN_B, AB, EVEN, LANGUAGES, THREE, cells, every_string, uses


def category(automaton: Automaton, text: str) -> tuple[str, int]:
    """A string's category and place by the definition, one symbol at a time."""
    states = automaton.trace(text)
    for place, (before, after) in enumerate(pairwise(states)):
        if after == automaton.reject:
            legal = sum(target != automaton.reject for target in automaton.transitions[before])
            if automaton.classes[before]:
                return "overrun", place
            return "wrong alternative" if legal > 1 else "illegal step", place
    end = automaton.classes[states[-1]]
    return f"class {end}" if end else "premature end", len(text)


def all_cells(paths: Paths) -> list[Cell]:
    """Every cell there could be, with places that a category cannot have among them."""
    return [
        Cell(category, length, place)
        for category in paths.categories
        for length in range(paths.longest + 1)
        for place in range(length + 1)
    ]


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_string_has_the_category_and_place_of_the_definition(language):
    automaton = LANGUAGES[language]
    strings = every_string(automaton, 7)
    for content, cell in zip(strings.contents(), cells(strings), strict=True):
        text = "".join(automaton.alphabet[symbol] for symbol in content)
        assert (name(cell.category), cell.place) == category(automaton, text)
        assert cell.length == len(text)


def test_the_four_kinds_of_reject_by_example():
    expected = {"a": "premature end", "aba": "overrun", "b": "illegal step", "aa": "illegal step", "ab": "class 1"}
    assert {text: category(AB, text)[0] for text in expected} == expected
    symbols = np.array([[0, -1, -1], [0, 1, 0], [1, -1, -1], [0, 0, -1], [0, 1, -1]], dtype=np.int8)
    assert [name(number) for number in label(AB, symbols).categories] == list(expected.values())
    # (a|b)a: at the start there are two ways on, c is neither.
    choice = Automaton("abc", ((1, 1, 3), (2, 3, 3), (3, 3, 3), (3, 3, 3)), (0, 0, 1, 0))
    assert label(choice, np.array([[2]], dtype=np.int8)).categories.tolist() == [Kind.WRONG_ALTERNATIVE]


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_numbers_of_all_cells_are_those_of_brute_force(language):
    automaton = LANGUAGES[language]
    paths, found = Paths(automaton, 10), Counter(cells(every_string(automaton, 10)))
    assert {cell: paths.count(cell) for cell in all_cells(paths)} == {cell: found[cell] for cell in all_cells(paths)}
    assert sum(found.values()) == sum(len(automaton.alphabet) ** length for length in range(11))


@pytest.mark.parametrize(
    ("automaton", "held_out"),
    [(A_THEN_B, ((0, 1),)), (EVEN, ((1, 1), (0, 0))), (THREE, ((1, 1),)), (THREE, ((2, 0), (0, 2), (4, 1)))],
)
def test_held_out_edges_divide_the_strings_into_those_that_use_one_and_those_that_do_not(automaton, held_out):
    strings = every_string(automaton, 8)
    using = uses(automaton, strings, set(held_out))
    assert any(using)
    for used in (False, True):
        paths = Paths(automaton, 8, held_out, used=used)
        found = Counter(cell for cell, is_used in zip(cells(strings), using, strict=True) if is_used == used)
        assert {cell: paths.count(cell) for cell in all_cells(paths)} == {
            cell: found[cell] for cell in all_cells(paths)
        }


def test_numbers_beyond_any_machine_integer_are_exact():
    paths = Paths(EVEN, 300)
    assert paths.number(1, 300) == 2**299
    assert paths.number(Kind.PREMATURE_END, 300) == 2**299
    assert [paths.number(kind, 300) for kind in (Kind.OVERRUN, Kind.WRONG_ALTERNATIVE, Kind.ILLEGAL_STEP)] == [0, 0, 0]
    three = Paths(THREE, 100)
    assert sum(three.number(category, 100) for category in three.categories) == 3**100
