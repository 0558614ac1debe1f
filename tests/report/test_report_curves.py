"""Curves for drawing: shortened without losing what matters."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loopwright.report import curves
from loopwright.report.history import Series


def series(*values: float) -> Series:
    return Series.of(range(1, len(values) + 1), values)


@settings(deadline=None)
@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=500), st.integers(1, 20))
def test_a_thinned_curve_keeps_the_extremes_and_is_short(values: list[float], buckets: int) -> None:
    thin = curves.thin(series(*values), buckets)
    assert len(thin) <= 3 * buckets
    assert thin.values.min() == min(values)
    assert thin.values.max() == max(values)
    assert set(thin.values) <= set(values)


def test_a_thinned_curve_breaks_where_a_value_is_not_finite() -> None:
    values = np.ones(1000)
    values[500] = math.nan
    values[700] = math.inf
    thin = curves.thin(series(*values), 10)
    assert thin.steps[np.isnan(thin.values)].tolist() == [501, 701]


def test_a_bucket_without_any_finite_value_is_one_gap() -> None:
    thin = curves.thin(series(*[math.nan] * 1000), 10)
    assert len(thin) == 10
    assert np.isnan(thin.values).all()


def test_what_cannot_be_drawn_is_known_by_its_steps() -> None:
    found = curves.non_finite(series(1.0, math.nan, math.inf, 1e200, -math.inf, 2.0))
    assert found.tolist() == [2, 3, 4, 5]
    assert curves.finite(series(1.0, math.nan, 2.0)).steps.tolist() == [1, 3]


def test_means_are_those_of_the_finite_values() -> None:
    means = curves.means(series(1.0, 3.0, math.nan, 5.0, 7.0), 2)
    assert means.values.tolist() == [2.0, 6.0]
    assert means.steps.tolist() == [2, 5]


def test_the_smoothed_curve_of_a_constant_is_that_constant_from_the_first_point_on() -> None:
    smooth = curves.smooth(series(*[0.7] * 50), span=20)
    np.testing.assert_allclose(smooth.values, 0.7, rtol=1e-15)  # one rounding in the quotient


@settings(deadline=None)
@given(st.lists(st.floats(-10, 10), min_size=1, max_size=40), st.integers(1, 30))
def test_smoothing_is_the_mean_with_weights_that_fall_by_a_constant_factor(values: list[float], span: int) -> None:
    weights = (1 - 2 / (span + 1)) ** np.arange(len(values))[::-1]
    expected = float(np.sum(weights * values) / np.sum(weights))
    found = float(curves.smooth(series(*values), span).values[-1])
    assert found == pytest.approx(expected, rel=1e-9, abs=1e-12)  # sums in another order


def test_the_rate_is_samples_over_seconds_of_a_window() -> None:
    samples, seconds = series(10, 10, 10, 4), series(1.0, 3.0, 0.5, 0.5)
    assert curves.rate(samples, seconds, windows=2).values.tolist() == [5.0, 14.0]


def test_the_rate_leaves_out_times_that_a_clock_cannot_have_measured() -> None:
    samples, seconds = series(10, 10, 10), series(-5.0, 0.0, 2.0)
    assert curves.rate(samples, seconds).values.tolist() == [5.0]
    assert len(curves.rate(series(), series())) == 0
    assert len(curves.rate(series(10), series(0.0))) == 0


def test_a_logarithmic_axis_is_for_positive_values_over_more_than_a_decade() -> None:
    assert curves.wants_log([series(2.0, 0.1)])
    assert not curves.wants_log([series(2.0, 0.5)])
    assert not curves.wants_log([series(2.0, 0.0)])
    assert not curves.wants_log([series(math.nan), series()])
