from __future__ import annotations

import pytest
import torch
from torch import nn

from loopwright.core.gradients import GradientTree, clip, total_norm
from loopwright.core.totals import Totals, pairwise
from loopwright.protocols import Batch


def tree_sum(values: list[torch.Tensor]) -> torch.Tensor:
    parameter = nn.Parameter(torch.zeros_like(values[0]))
    tree = GradientTree([parameter], len(values))
    for value in values:
        parameter.grad = value.clone()
        tree.collect()
    tree.release()
    return parameter.grad


@pytest.mark.parametrize("shards", range(1, 18))
def test_shards_are_added_in_the_same_tree_as_pairwise(shards):
    values = list(torch.randn(shards, 100, generator=torch.Generator().manual_seed(shards)))
    assert torch.equal(tree_sum(values), pairwise(values))


def test_the_tree_holds_no_more_than_log2_of_the_shards_plus_one():
    parameter = nn.Parameter(torch.zeros(1))
    tree = GradientTree([parameter], 64)
    most = 0
    for _ in range(64):
        parameter.grad = torch.ones(1)
        tree.collect()
        most = max(most, len(tree.partial) + 1)
    assert most <= 7
    tree.release()
    assert parameter.grad.item() == 64


def test_a_parameter_that_only_some_shards_reach_gets_their_sum():
    used, unused = nn.Parameter(torch.zeros(1)), nn.Parameter(torch.zeros(1))
    tree = GradientTree([used, unused], 3)
    for shard in range(3):
        used.grad = torch.ones(1) if shard != 1 else None
        tree.collect()
    tree.release()
    assert used.grad.item() == 2
    assert unused.grad is None


@pytest.mark.parametrize("max_norm", [0.1, 1.0, 1e6])
def test_clip_gives_the_bits_of_torchs_own(max_norm):
    for seed in range(20):
        torch.manual_seed(seed)
        ours, theirs = ([nn.Parameter(torch.zeros(n)) for n in (3, 50, 1)] for _ in range(2))
        for a, b in zip(ours, theirs, strict=True):
            a.grad = torch.randn_like(a)
            b.grad = a.grad.clone()
        norm = total_norm(ours)
        clip(ours, norm, max_norm)
        assert torch.equal(norm, nn.utils.clip_grad_norm_(theirs, max_norm))
        for a, b in zip(ours, theirs, strict=True):
            assert torch.equal(a.grad, b.grad)


def test_zero_leaves_the_gradients_alone_and_no_gradient_has_norm_zero():
    parameter = nn.Parameter(torch.zeros(2))
    parameter.grad = torch.tensor([3.0, 4.0])
    norm = total_norm([parameter])
    assert norm.item() == 5.0
    clip([parameter], norm, 0.0)
    assert parameter.grad.tolist() == [3.0, 4.0]
    for nothing in ([nn.Parameter(torch.zeros(2))], []):
        assert total_norm(nothing).item() == 0.0
        clip(nothing, total_norm(nothing), 1.0)


def test_components_are_divided_by_their_own_global_weight():
    samples = torch.arange(2)
    shards = [Batch({}, {"token": 3.0, "word": 1.0}, samples), Batch({}, {"token": 5.0, "word": 0.0}, samples)]
    totals = Totals(shards)
    shares = [
        totals.share({"token": torch.tensor(6.0), "word": torch.tensor(2.0)}),
        totals.share({"token": torch.tensor(2.0), "word": torch.tensor(0.0)}),
    ]
    assert {name: value.item() for name, value in totals.parts().items()} == {"token": 1.0, "word": 2.0}
    assert sum(share.item() for share in shares) == 3.0


def test_a_component_that_nothing_weighs_counts_nothing():
    totals = Totals([Batch({}, {"word": 0.0}, torch.arange(1))])
    assert totals.share({"word": torch.tensor(0.0)}).item() == 0.0
