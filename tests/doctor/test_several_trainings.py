"""Several trainings in one program: folds, grids, rounds and stages are no faults; faults inside of them are."""

from __future__ import annotations

import copy
import gc
from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from loopwright.doctor.doctor import Doctor
from loopwright.doctor.optimizers import Held, Start
from loopwright.doctor.program import REMEMBERED, Present

FOLDS = 4
EPOCHS = 3
generator = torch.Generator().manual_seed(0)
X = torch.randn(400, 10, generator=generator)
Y = (X[:, 0] + X[:, 1] > 0).long()


def net() -> nn.Sequential:
    return nn.Sequential(nn.Linear(10, 32), nn.ReLU(), nn.Linear(32, 2))


def watched(train: Callable[[], None]) -> list[str]:
    torch.manual_seed(0)
    with Doctor() as doctor:
        train()
    assert doctor.failures == {}
    return [one.cause for one in doctor.ranked if one.severity != "info"]


def adam(model: nn.Module) -> torch.optim.Optimizer:
    return torch.optim.Adam(model.parameters(), lr=1e-2)


def epochs(
    model: nn.Module, optimizer: torch.optim.Optimizer, train: Tensor, held: Tensor, after: Callable[[], None]
) -> None:
    for _ in range(EPOCHS):
        model.train()
        for rows in train[torch.randperm(len(train))].split(20):
            optimizer.zero_grad()
            F.cross_entropy(model(X[rows]), Y[rows]).backward()
            optimizer.step()
            after()
        model.eval()
        with torch.no_grad():
            F.cross_entropy(model(X[held]), Y[held])


def folds():
    for part in range(FOLDS):
        held = torch.arange(len(X)) % FOLDS == part
        yield (~held).nonzero().squeeze(1), held.nonzero().squeeze(1)


def length() -> int:
    return EPOCHS * len(X) * (FOLDS - 1) // FOLDS // 20


def scheduled(make) -> Callable[[], None]:
    def train() -> None:
        for rows, held in folds():
            model = net()
            optimizer = adam(model)
            schedule = make(optimizer)
            epochs(model, optimizer, rows, held, schedule.step)

    return train


def cosine(optimizer):
    return torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, length())


def linear(optimizer):
    return torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: max(0.0, 1 - step / length()))


def one_cycle(optimizer):
    return torch.optim.lr_scheduler.OneCycleLR(optimizer, 1e-2, total_steps=length())


def put_back() -> None:
    model = net()
    first = copy.deepcopy(model.state_dict())
    for rows, held in folds():
        model.load_state_dict(first)
        epochs(model, adam(model), rows, held, lambda: None)


def drawn_again() -> None:
    model = net()
    for rows, held in folds():
        model[0].reset_parameters()
        model[2].reset_parameters()
        epochs(model, adam(model), rows, held, lambda: None)


def best_kept() -> None:
    for rows, held in folds():
        model = net()
        epochs(model, adam(model), rows, held, lambda: None)
        model.load_state_dict(copy.deepcopy(model.state_dict()))
        with torch.no_grad():
            F.cross_entropy(model(X[held]), Y[held])


def one_pretrained() -> None:
    start = net()
    pretraining = torch.optim.Adam(start.parameters(), lr=3e-3)
    epochs(start, pretraining, torch.arange(100), torch.arange(100, 200), lambda: None)
    for rows, held in folds():
        model = net()
        model.load_state_dict(start.state_dict())
        epochs(model, adam(model), rows, held, lambda: None)


def federated() -> None:
    model = net()
    for _ in range(6):
        states = []
        for part in torch.arange(320).view(4, 80):
            local = copy.deepcopy(model)
            optimizer = torch.optim.SGD(local.parameters(), lr=0.1, momentum=0.9)
            for rows in part.split(20):
                optimizer.zero_grad()
                F.cross_entropy(local(X[rows]), Y[rows]).backward()
                optimizer.step()
            states.append(local.state_dict())
        model.load_state_dict({name: sum(state[name] for state in states) / 4 for name in states[0]})
        with torch.no_grad():
            F.cross_entropy(model(X[320:]), Y[320:])


def long_stages() -> None:
    model = net()
    for stage in range(3):
        optimizer = adam(model)
        for _ in range(14):
            for rows in torch.randperm(320).split(20):
                optimizer.zero_grad()
                F.cross_entropy(model(X[rows] + 0.1 * stage), Y[rows]).backward()
                optimizer.step()


HEALTHY = [
    scheduled(cosine),
    scheduled(linear),
    scheduled(one_cycle),
    put_back,
    drawn_again,
    best_kept,
    one_pretrained,
    federated,
    long_stages,
]


@pytest.mark.parametrize("train", HEALTHY)
def test_a_later_training_has_nothing_to_do_with_an_earlier_one(train):
    assert watched(train) == []


def test_a_schedule_that_is_over_too_soon_in_each_fold_is_named():
    def too_short(optimizer):
        return torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, 10, eta_min=0)

    def train() -> None:
        for rows, held in folds():
            model = net()
            optimizer = adam(model)
            schedule = too_short(optimizer)
            epochs(model, optimizer, rows, held, lambda schedule=schedule: over(schedule))

    def over(schedule) -> None:
        if schedule.last_epoch < 10:
            schedule.step()

    assert watched(train) == ["schedule-too-fast"]


def test_an_optimizer_that_is_built_anew_in_each_epoch_is_named():
    def train() -> None:
        model = net()
        for _ in range(5):
            optimizer = adam(model)
            for rows in torch.randperm(len(X)).split(20):
                optimizer.zero_grad()
                F.cross_entropy(model(X[rows]), Y[rows]).backward()
                optimizer.step()

    assert watched(train) == ["optimizer-rebuilt"]


def test_one_model_that_is_validated_on_what_it_was_trained_on_is_named_in_a_later_fold():
    def train() -> None:
        first = True
        for rows, held in folds():
            model = net()
            mixed = held if first else torch.cat([held, rows[:50]])
            epochs(model, adam(model), rows, mixed, lambda: None)
            first = False

    assert watched(train) == ["split-overlap"]


def test_a_training_that_goes_on_without_the_optimizers_memory_is_named_and_one_from_the_beginning_is_not():
    def train(model: nn.Module, state: dict[str, Tensor]) -> None:
        epochs(model, adam(model), torch.arange(320), torch.arange(320, 400), lambda: None)
        later = net()
        later.load_state_dict(state or model.state_dict())
        epochs(later, adam(later), torch.arange(320), torch.arange(320, 400), lambda: None)

    model = net()
    first = copy.deepcopy(model.state_dict())
    assert watched(lambda: train(model, first)) == []
    assert watched(lambda: train(net(), {})) == ["optimizer-not-saved"]


def test_gradients_that_are_sparse_are_gradients():
    def train() -> None:
        table, top = nn.Embedding(30, 8, sparse=True), nn.Linear(8, 2)
        optimizers = [torch.optim.SparseAdam(table.parameters(), 1e-2), torch.optim.Adam(top.parameters(), 1e-2)]
        for rows in torch.arange(400).split(20):
            for optimizer in optimizers:
                optimizer.zero_grad()
            F.cross_entropy(top(table(rows % 30)), Y[rows]).backward()
            for optimizer in optimizers:
                optimizer.step()

    assert watched(train) == []


def test_what_is_gone_is_remembered_no_longer():
    present, thing = Present(), nn.Linear(2, 2)
    present.note(thing)
    assert list(present) == [id(thing)]
    del thing
    gc.collect()
    assert not present
    layer = nn.Linear(2, 2)
    optimizer = adam(layer)
    held = Held(lambda: optimizer, "Adam")
    held.hold(optimizer)
    assert held.parameters == {id(layer.weight), id(layer.bias)}
    del layer
    optimizer.param_groups.clear()
    gc.collect()
    assert (held.parameters, held.size) == (frozenset(), 2)


def test_many_optimizers_take_no_room():
    with Doctor() as doctor:
        model = net()
        first = adam(model)
        for number in range(3 * REMEMBERED):
            local = net() if number else model
            optimizer = torch.optim.SGD(local.parameters(), lr=0.1) if number else first
            F.cross_entropy(local(X[:20]), Y[:20]).backward()
            optimizer.step()
        notes = doctor.scene.program.notes
        assert len(notes.built) == REMEMBERED
        assert notes.built[0].held.optimizer() is first
        del local
        gc.collect()
        assert list(notes.models) == [id(model)]


@pytest.mark.parametrize(
    ("start", "weights", "anew"),
    [(2.3, {"a": 1.0}, True), (0.5, {"a": 1.0}, True), (2.2, {"a": 3.0}, True), (0.6, {"a": 3.0}, False)],
)
def test_whether_a_training_begins_anew_is_told_by_weights_and_loss(start, weights, anew):
    earlier, later = Held(lambda: None, "Adam"), Held(lambda: None, "Adam")
    assert not later.anew(earlier)
    earlier.start = Start(2.3, {"a": 1.0})
    earlier.losses.extend([0.7, 0.5, 0.6])
    later.start = Start(start, weights)
    assert later.anew(earlier) is anew
    earlier.losses.clear()
    earlier.losses.append(2.29)  # nothing was learned, so that nothing can be told by the loss
    assert later.anew(earlier) is (weights == {"a": 1.0})
