from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from loopwright import metrics
from loopwright.errors import ConfigError


@given(
    cases=st.lists(st.tuples(st.booleans(), st.integers(0, 50)), min_size=1, max_size=60),
    longest=st.sets(st.integers(0, 40), min_size=1, max_size=5),
)
@settings(max_examples=40, deadline=None)
def test_the_bins_add_up_to_the_whole(cases: list[tuple[bool, int]], longest: set[int]) -> None:
    right = torch.tensor([case[0] for case in cases])
    lengths = torch.tensor([case[1] for case in cases])
    bins = metrics.length_binned_accuracy(right, lengths, sorted(longest))
    assert sum(part.count for part in bins) == len(cases)
    assert sum(part.right for part in bins) == int(right.sum())
    for part in bins:
        inside = [r for r, n in cases if part.shortest <= n and (part.longest is None or n <= part.longest)]
        assert (part.count, part.right) == (len(inside), sum(inside))


def test_each_length_falls_into_the_bin_that_names_it() -> None:
    right = torch.tensor([True, False, True, True])
    bins = metrics.length_binned_accuracy(right, torch.tensor([4, 4, 5, 100]), [4, 8, 16])
    assert [(part.shortest, part.longest, part.count, part.right) for part in bins] == [
        (0, 4, 2, 1),
        (5, 8, 1, 1),
        (9, 16, 0, 0),
        (17, None, 1, 1),
    ]
    assert bins[0].accuracy == 0.5
    assert math.isnan(bins[2].accuracy)


@pytest.mark.parametrize("longest", [[], [8, 4], [4, 4]])
def test_bins_that_do_not_ascend_are_refused(longest: list[int]) -> None:
    with pytest.raises(ConfigError, match="ascending"):
        metrics.length_binned_accuracy(torch.tensor([True]), torch.tensor([1]), longest)
