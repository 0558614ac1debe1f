"""Running statistics of a step with several shards: each shard's own, moved once."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.nn.utils.parametrizations import spectral_norm

from loopwright.core.statistics import RunningStatistics, single_samples_named
from loopwright.errors import ConfigError
from tests.toys import Toy, bits, run, toy


def moved(model: nn.Module, shards: list[torch.Tensor]) -> None:
    """One step's forward passes, and the statistics moved after them."""
    statistics = RunningStatistics(model)
    summed = None
    for shard in shards:
        model(shard)
        leaf = statistics.take()
        summed = leaf if summed is None else [a + b for a, b in zip(summed, leaf, strict=True)]
    statistics.move(summed, len(shards))


def test_the_statistics_move_once_by_the_mean_over_the_shards():
    model, shards = nn.BatchNorm1d(3), list(torch.randn(4, 16, 3, dtype=torch.float64))
    moved(model.double(), shards)
    torch.testing.assert_close(model.running_mean, 0.1 * torch.stack(shards).mean((0, 1)))
    torch.testing.assert_close(model.running_var, 0.9 + 0.1 * torch.stack([shard.var(0) for shard in shards]).mean(0))
    assert model.num_batches_tracked.item() == 1


def test_a_cumulative_average_counts_steps():
    model, batches = nn.BatchNorm1d(2, momentum=None).double(), torch.randn(3, 2, 8, 2, dtype=torch.float64)
    for shards in batches:
        moved(model, list(shards))
    torch.testing.assert_close(model.running_mean, batches.mean((0, 1, 2)))
    assert model.num_batches_tracked.item() == 3


def test_statistics_that_no_shard_moves_keep_every_bit():
    model = nn.BatchNorm1d(3)
    model(torch.randn(9, 3))
    before = [buffer.clone() for buffer in model.buffers()]
    model.eval()
    moved(model, list(torch.randn(3, 4, 3)))
    assert all(torch.equal(a, b) for a, b in zip(model.buffers(), before, strict=True))


def test_each_shard_starts_from_the_statistics_of_the_step():
    model = nn.BatchNorm1d(2)
    statistics = RunningStatistics(model)
    first, second = torch.randn(2, 8, 2)
    model(first)
    alone = statistics.take()
    model(second)
    statistics.take()
    model(first)
    assert all(torch.equal(a, b) for a, b in zip(statistics.take(), alone, strict=True))


class Spectral(Toy):
    """A model with a buffer that each forward pass in training changes."""

    def model(self) -> nn.Module:
        return nn.Sequential(spectral_norm(nn.Linear(4, 2)))


class Counting(nn.Module):
    """Counts its calls in a buffer that it puts anew each time."""

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("calls", torch.zeros(()))

    def forward(self, x):
        self.calls = self.calls + 1
        return x


class Counted(Toy):
    """A model that remembers how often it was called."""

    def model(self) -> nn.Module:
        return nn.Sequential(Counting(), nn.Linear(4, 2))


def test_a_buffer_that_is_put_anew_is_refused_by_name():
    with pytest.raises(ConfigError, match=r"0 \(Counting\), buffer calls: changes"):
        run(toy(task=Counted(), shards=2))


class Synced(Toy):
    """A model whose workers look at each other's samples."""

    def model(self) -> nn.Module:
        return nn.Sequential(nn.Linear(4, 4), nn.SyncBatchNorm(4), nn.Linear(4, 2))


def test_a_buffer_that_cannot_be_combined_is_refused_by_name():
    with pytest.raises(ConfigError, match=r"0\.parametrizations\.weight\.0 .*buffer _u: changes .* use --shards 1"):
        run(toy(task=Spectral(), shards=2))
    run(toy(task=Spectral(), steps=3))


def test_batchnorm_over_all_workers_is_refused_by_name():
    with pytest.raises(ConfigError, match="1: SyncBatchNorm ties the samples"):
        run(toy(task=Synced(), shards=2))


def test_a_model_that_normalizes_by_shards_trains_the_same_twice():
    assert bits(run(toy(shards=4))[0]) == bits(run(toy(shards=4))[0])


def test_shards_of_a_model_without_statistics_change_it_by_rounding_alone():
    class Plain(Toy):
        def model(self) -> nn.Module:
            return nn.Sequential(nn.Linear(4, 16), nn.Tanh(), nn.Linear(16, 2)).double()

        def loss(self, model, batch):
            return super().loss(
                model, type(batch)({**batch.tensors, "x": batch["x"].double()}, batch.weights, batch.samples)
            )

        def evaluate(self, model, split):
            return {"accuracy": 0.0}

    whole, parts = (run(toy(task=Plain(), shards=shards))[0] for shards in (1, 3))
    for a, b in zip(whole.parameters, parts.parameters, strict=True):
        torch.testing.assert_close(a, b, rtol=1e-9, atol=1e-12)  # fp64 sums in another order


def test_a_shard_that_is_too_small_for_batchnorm_is_named():
    with pytest.raises(ConfigError, match="a shard holds a single sample"), single_samples_named():
        run(toy(shards=8))
    with pytest.raises(ValueError, match="another"), single_samples_named():
        raise ValueError("another")


def test_statistics_that_two_modules_share_move_once():
    model = nn.Sequential(nn.BatchNorm1d(2), nn.BatchNorm1d(2))
    model[1].running_var = model[0].running_var
    statistics = RunningStatistics(model)
    assert len(statistics.like()) == 5
    statistics.move([torch.ones(2) if like.shape else None for like in statistics.like()], 1)
    assert model[0].running_var.tolist() == [2.0, 2.0]
    assert model[0].num_batches_tracked.item() == 0
