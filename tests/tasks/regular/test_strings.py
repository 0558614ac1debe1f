from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from loopwright.errors import DataError
from loopwright.tasks.regular.categories import Cell, Kind, label
from loopwright.tasks.regular.counting import Paths
from loopwright.tasks.regular.quotas import quotas, water_fill
from loopwright.tasks.regular.sampling import Sampler
from tests.tasks.regular.exhaustive import A_THEN_B, AB, EVEN, LANGUAGES, THREE, cells, every_string, uses

RANKS, DRAWS = 1 << 62, 0
"""What to choose strings by: their ranks in the cell, or random numbers."""


def chi_square(counts: list[int]) -> float:
    """How far counts are from being equal, in standard deviations of the chi-square statistic."""
    expected, freedom = sum(counts) / len(counts), len(counts) - 1
    return (sum((count - expected) ** 2 for count in counts) / expected - freedom) / (2 * freedom) ** 0.5


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("ranked", [RANKS, DRAWS])
def test_a_cell_that_is_asked_for_all_gives_each_of_its_strings_once(language, ranked):
    automaton = LANGUAGES[language]
    strings = every_string(automaton, 5)
    quota = Counter(cells(strings))
    found = label(automaton, Sampler(Paths(automaton, 5), 1, ranked).distinct(quota))
    assert sorted(found.contents()) == sorted(strings.contents())
    assert cells(found) == [cell for cell, count in quota.items() for _ in range(count)]


@pytest.mark.parametrize("ranked", [RANKS, DRAWS])
@pytest.mark.parametrize("used", [False, True])
def test_strings_use_held_out_edges_or_do_not_as_the_paths_say(ranked, used):
    held_out = ((1, 1), (2, 0))
    strings = every_string(THREE, 6)
    using = uses(THREE, strings, set(held_out))
    quota = Counter(cell for cell, is_used in zip(cells(strings), using, strict=True) if is_used == used)
    found = label(THREE, Sampler(Paths(THREE, 6, held_out, used=used), 2, ranked).distinct(quota))
    assert uses(THREE, found, set(held_out)) == [used] * len(found)
    assert len(set(found.contents())) == sum(quota.values())


@pytest.mark.parametrize(
    ("automaton", "cell"),
    [
        (THREE, Cell(2, 5, 5)),
        (THREE, Cell(Kind.OVERRUN, 4, 2)),
        (EVEN, Cell(1, 5, 5)),
        (AB, Cell(Kind.ILLEGAL_STEP, 5, 1)),
    ],
)
@pytest.mark.parametrize("ranked", [RANKS, DRAWS])
def test_each_string_of_a_cell_is_as_likely_as_any_other(automaton, cell, ranked):
    paths = Paths(automaton, cell.length)
    strings = every_string(automaton, cell.length)
    of_cell = [content for content, own in zip(strings.contents(), cells(strings), strict=True) if own == cell]
    firsts = Counter(Sampler(paths, seed, ranked).distinct({cell: 1}).tobytes() for seed in range(25 * len(of_cell)))
    assert set(firsts) == set(of_cell)
    assert len(of_cell) == 1 or abs(chi_square([firsts[content] for content in of_cell])) < 4


def test_each_string_of_a_batch_is_as_likely_as_any_other_where_cells_are_too_large_to_rank():
    cell = Cell(1, 80, 80)
    paths = Paths(EVEN, 80)
    assert paths.count(cell) > RANKS
    symbols = Sampler(paths, 3).distinct({cell: 40_000})
    assert label(EVEN, symbols).categories.tolist() == [1] * 40_000
    # The first 79 symbols are free, and the last one makes the number of a's even.
    for first in range(0, 80, 16):
        patterns = symbols[:, first : first + 8].astype(np.int64) @ (1 << np.arange(8))
        assert abs(chi_square(np.bincount(patterns, minlength=256).tolist())) < 4


def test_small_and_large_cells_together_keep_their_places():
    quota = {Cell(1, 3, 3): 2, Cell(1, 70, 70): 30, Cell(Kind.PREMATURE_END, 4, 4): 5, Cell(1, 90, 90): 10}
    found = label(EVEN, Sampler(Paths(EVEN, 90), 0).distinct(quota))
    assert cells(found) == [cell for cell, count in quota.items() for _ in range(count)]
    assert len(set(found.contents())) == 47


@pytest.mark.parametrize("ranked", [RANKS, DRAWS])
def test_the_same_seed_gives_the_same_strings_and_another_one_others(ranked):
    quota, paths = {Cell(1, 12, 12): 100, Cell(Kind.PREMATURE_END, 9, 9): 50}, Paths(EVEN, 12)
    one, again, other = (Sampler(paths, seed, ranked).distinct(quota) for seed in (5, 5, 6))
    assert np.array_equal(one, again)
    assert not np.array_equal(one, other)


@pytest.mark.parametrize("ranked", [RANKS, DRAWS])
def test_cells_of_the_same_size_are_chosen_from_differently(ranked):
    quota = {Cell(1, 30, 30): 10, Cell(Kind.PREMATURE_END, 30, 30): 10}
    # The last symbol alone makes the number of a's even or odd.
    even, odd = np.split(Sampler(Paths(EVEN, 30), 0, ranked).distinct(quota)[:, :29], 2)
    assert not set(even.view("V29").ravel().tolist()) & set(odd.view("V29").ravel().tolist())


def test_a_larger_quota_begins_with_the_strings_of_a_smaller_one():
    cell, paths = Cell(1, 12, 12), Paths(EVEN, 12)
    few, many = (Sampler(paths, 0).distinct({cell: count}) for count in (50, 500))
    assert np.array_equal(many[:50], few)


def test_a_cell_that_is_asked_for_more_than_it_has_is_an_error():
    with pytest.raises(DataError, match="there are 4"):
        Sampler(Paths(EVEN, 3), 0).distinct({Cell(1, 3, 3): 5})


def test_no_strings_are_a_batch_of_none():
    assert Sampler(Paths(EVEN, 3), 0).distinct({}).shape == (0, 0)
    assert len(label(EVEN, np.empty((0, 4), dtype=np.int8))) == 0


@given(st.lists(st.integers(0, 30), max_size=12), st.integers(0, 200), st.randoms(use_true_random=False))
def test_water_filling_gives_all_there_is_as_evenly_as_can_be(capacities, total, random):
    order = random.sample(range(len(capacities)), len(capacities))
    shares = water_fill(total, capacities, order)
    assert sum(shares) == min(total, sum(capacities))
    assert all(0 <= share <= capacity for share, capacity in zip(shares, capacities, strict=True))
    # Whoever has less than another, by more than one, is full.
    full = [share for share, capacity in zip(shares, capacities, strict=True) if share < capacity]
    assert all(share >= max(shares) - 1 for share in full)
    # Of those that are not full, the larger shares are first in the order.
    wanting = [shares[number] for number in order if shares[number] < capacities[number]]
    assert wanting == sorted(wanting, reverse=True)


def test_quotas_are_even_over_categories_and_lengths_and_then_over_places():
    found = quotas(Paths(THREE, 20), [1, 2, Kind.OVERRUN], range(10, 21), 1000, seed=0)
    assert sum(found.values()) == 1000
    by_pair: Counter[tuple[int, int]] = Counter()
    for cell, count in found.items():
        by_pair[cell.category, cell.length] += count
    # Class 1 has one string of each length, which leaves 989 for 22 pairs.
    assert {by_pair[1, length] for length in range(10, 21)} == {1}
    assert {by_pair[pair] for pair in by_pair if pair[0] != 1} == {44, 45}
    at_places = [found[Cell(Kind.OVERRUN, 20, place)] for place in range(1, 20)]
    assert max(at_places) - min(at_places) <= 1


def test_a_few_strings_still_have_every_class():
    for seed in range(20):
        found = quotas(Paths(THREE, 20), [1, 2, 3], range(21), 3, seed)
        assert sorted(cell.category for cell in found) == [1, 2, 3]


def test_what_there_is_not_enough_of_is_taken_whole():
    paths = Paths(A_THEN_B, 6)
    assert quotas(paths, [1], range(7), 10_000, seed=0) == {Cell(1, n, n): n + 1 for n in range(7)}
