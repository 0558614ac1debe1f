from __future__ import annotations

import copy

import pytest
import torch
from torch import nn

from loopwright.core import SGD, Adam, AdamW, Muon, build_optimizer
from loopwright.core.adam import FusedAdam

ALL = [AdamW(), Adam(), SGD(), Muon()]


def network() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(1, 2, 3), nn.Flatten(), nn.Linear(2 * 9, 8), nn.LayerNorm(8), nn.Linear(8, 2))


def one_step(model: nn.Module, optimizer) -> None:
    optimizer.zero_grad()
    model(torch.ones(2, 1, 5, 5) * torch.arange(50.0).reshape(2, 1, 5, 5)).square().sum().backward()
    optimizer.step()


@pytest.mark.parametrize("choice", ALL, ids=lambda choice: type(choice).__name__)
def test_every_parameter_is_held_once_and_only_matrices_decay(choice):
    model = network()
    groups = choice.build(model).param_groups
    held = [parameter for group in groups for parameter in group["params"]]
    assert {id(p) for p in held} == {id(p) for p in model.parameters()}
    assert len(held) == len(list(model.parameters()))
    for group in groups:
        assert group["initial_lr"] == group["lr"]
        if any(parameter.ndim < 2 for parameter in group["params"]):
            assert group["weight_decay"] == 0.0


@pytest.mark.parametrize("choice", ALL, ids=lambda choice: type(choice).__name__)
def test_a_restored_optimizer_makes_the_identical_next_step(choice):
    model = network()
    optimizer = choice.build(model)
    one_step(model, optimizer)
    twin = copy.deepcopy(model)
    restored = choice.build(twin)
    restored.load_state_dict(copy.deepcopy(optimizer.state_dict()))
    one_step(model, optimizer)
    one_step(twin, restored)
    for a, b in zip(model.parameters(), twin.parameters(), strict=True):
        assert torch.equal(a, b)
    assert [g["lr"] for g in restored.param_groups] == [g["lr"] for g in optimizer.param_groups]


@pytest.mark.parametrize("choice", ALL, ids=lambda choice: type(choice).__name__)
def test_frozen_parameters_stay_out(choice):
    model = network()
    model[0].requires_grad_(False)
    held = {id(p) for group in choice.build(model).param_groups for p in group["params"]}
    assert id(model[0].weight) not in held


def test_muon_takes_the_hidden_matrices_and_adamw_the_rest():
    model = network()
    muon, adamw = Muon().build(model).parts
    assert [p is model[2].weight for group in muon.param_groups for p in group["params"]] == [True]
    assert len([p for group in adamw.param_groups for p in group["params"]]) == 7


def test_muon_of_a_model_without_hidden_matrices_is_adamw_alone():
    assert len(Muon().build(nn.Linear(2, 2)).parts) == 1


def test_muon_of_hidden_matrices_alone_needs_no_adamw():
    model = nn.Sequential(nn.Linear(2, 2, bias=False), nn.Linear(2, 2, bias=False))
    model[1].requires_grad_(False)
    assert len(Muon().build(model).parts) == 1


def test_build_optimizer_is_adamw_with_the_given_betas():
    optimizer = build_optimizer(network(), 3e-4, weight_decay=0.1, betas=(0.9, 0.95))
    assert isinstance(optimizer, FusedAdam)
    assert optimizer.param_groups[0]["betas"] == (0.9, 0.95)
    assert [group["weight_decay"] for group in optimizer.param_groups] == [0.1, 0.0]


@pytest.mark.parametrize("choice", ALL, ids=lambda choice: type(choice).__name__)
def test_parameters_of_several_types_are_no_obstacle(choice):
    model = nn.Sequential(nn.Linear(4, 4), nn.Linear(4, 4).double(), nn.Linear(4, 2))
    optimizer = choice.build(model)
    for parameter in model.parameters():
        parameter.grad = torch.ones_like(parameter)
    before = [parameter.clone() for parameter in model.parameters()]
    optimizer.step()
    assert not any(torch.equal(a, b) for a, b in zip(before, model.parameters(), strict=True))
