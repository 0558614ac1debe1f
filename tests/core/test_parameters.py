"""What models may do to their parameters and gradients without changing what the loop computes, and what is refused."""

from __future__ import annotations

from copy import deepcopy

import pytest
import torch
from torch import nn

from loopwright.bits import same_bits
from loopwright.core import State, evaluate
from loopwright.core.gradients import total_norm
from loopwright.core.parallel import ALONE
from loopwright.core.parameters import dense, separate
from loopwright.errors import ConfigError, UsageError
from tests.distributed.peers import among
from tests.toys import Toy, bits, run, toy


def made_of(build, **options):
    """The toy with another model."""

    class Made(Toy):
        def model(self) -> nn.Module:
            return build()

    return toy(task=Made(), **options)


class Added(nn.Module):
    """Two parameters that are only added: autograd gives both one gradient, in one memory."""

    def __init__(self) -> None:
        super().__init__()
        self.place, self.kind = nn.Parameter(torch.ones(4)), nn.Parameter(torch.ones(4))
        self.out = nn.Linear(4, 2)

    def forward(self, x):
        return self.out(x * (self.place[None] + self.kind[None]))


@pytest.mark.parametrize("shards", [1, 4])
def test_gradients_that_share_memory_are_added_and_clipped_once(shards):
    reports = run(made_of(Added, shards=shards, clip_norm=0.01, steps=1))[1].steps
    whole = run(made_of(Added, clip_norm=0.0, steps=1))[1].steps
    torch.testing.assert_close(reports[0].grad_norm, whole[0].grad_norm, rtol=1e-5, atol=0)  # sums in another order
    state = State.create(made_of(Added))
    assert total_norm(state.parameters).item() == 0


def test_two_parameters_with_one_gradient_move_alike():
    state, _, _ = run(made_of(Added, shards=2))
    assert torch.equal(state.model.place, state.model.kind)


def test_gradients_without_elements_share_nothing():
    empty = [nn.Parameter(torch.zeros(0)) for _ in range(2)]
    for parameter in empty:
        parameter.grad = torch.zeros(0)
    before = [parameter.grad for parameter in empty]
    separate(empty)
    assert all(parameter.grad is gradient for parameter, gradient in zip(empty, before, strict=True))


class Sliced(nn.Module):
    """A parameter made of a slice, whose memory has gaps."""

    def __init__(self) -> None:
        super().__init__()
        self.basis = nn.Parameter(torch.randn(6, 4).T[:2].T)
        self.out = nn.Linear(6, 2)

    def forward(self, x):
        return self.out(torch.cat([x @ torch.randn(4, 4, generator=torch.Generator().manual_seed(0)), x[:, :2]], 1)) + (
            x[:, :2] @ self.basis[:2]
        )


def test_a_parameter_with_gaps_in_its_memory_is_moved_like_any_other():
    assert not dense(torch.randn(6, 4).T[:2].T)
    state = State.create(made_of(Sliced))
    assert all(dense(parameter) for parameter in state.parameters)
    before = state.model.basis.detach().clone()
    after = run(made_of(Sliced, steps=3))[0].model.basis
    assert ((after - before)[:2] != 0).all()


@pytest.mark.parametrize(
    ("tensor", "lies_dense"),
    [
        (torch.zeros(3, 4), True),
        (torch.zeros(3, 4).T, True),
        (torch.zeros(2, 3, 4, 4).to(memory_format=torch.channels_last), True),
        (torch.zeros(()), True),
        (torch.zeros(0, 3), True),
        (torch.zeros(1, 5)[:, :3], True),
        (torch.zeros(4, 5)[:, :3], False),
        (torch.zeros(3).expand(4, 3), False),
    ],
)
def test_memory_is_dense_or_has_gaps(tensor, lies_dense):
    assert dense(tensor) is lies_dense


class Renormed(nn.Module):
    """An embedding that shortens the rows it looks up, in place, in every forward pass."""

    def __init__(self) -> None:
        super().__init__()
        self.rows = nn.Embedding(8, 2, max_norm=0.5)

    def forward(self, x):
        return self.rows((x[:, 0] * 4).long().clamp(0, 7))


def test_a_parameter_that_the_forward_pass_changes_is_refused_with_several_shards():
    with pytest.raises(ConfigError, match=r"rows\.weight: with several shards, a forward pass that changes"):
        run(made_of(Renormed, shards=2))


def test_evaluations_leave_an_embedding_with_max_norm_as_it_was():
    often, seldom = (run(made_of(Renormed, eval_every=every))[0] for every in (1, 7))
    assert same_bits(often.model.rows.weight, seldom.model.rows.weight)


class Shrinking(nn.Module):
    """A layer that changes its own weight whenever it is used."""

    def __init__(self) -> None:
        super().__init__()
        self.out = nn.Linear(4, 2)

    def forward(self, x):
        with torch.no_grad():
            self.out.weight.mul_(0.99)
        return self.out(x)


def test_an_evaluation_that_changes_a_parameter_is_refused():
    task = made_of(Shrinking).task
    with pytest.raises(ConfigError, match=r"out\.weight: an evaluation that changes this parameter"):
        evaluate(task, Shrinking(), "val")


def test_a_lazy_parameter_is_refused():
    with pytest.raises(ConfigError, match="a lazy parameter has no shape"):
        State.create(made_of(lambda: nn.LazyLinear(2)))


def test_a_sparse_gradient_is_refused():
    class Sparse(Renormed):
        def __init__(self) -> None:
            super().__init__()
            self.rows = nn.Embedding(8, 2, sparse=True)

    with pytest.raises(ConfigError, match=r"\(8, 2\) has a sparse gradient; build it with sparse=False"):
        run(made_of(Sparse, shards=2))


class Late(nn.Module):
    """Registers a buffer when it is first used."""

    def __init__(self) -> None:
        super().__init__()
        self.out = nn.Linear(4, 2)

    def forward(self, x):
        self.register_buffer("seen", torch.ones(1))
        return self.out(x)


def test_a_model_whose_state_grows_is_refused_before_a_checkpoint_that_nothing_could_read():
    with pytest.raises(ConfigError, match="seen: came or went while training"):
        run(made_of(Late))


def test_every_shard_weighs_every_component():
    class Uneven(Toy):
        @property
        def data(self):
            data = super().data
            object.__setattr__(data, "weigh", lambda tensors: {"a" if len(tensors["x"]) % 2 else "b": 1.0})
            return data

    with pytest.raises(UsageError, match="weights: one shard has"):
        run(toy(task=Uneven(), batch_size=7, shards=2))


@pytest.mark.parametrize("precision", ["fp16", "fp32"])
def test_a_worker_without_a_shard_in_its_first_step_takes_part(precision):
    experiment = made_of(Added, precision=precision, shards=8, steps=7, save_every=6)
    saved = run(experiment)[2].saved[6]

    def short_step(group):
        return bits(run(experiment, saved=deepcopy(saved), workers=group)[0])

    assert among(0, 8, short_step) == short_step(ALONE)
