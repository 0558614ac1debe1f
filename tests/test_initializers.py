from __future__ import annotations

import math
from typing import get_args

import pytest
import torch
from torch import Tensor, nn

from loopwright.errors import ConfigError
from loopwright.initializers import Strategy, initialize, weights_sha256


class Branch(nn.Module):
    """A layer with one residual branch, as a transformer has two of."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.inner = nn.Linear(width, width)
        self.residual_out = nn.Linear(width, width)

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = x + self.residual_out(self.inner(x).relu())
        return y


def toy() -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(8, 64, 3),
        nn.BatchNorm2d(64),
        nn.Flatten(),
        nn.Linear(64, 512),
        *(Branch(512) for _ in range(2)),
    )


def weight_of(model: nn.Sequential, name: str) -> Tensor:
    return model.get_parameter(name).detach()


@pytest.mark.parametrize(
    ("strategy", "conv_std", "linear_std"),
    [
        ("naive", 1.0, 1.0),
        ("xavier", math.sqrt(2 / (8 * 9 + 64 * 9)), math.sqrt(2 / (64 + 512))),
        ("he", math.sqrt(2 / (8 * 9)), math.sqrt(2 / 64)),
        ("scaled-residual", 0.02, 0.02),
    ],
)
def test_weights_have_the_spread_that_the_formula_says(strategy: Strategy, conv_std: float, linear_std: float) -> None:
    model = toy()
    initialize(model, strategy)
    # 4,608 and 32,768 draws: the spread's own standard error is 1.1 and 0.4 per cent; four are allowed.
    for name, expected, tolerance in (("0.weight", conv_std, 0.044), ("3.weight", linear_std, 0.016)):
        weight = weight_of(model, name)
        assert weight.std().item() == pytest.approx(expected, rel=tolerance)
        assert abs(weight.mean().item()) < 4 * expected / math.sqrt(weight.numel())


def test_orthogonal_weights_are_orthogonal_times_root_two() -> None:
    model = toy()
    initialize(model, "orthogonal")
    weight = weight_of(model, "4.inner.weight").double()
    identity = torch.eye(512, dtype=torch.float64)
    torch.testing.assert_close(weight @ weight.T / 2, identity, rtol=0, atol=1e-5)  # drawn in float32


def test_scaled_residual_divides_by_the_root_of_the_number_of_branches() -> None:
    model = toy()
    initialize(model, "scaled-residual")
    for name in ("4", "5"):
        assert weight_of(model, f"{name}.inner.weight").std().item() == pytest.approx(0.02, rel=0.02)
        scaled = weight_of(model, f"{name}.residual_out.weight").std().item()
        assert scaled == pytest.approx(0.02 / math.sqrt(2), rel=0.02)  # 262,144 draws


@pytest.mark.parametrize("strategy", [name for name in get_args(Strategy) if name != "default"])
def test_biases_are_zero_and_the_gains_of_norms_are_left_alone(strategy: Strategy) -> None:
    model = toy()
    with torch.no_grad():
        model.get_parameter("1.weight").fill_(0.25)
    initialize(model, strategy)
    assert not weight_of(model, "0.bias").any()
    assert not weight_of(model, "4.residual_out.bias").any()
    assert torch.equal(weight_of(model, "1.weight"), torch.full((64,), 0.25))


def test_default_changes_nothing() -> None:
    model = toy()
    before = weights_sha256(model)
    initialize(model, "default")
    assert weights_sha256(model) == before


@pytest.mark.parametrize("strategy", get_args(Strategy))
def test_the_same_seed_draws_the_same_bits(strategy: Strategy) -> None:
    digests = set()
    for _ in range(2):
        model = toy()
        torch.manual_seed(7)
        initialize(model, strategy)
        digests.add(weights_sha256(model))
    assert len(digests) == 1


def test_he_keeps_the_size_of_a_signal_through_a_deep_relu_network_and_naive_does_not() -> None:
    torch.manual_seed(0)
    layers = [layer for _ in range(20) for layer in (nn.Linear(256, 256), nn.ReLU())]
    model = nn.Sequential(*layers)
    x = torch.randn(64, 256)
    growth = {}
    for strategy in ("he", "naive"):
        initialize(model, strategy)
        y = model(x).detach()
        growth[strategy] = float(y.square().mean().sqrt() / x.square().mean().sqrt())
    assert 0.3 < growth["he"] < 3
    assert growth["naive"] > 1e15  # about (256 / 2) ** 10


def test_recurrent_and_attention_weights_are_drawn_too() -> None:
    model = nn.ModuleList([nn.LSTM(64, 64), nn.MultiheadAttention(64, 4)])
    initialize(model, "scaled-residual")
    for name, parameter in model.named_parameters():
        if parameter.ndim >= 2:
            assert parameter.std().item() == pytest.approx(0.02, rel=0.06), name
        else:
            assert not parameter.any(), name


def test_the_row_of_padding_stays_zero() -> None:
    embedding = nn.Embedding(10, 4, padding_idx=3)
    initialize(embedding, "naive")
    assert not embedding.weight[3].any()
    assert embedding.weight[2].all()


@pytest.mark.parametrize("strategy", get_args(Strategy))
def test_what_is_drawn_does_not_depend_on_the_memory_layout(strategy: Strategy) -> None:
    digests = set()
    for layout in (torch.contiguous_format, torch.channels_last):
        torch.manual_seed(0)
        convolution = nn.Conv2d(3, 8, 5).to(memory_format=layout)
        initialize(convolution, strategy)
        digests.add(weights_sha256(convolution))
    assert len(digests) == 1


def test_an_unknown_strategy_is_named_with_the_nearest() -> None:
    with pytest.raises(ConfigError, match=r"'ortogonal'.*did you mean 'orthogonal'"):
        initialize(nn.Linear(2, 2), "ortogonal")  # type: ignore[arg-type]


def test_the_digest_sees_one_flipped_bit_one_other_name_shape_or_type() -> None:
    def digest(**tensors: Tensor) -> str:
        module = nn.Module()
        for name, tensor in tensors.items():
            module.register_buffer(name, tensor)
        return weights_sha256(module)

    base = torch.arange(6.0)
    flipped = base.clone()
    flipped.view(torch.int32)[5] ^= 1
    others = [
        digest(a=flipped),
        digest(b=base),
        digest(a=base.reshape(2, 3)),
        digest(a=base.view(torch.int32)),
        digest(a=base, b=base),
        digest(a=base.bfloat16()),
        digest(a=torch.tensor(1.0)),
    ]
    assert digest(a=base) == digest(a=base.clone())
    assert len({digest(a=base), *others}) == len(others) + 1


def test_the_digest_depends_on_values_and_not_on_memory_layout_or_order() -> None:
    weight = torch.randn(4, 3, 5, 5)
    first, second = nn.Conv2d(3, 4, 5, bias=False), nn.Conv2d(3, 4, 5, bias=False)
    with torch.no_grad():
        first.weight.copy_(weight)
        second.weight.copy_(weight)
    second.to(memory_format=torch.channels_last)
    assert weights_sha256(first) == weights_sha256(second)
