"""FusedAdam: torch's bits and torch's checkpoints."""

from __future__ import annotations

import copy
import subprocess
import sys
from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from loopwright.core.adam import FusedAdam

Build = Callable[[list[nn.Parameter]], Optimizer]


def ours(parameters: list[nn.Parameter], decoupled: bool) -> Optimizer:
    groups = [{"params": parameters[:2], "weight_decay": 0.1}, {"params": parameters[2:], "weight_decay": 0.0}]
    return FusedAdam(groups, lr=1e-2, betas=(0.9, 0.95), decoupled=decoupled)


def torchs(parameters: list[nn.Parameter], decoupled: bool) -> Optimizer:
    groups = [{"params": parameters[:2], "weight_decay": 0.1}, {"params": parameters[2:], "weight_decay": 0.0}]
    kind = torch.optim.AdamW if decoupled else torch.optim.Adam
    return kind(groups, lr=1e-2, betas=(0.9, 0.95), fused=True)


def parameters() -> list[nn.Parameter]:
    generator = torch.Generator().manual_seed(0)
    return [nn.Parameter(torch.randn(shape, generator=generator)) for shape in ((3, 5), (7,), (2, 2), ())]


def descend(mine: list[nn.Parameter], optimizer: Optimizer, steps: range) -> None:
    for step in steps:
        generator = torch.Generator().manual_seed(step)
        for number, parameter in enumerate(mine):
            gradient = torch.randn(parameter.shape, generator=generator)
            parameter.grad = None if (step + number) % 3 == 0 else gradient
        optimizer.step()


def equal(left: list[nn.Parameter], right: list[nn.Parameter]) -> bool:
    return all(torch.equal(a, b) for a, b in zip(left, right, strict=True))


@pytest.mark.parametrize("decoupled", [True, False])
def test_its_updates_are_those_of_torch_bit_for_bit_even_where_gradients_are_missing(decoupled: bool) -> None:
    left, right = parameters(), parameters()
    descend(left, ours(left, decoupled), range(9))
    descend(right, torchs(right, decoupled), range(9))
    assert equal(left, right)


@pytest.mark.parametrize("decoupled", [True, False])
def test_either_goes_on_from_the_others_state(decoupled: bool) -> None:
    straight = parameters()
    descend(straight, torchs(straight, decoupled), range(9))
    for first, second in ((ours, torchs), (torchs, ours)):
        mine = parameters()
        begun = first(mine, decoupled)
        descend(mine, begun, range(4))
        resumed = second(mine, decoupled)
        resumed.load_state_dict(copy.deepcopy(begun.state_dict()))
        descend(mine, resumed, range(4, 9))
        assert equal(mine, straight)


def test_a_step_without_any_gradient_changes_nothing() -> None:
    left = parameters()
    optimizer = ours(left, decoupled=True)
    optimizer.step()
    assert equal(left, parameters())
    assert not optimizer.state


def test_zero_grad_drops_the_gradients() -> None:
    left = parameters()
    descend(left, optimizer := ours(left, decoupled=True), range(1))
    optimizer.zero_grad()
    gradients: list[Tensor | None] = [parameter.grad for parameter in left]
    assert gradients == [None] * 4


def test_a_start_does_not_wait_for_the_compiler() -> None:
    code = (
        "import sys, torch; from torch import nn; from loopwright.core.adam import FusedAdam; "
        "made = FusedAdam([{'params': [nn.Parameter(torch.ones(2))]}], lr=0.1, betas=(0.9, 0.99)); made.zero_grad(); "
        "made.step(); made.load_state_dict(made.state_dict()); assert 'torch._dynamo' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
