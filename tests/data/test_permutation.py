from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loopwright.data.permutation import Permutation, permuted
from loopwright.errors import DataError
from loopwright.seeding import fold


def all_orders(size: int, num_keys: int) -> np.ndarray:
    return permuted(size, [fold(11, key) for key in range(num_keys)], np.arange(size))


def excess(counts: np.ndarray, degrees: int) -> float:
    """Pearson's chi-square in standard deviations above its mean; about normal, and the keys are fixed."""
    expected = counts.sum() / counts.size
    return float((((counts - expected) ** 2 / expected).sum() - degrees) / math.sqrt(2 * degrees))


def test_every_size_to_300_is_a_bijection():
    for size in range(1, 301):
        taken = Permutation(size, key=size).take(np.arange(size))
        assert np.array_equal(np.sort(taken), np.arange(size)), size


@settings(max_examples=40, deadline=None)
@given(size=st.integers(1, 50_000), key=st.integers(0, 2**63 - 1))
def test_any_size_and_key_is_a_bijection(size, key):
    assert np.array_equal(np.sort(Permutation(size, key).take(np.arange(size))), np.arange(size))


@settings(max_examples=40, deadline=None)
@given(size=st.integers(1, 10**12), key=st.integers(0, 2**63 - 1), data=st.data())
def test_one_position_and_many_positions_agree(size, key, data):
    positions = data.draw(st.lists(st.integers(0, size - 1), min_size=1, max_size=8))
    permutation = Permutation(size, key)
    assert permutation.take(np.array(positions)).tolist() == [permutation.at(p) for p in positions]


@pytest.mark.parametrize("first", [0, 123_456_789_012, 10**12 - 20_000])
def test_blocks_of_a_trillion_hold_distinct_values_in_range(first):
    taken = Permutation(10**12, key=3).take(np.arange(first, first + 20_000))
    assert taken.dtype == np.int64
    assert len(np.unique(taken)) == 20_000
    assert 0 <= taken.min() <= taken.max() < 10**12
    # An even spread over ten parts of the range: 9 degrees of freedom.
    assert abs(excess(np.bincount(taken // 10**11, minlength=10), 9)) < 4


def test_two_blocks_of_a_trillion_never_meet():
    permutation = Permutation(10**12, key=8)
    one, other = permutation.take(np.arange(50_000)), permutation.take(np.arange(10**11, 10**11 + 50_000))
    assert not np.intersect1d(one, other).size


@pytest.mark.parametrize("size", [3, 4])
def test_all_orders_of_a_small_set_are_equally_likely(size):
    orders = [tuple(order) for order in all_orders(size, 24_000).tolist()]
    counts = np.array([orders.count(order) for order in itertools.permutations(range(size))])
    assert counts.sum() == 24_000
    assert abs(excess(counts, math.factorial(size) - 1)) < 4


@pytest.mark.parametrize("size", [7, 10, 97, 300])
def test_every_sample_is_equally_likely_at_every_position(size):
    orders = all_orders(size, 4_000)
    counts = np.array([np.bincount(orders[:, position], minlength=size) for position in range(size)])
    assert abs(excess(counts, (size - 1) ** 2)) < 4


def test_every_pair_of_neighbors_is_equally_likely():
    orders = all_orders(7, 30_000)
    for position in range(6):
        pairs = np.bincount(orders[:, position] * 7 + orders[:, position + 1], minlength=49).reshape(7, 7)
        assert not pairs.diagonal().any()
        assert abs(excess(pairs[~np.eye(7, dtype=bool)], 41)) < 4


@pytest.mark.parametrize("size", [8, 9, 25])  # sizes where two odd sides would give one parity (almost) only
def test_even_and_odd_orders_are_equally_likely(size):
    upper = np.triu_indices(size, 1)
    inversions = (all_orders(size, 4_000)[:, :, None] > all_orders(size, 4_000)[:, None, :])[:, *upper].sum(1)
    assert abs((inversions % 2).mean() - 0.5) < 4 * 0.5 / math.sqrt(4_000)


def test_epochs_differ():
    orders = all_orders(1000, 50)
    assert len(np.unique(orders, axis=0)) == 50
    # Two random orders agree at one position on average; the mean over 1225 pairs has a spread of 0.03.
    agreements = [(a == b).sum() for a, b in itertools.combinations(orders, 2)]
    assert abs(np.mean(agreements) - 1) < 0.15


def test_many_keys_at_once_equal_one_at_a_time():
    keys = [5, 17, 2**62]
    together = permuted(257, keys, np.arange(3, 200))
    for row, key in zip(together, keys, strict=True):
        assert np.array_equal(row, Permutation(257, key).take(np.arange(3, 200)))


def test_the_order_is_part_of_every_recorded_run_and_stays_as_it_is():
    assert Permutation(10, key=1).take(np.arange(10)).tolist() == [6, 5, 3, 9, 8, 1, 7, 2, 0, 4]
    first_of_a_trillion = [Permutation(10**12, key=1).at(position) for position in range(3)]
    assert first_of_a_trillion == [142301986813, 789333935074, 660412447706]


def test_an_empty_set_is_refused():
    with pytest.raises(DataError, match="0 samples"):
        Permutation(0, key=1)


@pytest.mark.parametrize("position", [-1, 5])
def test_a_position_outside_the_set_is_refused(position):
    with pytest.raises(IndexError, match="5"):
        Permutation(5, key=1).at(position)
    with pytest.raises(IndexError, match="5"):
        Permutation(5, key=1).take(np.array([0, position]))


def test_no_positions_give_no_samples():
    assert Permutation(5, key=1).take(np.empty(0, dtype=np.int64)).tolist() == []
