from __future__ import annotations

import math

import torch

from loopwright.matching.tensors import how, unequal


def test_how_tensors_differ():
    a = torch.tensor([[1.0, 2.0], [3.0, 4.0]])
    b = torch.tensor([[1.0, 2.0], [3.5, 4.0]])
    _, numbers = how(a, b)
    assert numbers == {"elements": 1, "of": 4, "max_abs": 0.5, "relative": 0.125, "first": [1, 0]}
    assert how(torch.tensor(math.nan), torch.tensor(math.nan)) is None
    assert how(torch.tensor([0.0]), torch.tensor([-0.0])) is not None
    assert "torch.float64" in how(a, a.double())[0]


def test_tensors_that_one_side_lacks_are_named():
    one, two = {"x": torch.zeros(1), "y": torch.zeros(1)}, {"x": torch.zeros(1), "z": torch.zeros(1)}
    assert [(name, text) for name, text, _ in unequal(one, two)] == [("y", "only in A"), ("z", "only in B")]
