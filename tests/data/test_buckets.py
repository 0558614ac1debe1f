from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loopwright.data.buckets import bucketed
from loopwright.errors import DataError
from loopwright.protocols import Plan

LENGTHS = np.random.default_rng(0).integers(0, 200, 5_003)


def padding(batches) -> int:
    return sum(int(LENGTHS[batch].max() * len(batch) - LENGTHS[batch].sum()) for batch in batches)


@settings(max_examples=30, deadline=None)
@given(lengths=st.lists(st.integers(0, 50), min_size=1, max_size=300), data=st.data())
def test_an_epoch_holds_every_sample_once_in_batches_as_the_plan_counts_them(lengths, data):
    plan = Plan(seed=1, batch_size=data.draw(st.integers(1, len(lengths))))
    batches = bucketed(lengths, plan, epoch=3)
    spans = [plan.span(step, len(lengths)) for step in range(plan.steps_per_epoch(len(lengths)))]
    assert [len(batch) for batch in batches] == [end - first for _, first, end in spans]
    assert sorted(np.concatenate(batches).tolist()) == list(range(len(lengths)))


def test_batches_hold_samples_of_similar_length():
    plan = Plan(seed=0, batch_size=16)
    ordinary = np.split(np.arange(len(LENGTHS)), range(16, len(LENGTHS), 16))
    assert padding(bucketed(LENGTHS, plan, 0)) < 0.03 * padding(ordinary)


def test_batches_come_in_no_order_of_length():
    firsts = [LENGTHS[batch].mean() for batch in bucketed(LENGTHS, Plan(seed=0, batch_size=16), 0)]
    # 313 batches: the correlation of a random order with its position has a spread of 0.06.
    assert abs(np.corrcoef(firsts, np.arange(len(firsts)))[0, 1]) < 0.2


def test_the_same_seed_and_epoch_give_the_same_batches_and_others_differ():
    plan = Plan(seed=0, batch_size=16)
    again = zip(bucketed(LENGTHS, plan, 1), bucketed(LENGTHS, plan, 1), strict=True)
    assert all(np.array_equal(a, b) for a, b in again)
    for other in (bucketed(LENGTHS, plan, 2), bucketed(LENGTHS, Plan(seed=1, batch_size=16), 1)):
        assert not np.array_equal(other[0], bucketed(LENGTHS, plan, 1)[0])


def test_neighbors_change_between_epochs():
    def neighbors(epoch):
        return {frozenset(batch.tolist()) for batch in bucketed(LENGTHS, Plan(seed=0, batch_size=4), epoch)}

    assert not neighbors(0) & neighbors(1)


def test_the_short_last_batch_favors_no_length():
    plan = Plan(seed=0, batch_size=100)
    means = [LENGTHS[bucketed(LENGTHS, plan, epoch)[-1]].mean() for epoch in range(200)]
    # 600 draws of lengths with a spread of 58: the mean's is 2.4.
    assert abs(np.mean(means) - LENGTHS.mean()) < 10


def test_without_shuffling_the_pools_are_sorted_and_stay_in_order():
    batches = bucketed([3, 1, 2, 5, 4], Plan(seed=0, batch_size=2, shuffle=False), epoch=9)
    assert [batch.tolist() for batch in batches] == [[1, 2], [0, 3], [4]]


@pytest.mark.parametrize("lengths", [[1, 2], []])
def test_a_batch_larger_than_the_data_is_refused(lengths):
    with pytest.raises(DataError, match=f"batch_size 3 for {len(lengths)} sequences"):
        bucketed(lengths, Plan(seed=0, batch_size=3), 0)
