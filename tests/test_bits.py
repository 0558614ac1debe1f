from __future__ import annotations

import math

import pytest
import torch

from loopwright.bits import as_bytes, leaves, same_bits


@pytest.mark.parametrize(
    ("left", "right", "same"),
    [
        (torch.tensor([math.nan]), torch.tensor([math.nan]), True),
        (torch.tensor([0.0]), torch.tensor([-0.0]), False),
        (torch.zeros(2), torch.zeros(2, dtype=torch.int32), False),
        (torch.zeros(2), torch.zeros(2, 1), False),
        (torch.arange(6.0).reshape(2, 3).T, torch.arange(6.0).reshape(2, 3).T.contiguous(), True),
        (torch.zeros(0), torch.zeros(0), True),
        (torch.tensor(1.0), torch.tensor(1.0), True),
        (torch.tensor([True]), torch.tensor([False]), False),
    ],
)
def test_bits_are_compared_and_nothing_else(left, right, same):
    assert same_bits(left, right) is same


def test_elements_come_in_their_order_whatever_the_memory():
    assert as_bytes(torch.tensor([[1, 2], [3, 4]], dtype=torch.uint8).T).tolist() == [1, 3, 2, 4]


def test_every_leaf_is_named():
    assert leaves({"a": [1, {"b": 2}], "c": (), "d": None}) == {"a.0": 1, "a.1.b": 2, "d": None}
    assert leaves(5) == {"": 5}
