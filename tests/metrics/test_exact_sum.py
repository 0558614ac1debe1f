from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from loopwright.metrics import ExactSum


@given(
    values=st.lists(st.floats(-1e6, 1e6), max_size=60),
    cut=st.integers(0, 60),
)
@settings(max_examples=60, deadline=None)
def test_the_sum_is_the_same_in_any_order_and_any_parts(values: list[float], cut: int) -> None:
    terms = torch.tensor(values, dtype=torch.float64)
    whole, parts = ExactSum(), ExactSum()
    whole.add(terms)
    parts.add(terms.flip(0)[:cut])
    parts.add(terms.flip(0)[cut:])
    assert whole.value() == parts.value()
    # Each term is rounded to 2^-60 at most.
    assert whole.value() == pytest.approx(math.fsum(values), rel=1e-15, abs=len(values) * 2.0**-60)


def test_a_small_term_beside_large_ones_is_not_lost() -> None:
    total = ExactSum()
    total.add(torch.tensor([1e9, 2.0**-50, -1e9], dtype=torch.float64))
    assert total.value() == 2.0**-50


def test_nothing_sums_to_zero() -> None:
    total = ExactSum()
    total.add(torch.empty(0))
    assert total.value() == 0.0


@pytest.mark.parametrize("bad", [float("inf"), float("-inf"), float("nan")])
def test_a_term_that_is_not_finite_shows_in_the_sum(bad: float) -> None:
    total = ExactSum()
    total.add(torch.tensor([1.0, bad, 2.0]))
    assert str(total.value()) == str(bad)
