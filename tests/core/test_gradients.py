from __future__ import annotations

import pytest
import torch
from torch import nn

from loopwright.core.gradients import ShardTree, clip, total_norm
from loopwright.core.parallel import ALONE
from loopwright.core.totals import Totals, pairwise
from loopwright.core.tree import Node, forest, join, root
from loopwright.protocols import Batch, Worker


def leaves(model: nn.Module) -> list[nn.Parameter]:
    return list(model.parameters())


def summed(gradients: list[list[torch.Tensor | None]]) -> list[torch.Tensor | None]:
    """What a ShardTree puts into `.grad` where the shards leave these gradients behind."""
    shape = next(gradient.shape for leaf in gradients for gradient in leaf if gradient is not None)
    model = nn.ParameterList([nn.Parameter(torch.zeros(shape)) for _ in gradients[0]])
    tree = ShardTree(model, leaves(model), len(gradients), ALONE)
    for number, leaf in enumerate(gradients):
        for parameter, gradient in zip(model, leaf, strict=True):
            parameter.grad = gradient
        tree.collect(number)
    tree.release()
    return [parameter.grad for parameter in model]


@pytest.mark.parametrize("shards", range(1, 18))
def test_shards_are_added_in_the_same_tree_as_pairwise(shards):
    values = list(torch.randn(shards, 100, generator=torch.Generator().manual_seed(shards)))
    (total,) = summed([[value.clone()] for value in values])
    assert torch.equal(total, pairwise(values))


def test_the_tree_holds_no_more_than_log2_of_the_shards_plus_one():
    nodes: dict[Node, int] = {}
    for leaf in range(64):
        join(nodes, leaf, 1, int.__add__)
        assert len(nodes) <= 6
    assert root(nodes, 64, int.__add__) == 64


@pytest.mark.parametrize("size", range(1, 10))
@pytest.mark.parametrize("total", [1, 2, 3, 5, 8, 13, 16])
def test_the_nodes_of_any_number_of_workers_make_the_same_tree(size, total):
    def named(left: str, right: str) -> str:
        return f"({left}+{right})"

    whole: dict[Node, str] = {}
    for leaf in range(total):
        join(whole, leaf, str(leaf), named)
    parts: dict[Node, str] = {}
    for rank in range(size):
        own: dict[Node, str] = {}
        for leaf in Worker(rank, size).numbers(total):
            join(own, leaf, str(leaf), named)
        assert list(own) == forest(Worker(rank, size).numbers(total))
        parts |= own
    assert root(parts, total, named) == root(whole, total, named)


def test_every_shard_is_one_workers():
    for strided in (False, True):
        for size in range(1, 9):
            numbers = [n for rank in range(size) for n in Worker(rank, size, strided).numbers(13)]
            assert sorted(numbers) == list(range(13))


def test_a_parameter_that_only_some_shards_reach_gets_their_sum():
    used, unused = summed([[torch.ones(1), None], [None, None], [torch.ones(1), None]])
    assert used.item() == 2
    assert unused is None


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
    assert {name: value.item() for name, value in totals.parts(torch.device("cpu")).items()} == {
        "token": 1.0,
        "word": 2.0,
    }
    assert sum(share.item() for share in shares) == 3.0


def test_a_component_that_nothing_weighs_counts_nothing():
    totals = Totals([Batch({}, {"word": 0.0}, torch.arange(1))])
    assert totals.share({"word": torch.tensor(0.0)}).item() == 0.0
