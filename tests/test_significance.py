"""The statistics of few runs, against values by hand and against scipy."""

from __future__ import annotations

import math
import random

import numpy as np
import pytest
from scipy import stats

from loopwright.significance import (
    LEVEL,
    POWER,
    each_needed,
    least_each,
    least_pairs,
    pairs_needed,
    permutation,
    sign_flip,
)

A = [0.912, 0.934, 0.918, 0.925, 0.901]
B = [0.931, 0.940, 0.915, 0.947, 0.929]


def mean_difference(x, y, axis):
    return np.mean(x, axis=axis) - np.mean(y, axis=axis)


def test_sign_flips_give_what_scipy_gives():
    reference = stats.permutation_test(
        (B, A), mean_difference, permutation_type="samples", alternative="greater", vectorized=True
    )
    assert sign_flip([b - a for a, b in zip(A, B, strict=True)]) == pytest.approx(reference.pvalue, abs=1e-15)
    assert sign_flip([b - a for a, b in zip(A, B, strict=True)]) == 2 / 32  # by hand: only -0.003 may have either sign


def test_permutations_give_what_scipy_gives():
    reference = stats.permutation_test(
        (B, A), mean_difference, permutation_type="independent", alternative="greater", vectorized=True
    )
    assert permutation(A, B) == pytest.approx(reference.pvalue, abs=1e-15)
    assert permutation([1.0, 2.0], [3.0, 4.0]) == 1 / 6
    assert permutation([3.0, 4.0], [1.0, 2.0]) == 1.0
    assert permutation([1.0, 1.0], [1.0, 1.0]) == 1.0


def test_nothing_is_no_evidence():
    assert permutation([], [1.0]) == permutation([1.0], []) == sign_flip([]) == 1.0


def test_where_there_are_too_many_ways_random_ones_stand_for_them_and_are_the_same_each_time():
    draw = random.Random(3)
    differences = [draw.gauss(0.3, 1) for _ in range(30)]
    a, b = [draw.gauss(0, 1) for _ in range(25)], [draw.gauss(0.4, 1) for _ in range(20)]
    assert sign_flip(differences) == sign_flip(differences)
    assert sign_flip(differences) == pytest.approx(
        stats.ttest_1samp(differences, 0, alternative="greater").pvalue, abs=0.01
    )
    assert permutation(a, b) == permutation(a, b)
    assert permutation(a, b) == pytest.approx(stats.ttest_ind(b, a, alternative="greater").pvalue, abs=0.01)
    assert sign_flip([1.0] * 40) > 0
    assert permutation([0.0] * 30, [1.0] * 30) > 0


def test_the_least_number_of_seeds_is_where_the_smallest_p_is_small_enough():
    assert sign_flip([1.0] * least_pairs()) <= LEVEL < sign_flip([1.0] * (least_pairs() - 1))
    n = least_each()
    assert permutation([0.0] * n, [1.0] * n) <= LEVEL < permutation([0.0] * (n - 1), [1.0] * (n - 1))


def power_of_pairs(n, effect):
    return stats.nct.sf(stats.t.ppf(1 - LEVEL, n - 1), n - 1, effect * math.sqrt(n))


def power_of_two_groups(n, effect):
    return stats.nct.sf(stats.t.ppf(1 - LEVEL, 2 * n - 2), 2 * n - 2, effect * math.sqrt(n / 2))


@pytest.mark.parametrize("effect", [0.2, 0.4, 0.7, 1.0])
def test_the_number_of_seeds_is_that_of_the_exact_power_of_a_t_test_or_one_off(effect):
    exact = next(n for n in range(2, 1000) if power_of_pairs(n, effect) >= POWER)
    assert abs(pairs_needed(effect, 1.0) - exact) <= 1
    exact = next(n for n in range(2, 1000) if power_of_two_groups(n, effect) >= POWER)
    assert abs(each_needed(effect, 1.0) - exact) <= 1


def test_where_no_number_of_seeds_would_do_none_is_named():
    assert pairs_needed(0.0, 1.0) is None
    assert each_needed(1e-9, 1.0) is None
    assert each_needed(math.nan, 1.0) is None
    assert pairs_needed(-0.5, 0.0) == least_pairs()
