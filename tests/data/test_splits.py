from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loopwright.data.splits import by_fraction, by_hash, by_time, deduplicate, stratified
from loopwright.errors import DataError

TENTHS = {"train": 0.8, "val": 0.1, "test": 0.1}
THIRDS = {"test": 0.25, "train": 0.5, "val": 0.25}  # not in the order of the splits, on purpose


def texts(n: int) -> list[bytes]:
    return [b"text %d" % number for number in range(n)]


def assert_partition(parts, n: int) -> None:
    assert [part.dtype for part in parts.values()] == [np.int64] * len(parts)
    assert sorted(np.concatenate(list(parts.values())).tolist()) == list(range(n))
    assert all((np.diff(part) > 0).all() for part in parts.values())


@settings(max_examples=50, deadline=None)
@given(n=st.integers(20, 2000), seed=st.integers(0, 2**63 - 1))
def test_fractions_are_met_within_one_sample(n, seed):
    parts = by_fraction(n, TENTHS, seed)
    assert_partition(parts, n)
    for name, part in parts.items():
        assert abs(len(part) - TENTHS[name] * n) <= 1


@settings(max_examples=50, deadline=None)
@given(labels=st.lists(st.integers(0, 9), min_size=40, max_size=400), seed=st.integers(0, 100))
def test_every_class_and_the_whole_are_within_one_sample_of_the_fractions(labels, seed):
    parts = stratified(labels, THIRDS, seed)
    assert_partition(parts, len(labels))
    for name, part in parts.items():
        assert abs(len(part) - THIRDS[name] * len(labels)) <= 1
        for label in set(labels):
            held = np.array(labels)[part].tolist().count(label)
            assert abs(held - THIRDS[name] * labels.count(label)) <= 1


def test_thirty_thousand_samples_split_as_announced():
    labels = np.arange(30_000) % 2
    parts = stratified(labels, TENTHS, seed=42)
    assert {name: len(part) for name, part in parts.items()} == {"train": 24_000, "val": 3_000, "test": 3_000}
    assert [int(labels[part].sum()) for part in parts.values()] == [12_000, 1_500, 1_500]


def test_labels_may_be_texts():
    parts = stratified(["cat"] * 10 + ["dog"] * 10, {"train": 0.5, "test": 0.5}, seed=0)
    assert [(part < 10).sum() for part in parts.values()] == [5, 5]


@pytest.mark.parametrize(
    "split", [lambda seed: by_fraction(50, TENTHS, seed), lambda seed: stratified([0, 1] * 25, TENTHS, seed)]
)
def test_one_seed_one_split_and_another_seed_another(split):
    assert split(1)["val"].tolist() == split(1)["val"].tolist()
    assert split(1)["val"].tolist() != split(2)["val"].tolist()


def test_the_order_in_which_fractions_are_written_does_not_matter():
    turned = dict(reversed(TENTHS.items()))
    assert list(by_fraction(50, turned, 0)) == ["train", "val", "test"]
    for one, other in zip(by_fraction(50, turned, 0).values(), by_fraction(50, TENTHS, 0).values(), strict=True):
        assert one.tolist() == other.tolist()


def test_hashing_never_moves_a_sample_when_data_is_added():
    before, after = by_hash(texts(300), THIRDS), by_hash(texts(900), THIRDS)
    assert_partition(after, 900)
    for name, part in before.items():
        assert part.tolist() == after[name][after[name] < 300].tolist()


def test_hashing_does_not_depend_on_the_order_of_samples():
    straight, turned = by_hash(texts(300), THIRDS), by_hash(texts(300)[::-1], THIRDS)
    for name in straight:
        assert straight[name].tolist() == sorted(299 - turned[name])


def test_hashing_keeps_duplicates_together():
    parts = by_hash(texts(100) * 3, THIRDS)
    for part in parts.values():
        assert sorted(part % 100) == sorted(np.repeat(np.unique(part % 100), 3))


def test_hashing_comes_near_to_the_fractions():
    parts = by_hash(texts(10_000), THIRDS)
    # Binomial: a spread of 50 around 5000, of 43 around 2500.
    assert [abs(len(parts[name]) - 10_000 * THIRDS[name]) < 200 for name in parts] == [True] * 3


@settings(max_examples=50, deadline=None)
@given(times=st.lists(st.integers(0, 30), min_size=60, max_size=200))
def test_no_split_reaches_into_the_time_of_the_next(times):
    try:
        parts = by_time(times, THIRDS)
    except DataError:  # almost all samples of one time
        return
    assert_partition(parts, len(times))
    train, val, test = (np.array(times)[part] for part in parts.values())
    assert train.max() < val.min() <= val.max() < test.min()


def test_distinct_times_are_split_by_the_fractions():
    times = np.array(["2024-01-05", "2024-01-02", "2024-01-04", "2024-01-01", "2024-01-03"], dtype="datetime64")
    parts = by_time(times, {"train": 0.6, "val": 0.2, "test": 0.2})
    assert {name: part.tolist() for name, part in parts.items()} == {"train": [1, 3, 4], "val": [2], "test": [0]}


def test_duplicates_leave_the_first_of_each():
    assert deduplicate([b"b", b"a", b"b", b"c", b"a"]).tolist() == [0, 1, 3]
    assert deduplicate([]).tolist() == []


@pytest.mark.parametrize(
    ("fractions", "message"),
    [
        ({"train": 0.8, "val": 0.1}, r"train 0.8, val 0.1 sum to 0.9: they must be positive and sum to 1"),
        ({"train": 1.2, "val": -0.2}, r"must be positive"),
        ({"train": float("nan"), "val": 0.5}, r"must be positive and sum to 1"),
        ({"train": 1.0, "val": 0.0}, r"must be positive"),
        ({}, r"none sum to 0"),
        ({"train": 0.5, "valid": 0.5}, r"unknown split 'valid': did you mean 'val'"),
    ],
)
def test_fractions_that_make_no_sense_are_refused(fractions, message):
    for split in (
        lambda: by_fraction(10, fractions, 0),
        lambda: stratified([0] * 10, fractions, 0),
        lambda: by_hash(texts(10), fractions),
        lambda: by_time(range(10), fractions),
    ):
        with pytest.raises(DataError, match=message):
            split()


@pytest.mark.parametrize(
    "split",
    [
        lambda: by_fraction(4, TENTHS, 0),
        lambda: by_fraction(0, TENTHS, 0),
        lambda: by_hash(texts(1), THIRDS),
        lambda: by_time([7] * 50, THIRDS),
        lambda: by_time([], THIRDS),
    ],
)
def test_a_split_that_would_be_empty_is_refused(split):
    with pytest.raises(DataError, match=r"the (train|val|test) split would be empty"):
        split()
