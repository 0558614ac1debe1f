from __future__ import annotations

import pytest
import torch
from torch import nn

from loopwright.errors import CheckpointError
from loopwright.weights import check_weights, load_weights


class Counting(nn.Linear):
    """A module that keeps a plain value beside its weights."""

    def get_extra_state(self):
        return 7

    def set_extra_state(self, state):
        self.restored = state


def test_weights_that_fit_are_copied():
    model, other = nn.Linear(3, 2), nn.Linear(3, 2)
    load_weights(model, other.state_dict())
    assert torch.equal(model.weight, other.weight)
    assert model.weight is not other.weight


def test_each_missing_unexpected_and_misshaped_key_is_listed_and_nothing_is_changed():
    model, other = nn.Sequential(nn.Linear(3, 2), nn.Linear(2, 4)), nn.Sequential(nn.Linear(3, 5), nn.BatchNorm1d(5))
    before = {key: value.clone() for key, value in model.state_dict().items()}
    del (found := other.state_dict())["1.bias"]
    with pytest.raises(CheckpointError) as caught:
        load_weights(model, found, "other.pt")
    assert str(caught.value).split("\n  ") == [
        "other.pt belongs to another model than Sequential; build the model it was saved from",
        "missing: 1.bias (4,)",
        "unexpected: 1.running_mean (5,)",
        "unexpected: 1.running_var (5,)",
        "unexpected: 1.num_batches_tracked ()",
        "shape: 0.weight is (5, 3) in the checkpoint, (2, 3) in the model",
        "shape: 0.bias is (5,) in the checkpoint, (2,) in the model",
        "shape: 1.weight is (5,) in the checkpoint, (4, 2) in the model",
    ]
    assert all(torch.equal(before[key], value) for key, value in model.state_dict().items())


def test_a_plain_value_beside_the_weights_is_restored_and_compared_by_kind():
    model = Counting(2, 2)
    load_weights(model, model.state_dict())
    assert model.restored == 7
    with pytest.raises(CheckpointError, match=r"weight is int in the checkpoint, \(2, 2\) in the model"):
        load_weights(model, {**model.state_dict(), "weight": 3})


def test_what_is_no_dict_of_weights_is_an_error():
    with pytest.raises(CheckpointError, match=r"x\.pt: its weights are a list"):
        check_weights(nn.Linear(1, 1), [], "x.pt")
