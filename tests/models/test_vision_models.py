from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from loopwright.models.cnn import DigitCNN, MnistCNN
from loopwright.models.mlp import MLP
from loopwright.models.resnet import Block, MnistResNet

MODELS = {
    "mlp": (lambda: MLP(64, (32, 16), 10), (1, 8, 8)),
    "linear": (lambda: MLP(64, (), 10), (64,)),
    "digit-cnn": (DigitCNN, (1, 8, 8)),
    "mnist-cnn": (MnistCNN, (1, 28, 28)),
    "mnist-resnet": (MnistResNet, (1, 28, 28)),
}


def made(name: str) -> tuple[nn.Module, Tensor]:
    torch.manual_seed(0)
    build, shape = MODELS[name]
    return build(), torch.randn(4, *shape)


@pytest.mark.parametrize("name", MODELS)
def test_images_give_one_logit_for_each_class(name: str) -> None:
    model, x = made(name)
    assert model(x).shape == (4, 10)


@pytest.mark.parametrize("name", MODELS)
def test_the_gradient_reaches_every_parameter(name: str) -> None:
    model, x = made(name)
    # A closed residual branch (last gain 0) stops the gradient at the start: open it a little.
    with torch.no_grad():
        for parameter in model.parameters():
            if not parameter.any():
                parameter.fill_(0.1)
    model(x).square().sum().backward()
    for parameter_name, parameter in model.named_parameters():
        assert parameter.grad is not None, parameter_name
        assert parameter.grad.any(), parameter_name


@pytest.mark.parametrize("name", MODELS)
def test_in_eval_mode_a_sample_does_not_depend_on_its_neighbors(name: str) -> None:
    model, x = made(name)
    model.eval()
    together, alone = model(x), torch.cat([model(x[i : i + 1]) for i in range(4)])
    torch.testing.assert_close(together, alone, rtol=1e-5, atol=1e-5)  # other kernels at other sizes


@pytest.mark.parametrize("name", MODELS)
def test_in_training_mode_the_seed_decides_the_bits(name: str) -> None:
    outputs = []
    for _ in range(2):
        model, x = made(name)
        torch.manual_seed(1)
        outputs.append(model(x))
    assert torch.equal(*outputs)


@pytest.mark.parametrize(
    ("name", "parameters"),
    [
        ("mlp", 64 * 32 + 32 + 32 * 16 + 16 + 16 * 10 + 10),
        ("linear", 64 * 10 + 10),
        ("digit-cnn", 99_370),
        ("mnist-cnn", 81_650),
        ("mnist-resnet", 308_586),
    ],
)
def test_models_have_as_many_parameters_as_before(name: str, parameters: int) -> None:
    model, _ = made(name)
    assert sum(parameter.numel() for parameter in model.parameters()) == parameters


def test_a_new_residual_block_passes_its_input_on_and_one_that_is_not_closed_does_not() -> None:
    x = torch.rand(2, 8, 6, 6)
    assert torch.equal(Block(8, 8)(x), x)
    assert not torch.equal(Block(8, 8, closed=False)(x), x)


def test_a_block_with_stride_two_halves_the_map() -> None:
    assert Block(8, 16, stride=2)(torch.rand(2, 8, 6, 6)).shape == (2, 16, 3, 3)
