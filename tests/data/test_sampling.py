from __future__ import annotations

from itertools import islice

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from loopwright.data.permutation import Permutation
from loopwright.data.sampling import order, spans
from loopwright.errors import DataError
from loopwright.protocols import Plan
from loopwright.seeding import Purpose, fold


def taken(plan: Plan, size: int, start: int, steps: int) -> list[tuple[int, list[int]]]:
    return [(epoch, samples.tolist()) for epoch, samples in islice(order(plan, size, start), steps)]


@settings(max_examples=40, deadline=None)
@given(size=st.integers(1, 300), data=st.data(), shuffle=st.booleans())
def test_each_step_is_what_the_plan_says(size, data, shuffle):
    plan = Plan(seed=3, batch_size=data.draw(st.integers(1, size)), shuffle=shuffle)
    start = data.draw(st.integers(0, 1000))
    for step, (epoch, samples) in enumerate(taken(plan, size, start, 20), start):
        expected_epoch, first, end = plan.span(step, size)
        permutation = Permutation(size, fold(3, Purpose.SHUFFLE, epoch))
        positions = range(first, end)
        assert epoch == expected_epoch
        assert samples == ([permutation.at(p) for p in positions] if shuffle else list(positions))


def test_every_epoch_sees_every_sample_once():
    plan = Plan(seed=0, batch_size=32)
    steps = taken(plan, 1000, 0, 3 * plan.steps_per_epoch(1000))
    for epoch in range(3):
        seen = [sample for e, samples in steps if e == epoch for sample in samples]
        assert sorted(seen) == list(range(1000))


@pytest.mark.parametrize("size", [100, 16_384, 20_000, 50_001])  # many, one, and several blocks an epoch
@pytest.mark.parametrize("batch_size", [100, 33])
def test_a_late_start_equals_skipping(size, batch_size):
    plan = Plan(seed=1, batch_size=batch_size)
    near_the_end = plan.steps_per_epoch(size) * 2 - 2
    skipped = list(islice(order(plan, size, 0), near_the_end, near_the_end + 5))
    started = list(islice(order(plan, size, near_the_end), 5))
    assert [e for e, _ in started] == [e for e, _ in skipped]
    assert all(torch.equal(a, b) for (_, a), (_, b) in zip(started, skipped, strict=True))


def test_a_trillion_samples_start_anywhere_at_once():
    plan = Plan(seed=1, batch_size=4)
    step = plan.steps_per_epoch(10**12) * 7 + 123_456_789_012
    ((epoch, samples),) = taken(plan, 10**12, step, 1)
    assert epoch == 7
    assert samples[0] == Permutation(10**12, fold(1, Purpose.SHUFFLE, 7)).at(4 * 123_456_789_012)


def test_seeds_give_different_orders():
    assert taken(Plan(0, 50), 50, 0, 1) != taken(Plan(1, 50), 50, 0, 1)


def test_a_batch_larger_than_the_data_is_refused_at_once_with_both_numbers():
    with pytest.raises(DataError, match=r"batch_size 11 is larger .* \(10 samples\): choose --batch-size 10"):
        order(Plan(0, batch_size=11), 10, 0)


def test_an_empty_training_split_is_refused():
    with pytest.raises(DataError, match="train split is empty"):
        order(Plan(0, batch_size=1), 0, 0)


def test_spans_cover_a_split_once():
    assert spans("val", 10, 4) == [(0, 4), (4, 8), (8, 10)]


def test_an_empty_split_has_no_spans():
    with pytest.raises(DataError, match="val split is empty or missing"):
        spans("val", 0, 4)
