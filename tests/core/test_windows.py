"""Parts of a parameter under a fused kernel, which rounds by where an element stands in memory."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from loopwright.core import SGD, Adam, AdamW
from loopwright.core.windows import ALIGNED, Held, Window

CHOICES = (AdamW(lr=0.1), Adam(lr=0.1, weight_decay=0.1), SGD(lr=0.1, nesterov=True, weight_decay=0.1))
SHAPES = st.lists(st.integers(0, 40), min_size=1, max_size=3)


@settings(max_examples=60, deadline=None)
@given(SHAPES, st.sampled_from([1, 2, 3, 4, 8]), st.sampled_from(CHOICES))
def test_an_optimizer_computes_on_parts_what_it_computes_on_the_whole(shape, size, choice):
    whole = nn.Module()
    whole.weight = nn.Parameter(torch.randn(shape, generator=torch.Generator().manual_seed(1)))
    windows = [Window(whole.weight.shape, rank, size) for rank in range(size)]
    held = [Held.of(window.cut(whole.weight.detach()).clone(), window) for window in windows]
    parts = nn.Module()
    parts.windows = nn.ParameterList(each.parameter for each in held)
    optimizers = choice.build(whole), choice.build(parts)
    for group in optimizers[1].param_groups:
        group["weight_decay"] = optimizers[0].param_groups[0]["weight_decay"]
    for step in range(3):
        whole.weight.grad = torch.randn(shape, generator=torch.Generator().manual_seed(step))
        for each in held:
            each.pull()
            each.parameter.grad = each.window.widened(each.window.cut(whole.weight.grad).clone())
        for optimizer in optimizers:
            optimizer.step()
        for each in held:
            each.push()
    assert torch.equal(torch.cat([each.local for each in held]), whole.weight.detach().reshape(-1))


@given(SHAPES, st.integers(1, 9))
def test_parts_are_the_tensor_and_windows_end_at_whole_vectors_or_where_it_ends(shape, size):
    tensor = torch.arange(torch.Size(shape).numel()).reshape(shape)
    windows = [Window(tensor.shape, rank, size) for rank in range(size)]
    assert torch.equal(torch.cat([window.cut(tensor) for window in windows]), tensor.reshape(-1))
    for window in windows:
        (first, end), (before, behind) = window.bounds, window.borders
        assert end - first <= window.part
        assert (first - before) % ALIGNED == 0 or first == end
        assert (end + behind) % ALIGNED == 0 or end + behind == tensor.numel()
        assert torch.equal(window.inner(window.widened(window.cut(tensor))), window.cut(tensor))


def test_a_window_without_borders_is_the_models_own_memory():
    local = torch.zeros(2, 32)
    held = Held.of(local, Window(torch.Size([4, 32]), 1, 2))
    with torch.no_grad():
        held.parameter.fill_(1.0)
    assert local.eq(1.0).all()


def test_a_tensor_of_another_shape_has_no_such_part():
    with pytest.raises(ValueError, match=r"a tensor \(3, 2\) where \(2, 3\) is expected"):
        Window(torch.Size([2, 3]), 0, 2).cut(torch.zeros(3, 2))
