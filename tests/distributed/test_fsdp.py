"""Weights, gradients and moments in parts: with real processes, the bits of one worker."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch import distributed as dist
from torch.utils.checkpoint import checkpoint

from guarantees.models import CASES
from guarantees.workers import Trajectory, trajectory
from loopwright.core import Adam, Experiment, Interrupt, Muon, State, train
from loopwright.core.blocks import blocks
from loopwright.core.evaluate import evaluate
from loopwright.core.fsdp import Reduce, Sharded, arranged, is_sharded, layout_of
from loopwright.core.group import Group
from loopwright.core.parallel import ALONE, Workers
from loopwright.errors import CheckpointError, ConfigError, NonFiniteError
from loopwright.initializers import weights_sha256
from loopwright.protocols import NoJournal, NoStore, Worker
from tests.distributed.peers import among
from tests.toys import Memory, Records, Toy, bits, toy

END = 99
"""No run gets as far: until its end."""


@cache
def whole(name: str) -> Trajectory:
    return trajectory(CASES[name](), [(1, END, "replicate")])


@pytest.mark.parametrize(
    ("name", "size"),
    [*((name, 2) for name in CASES), ("MLP, SGD with momentum, 6 shards", 4), ("LSTM with dropout, AdamW", 4)],
)
def test_parts_on_several_workers_make_the_bits_of_one(name, size):
    assert trajectory(CASES[name](), [(size, END, "fsdp")]) == whole(name)


def test_a_run_goes_on_in_parts_and_whole_on_any_number_of_workers():
    name = "transformer with dropout, bf16 autocast"
    schedule = [(2, 2, "fsdp"), (1, 3, "replicate"), (4, 4, "fsdp"), (3, 6, "replicate"), (2, END, "fsdp")]
    assert trajectory(CASES[name](), schedule) == whole(name)


def in_parts(experiment: Experiment, workers: Workers, saved: Any = None) -> tuple[State, Records, Memory]:
    """Train in this process, as one of `workers`."""
    workers = arranged(experiment, workers)
    state, records, memory = State.create(experiment, layout_of(experiment, workers)), Records(), Memory()
    if saved is not None:
        state.load_state_dict(saved)
    train(experiment, state, journal=records, store=memory, workers=workers)
    return state, records, memory


def told(records: Records) -> tuple[object, ...]:
    steps = [(report.loss.item(), report.grad_norm.item(), report.samples) for report in records.steps]
    return steps, records.validations, records.epochs


TOY = toy(batch_size=16, shards=3, parallel="fsdp", clip_norm=0.1, ema_decay=0.9, eval_every=2, save_every=5)
"""Of two workers the second has nothing to do in each second pass, and none of the shards of short batches."""


@pytest.mark.parametrize("rank", [0, 1])
def test_each_worker_tells_the_same_of_a_run_and_the_first_saves_it_whole(rank):
    alone, records, memory = in_parts(TOY, ALONE)
    assert max(report.grad_norm.item() for report in records.steps) > TOY.clip_norm

    def work(group: Group) -> tuple[object, object, object]:
        state, found, store = in_parts(TOY, group)
        saved = bits(state), store.saved.keys()
        digest = weights_sha256(state.model, state.layout.whole)
        return (*saved, digest), told(found), sum(tensor.to_local().numel() for tensor in state.model.parameters())

    (saved, steps, digest), found, held = among(rank, 2, work)
    assert found == told(records)
    assert steps == memory.saved.keys()
    assert digest == weights_sha256(alone.model)
    assert held < sum(parameter.numel() for parameter in alone.parameters)
    if rank == 0:
        assert saved == bits(alone)
    else:
        assert sum(len(leaf) for _, leaf in saved) < sum(len(leaf) for _, leaf in bits(alone)) / 2


@pytest.mark.parametrize("rank", [0, 1])
def test_what_one_worker_saved_goes_on_in_parts(rank):
    alone, _, memory = in_parts(TOY, ALONE)
    saved = memory.saved[5]
    digest = among(rank, 2, lambda group: weights_of(in_parts(TOY, group, saved)[0]))
    assert digest == weights_of(alone)


def weights_of(state: State) -> str:
    return weights_sha256(state.model, state.layout.whole)


def forged(change: Callable[[dict[str, Any]], None]) -> dict[str, Any]:
    saved = copy.deepcopy(in_parts(replace(TOY, steps=1), ALONE)[0].state_dict())
    change(saved)
    return saved


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda saved: saved["model"].update({"0.weight": torch.zeros(8, 4)}), r"0\.weight is \(8, 4\)"),
        (lambda saved: saved["model"].pop("0.weight"), r"missing: 0\.weight \(16, 4\)"),
        (lambda saved: saved["optimizer"]["state"][0].update(exp_avg=torch.zeros(8, 4)), r"\(16, 4\) is expected"),
        (lambda saved: saved["average"].update({"module.0.weight": torch.zeros(8, 4)}), "not the state of a run"),
        (lambda saved: saved.update(average=[]), "not the state of a run"),
        (lambda saved: saved.update(model=7), "a dict of tensors is expected"),
    ],
)
def test_a_checkpoint_that_does_not_fit_is_refused_in_parts_too(change, message):
    saved = forged(change)

    def load(group: Group) -> None:
        with pytest.raises(CheckpointError, match=message):
            State.create(TOY, layout_of(TOY, arranged(TOY, group))).load_state_dict(saved)

    among(0, 2, load)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"optimizer": Muon()}, "fsdp does not go with optimizer Muon, which needs whole matrices"),
        ({"precision": "fp16"}, "fsdp does not go with precision fp16"),
        ({"compile": True}, "fsdp does not go with compile"),
        ({"device": "mps"}, "fsdp does not go with device mps; it knows cpu and cuda"),
    ],
)
def test_what_needs_whole_weights_is_refused_by_name(changes, message):
    with pytest.raises(ConfigError, match=f"parallel: {message}"):
        replace(TOY, **changes).check()
    replace(TOY, **changes, parallel="replicate").check()
    assert TOY.check() is TOY


def test_three_workers_are_refused_with_the_number_that_works():
    with pytest.raises(ConfigError, match="fsdp on 3 workers, whose number must be a power of two; start 2, or"):
        arranged(TOY, SimpleNamespace(worker=Worker(0, 3)))


def test_one_worker_holds_all_there_is():
    assert arranged(TOY, ALONE) is ALONE


def test_a_signal_does_not_break_off_what_the_others_take_part_in():
    interrupt = Interrupt()
    interrupt.requested = 15
    with interrupt.breakable(SimpleNamespace(worker=Worker(0, 2, strided=True))):
        assert not interrupt.armed


@dataclass(frozen=True)
class Made(Toy):
    """The toy with another model."""

    make: Callable[[], nn.Module] = nn.Identity

    def model(self) -> nn.Module:
        return self.make()


class Half(nn.Module):
    """A parameter that no gradient reaches in this process, where another one's reaches it."""

    def __init__(self, here: bool) -> None:
        super().__init__()
        self.used, self.other = nn.Linear(4, 2), nn.Linear(4, 2)
        self.here = here

    def forward(self, x: Tensor) -> Tensor:
        return self.used(x) if self.here else self.used(x) + self.other(x)


class Twins(nn.Module):
    """Two layers of one size in one block, of which each process uses another."""

    def __init__(self, here: bool) -> None:
        super().__init__()
        self.layers = nn.ModuleList(nn.Linear(4, 2) for _ in range(2))
        self.here = here

    def forward(self, x: Tensor) -> Tensor:
        return self.layers[not self.here](x)


class Doubled(nn.Module):
    """A block that runs twice in a forward pass, or in two backward passes."""

    def __init__(self, checkpointed: bool) -> None:
        super().__init__()
        self.checkpointed = checkpointed
        self.first = nn.Linear(4, 4)
        self.blocks = nn.ModuleList([nn.Sequential(nn.Linear(4, 4))])
        self.last = nn.Linear(4, 2)

    def forward(self, x: Tensor) -> Tensor:
        (block,) = self.blocks
        x = self.first(x)
        for _ in range(2):
            x = checkpoint(block, x, use_reentrant=True) if self.checkpointed and self.training else block(x)
        return self.last(x)


def with_parameter(parameter: nn.Parameter) -> nn.Module:
    model = nn.Linear(4, 2)
    model.extra = parameter
    return model


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Doubled(True), "left with whole weights after a backward pass, as by a reentrant checkpoint"),
        (lambda: with_parameter(nn.Parameter(torch.tensor(1.0))), "extra has no dimension; give it a plain shape"),
        (lambda: with_parameter(nn.Parameter(torch.ones(3, 2).t())), "extra is not contiguous"),
        (lambda: with_parameter(nn.Parameter(torch.ones(3).double())), "one dtype, the model has torch.float32, torch"),
    ],
)
def test_a_model_that_cannot_be_had_in_parts_is_refused_by_name(make, message):
    def run(group: Group) -> None:
        with pytest.raises(ConfigError, match=message):
            in_parts(replace(TOY, task=Made(make=make)), group)

    among(0, 2, run)


class Swapped(nn.Module):
    """Two blocks, of which each process uses another."""

    def __init__(self, here: bool) -> None:
        super().__init__()
        self.blocks = nn.ModuleList([nn.Sequential(nn.Linear(4, 2)), nn.Sequential(nn.Linear(4, 3), nn.Linear(3, 2))])
        self.here = here

    def forward(self, x: Tensor) -> Tensor:
        return self.blocks[self.here](x)


@pytest.mark.parametrize(
    ("kind", "places"),
    [
        (Half, r"the gradients of \['the model', 10\], worker 1 at the gradients of \['the model', 20\]"),
        (Swapped, r"the weights of blocks\.1, worker 1 at the weights of blocks\.0"),
        (Twins, r"the end of the pass, .* \[2, 3\], worker 1 at the end of the pass, .* \[0, 1\]"),
    ],
)
def test_shards_that_run_other_modules_than_the_others_are_refused_and_hang_nobody(kind, places):
    def run(here: bool) -> Callable[[Group], None]:
        def work(group: Group) -> None:
            with pytest.raises(ConfigError, match=f"run the same modules; worker 0 is at {places}; set --parallel rep"):
                in_parts(replace(TOY, task=Made(make=lambda: kind(here)), ema_decay=0.0), group)

        return work

    among(0, 2, run(True), run(False))


@pytest.mark.parametrize("rank", [0, 1])
def test_a_worker_without_a_shard_changes_no_bit_of_the_sum(rank):
    def summed(group: Group) -> bytes:
        layout, total = Sharded(TOY, group), torch.empty(2)
        layout.idle = group.worker.rank == 1
        given = torch.full((4,), torch.nan) if layout.idle else torch.tensor([-0.0, 0.0, -0.0, torch.inf])
        Reduce(layout, "here")(total, given, dist.group.WORLD, None)
        return total.numpy().tobytes()

    assert among(rank, 2, summed) == torch.tensor([[-0.0, 0.0], [-0.0, torch.inf]])[rank].numpy().tobytes()


class Frozen(nn.Module):
    """A layer that stays, one that is never used, an empty parameter, and blocks with a sequence inside."""

    def __init__(self) -> None:
        super().__init__()
        self.frozen = nn.Linear(4, 4).requires_grad_(False)
        self.unused = nn.Linear(3, 5)
        self.empty = nn.Parameter(torch.zeros(0, 3))
        self.blocks = nn.ModuleList(
            nn.Sequential(nn.Linear(4, 67), nn.Sequential(nn.ReLU(), nn.Linear(67, 4))) for _ in range(2)
        )
        self.last = nn.Linear(4, 2)

    def forward(self, x: Tensor) -> Tensor:
        x = self.frozen(x)
        for block in self.blocks:
            x = x + block(x)
        return self.last(x)


@pytest.mark.parametrize(
    ("make", "optimizer"),
    [(Frozen, TOY.optimizer), (Frozen, Adam(lr=0.01, weight_decay=0.1)), (lambda: Doubled(False), TOY.optimizer)],
    ids=["frozen, unused and empty", "the same with Adam", "used twice"],
)
def test_parameters_of_all_kinds_are_what_they_are_on_one_worker(make, optimizer):
    experiment = replace(TOY, task=Made(make=make), optimizer=optimizer, ema_decay=0.0)
    alone = in_parts(experiment, ALONE)[0]
    assert among(0, 2, lambda group: bits(in_parts(experiment, group)[0])) == bits(alone)


def test_a_block_is_an_element_with_modules_of_its_own_and_parameters_that_nobody_else_uses():
    model = Frozen()
    assert blocks(model) == [model.blocks[0][1], model.blocks[1][1], *model.blocks] or blocks(model) == [
        model.blocks[1][1],
        model.blocks[0][1],
        *model.blocks,
    ]
    model.last.weight = nn.Parameter(torch.zeros(4, 67))
    model.blocks[0][1][1].weight = model.last.weight
    assert blocks(model) == [model.blocks[1][1], model.blocks[1]]
    nested = nn.ModuleList([nn.ModuleList([nn.Sequential(nn.Linear(1, 1))]), nn.ReLU()])
    assert blocks(nested) == [nested[0][0]]


def test_a_loss_that_is_no_number_names_parameters_held_in_parts():
    def ruined(group: Group) -> str:
        workers = arranged(TOY, group)
        state = State.create(TOY, layout_of(TOY, workers))
        with torch.no_grad():
            for parameter in state.model[4].parameters():
                parameter.detach().to_local().fill_(torch.inf)
        with pytest.raises(NonFiniteError) as caught:
            train(TOY, state, journal=NoJournal(), store=NoStore(), workers=workers)
        return str(caught.value)

    assert "non-finite gradients in 0.weight, 0.bias, 1.weight, 1.bias, 4.weight, 4.bias" in among(0, 2, ruined)


def test_an_evaluation_gives_the_first_workers_numbers_to_all():
    def work(group: Group) -> dict[str, int]:
        workers = arranged(TOY, group)
        return workers.from_model(lambda: {"rank": workers.worker.rank})

    assert among(1, 2, work) == {"rank": 0}


def test_an_evaluation_leaves_no_whole_weights_behind_that_the_next_one_would_read():
    def work(group: Group) -> bool:
        workers = arranged(TOY, group)
        state = State.create(TOY, layout_of(TOY, workers))
        evaluate(TOY.task, state.model, "val")
        return all(map(is_sharded, state.model.parameters()))

    assert among(0, 2, work)


@pytest.mark.gpu
@pytest.mark.skipif(torch.cuda.device_count() < 2, reason="needs two GPUs")
@pytest.mark.parametrize("name", ["transformer with dropout, bf16 autocast", "MLP with LayerNorm and dropout, AdamW"])
def test_parts_on_two_gpus_make_the_bits_of_one(name, monkeypatch):
    on_cuda = replace(CASES[name](), device="cuda")
    assert trajectory(on_cuda, [(2, END, "fsdp")]) == trajectory(on_cuda, [(1, END, "replicate")])
