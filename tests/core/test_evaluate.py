from __future__ import annotations

import random

import numpy as np
import pytest
import torch
from torch import nn

from loopwright.core import evaluate
from tests.toys import Toy


class Nosy(Toy):
    """Looks at the mode, draws random numbers, and spoils the buffers."""

    def evaluate(self, model, split):
        assert not any(module.training for module in model.modules())
        assert not torch.is_grad_enabled()
        with torch.no_grad():
            for buffer in model.buffers():
                buffer.add_(1)
        return {"drawn": float(torch.rand(1)) + float(np.random.rand()) + random.random()}


def test_evaluation_leaves_modes_generators_and_buffers_as_they_were():
    model = Nosy().model()
    model.train()
    model[1].eval()  # a frozen norm stays frozen
    random.seed(1)
    np.random.seed(2)
    torch.manual_seed(3)
    before = (random.getstate(), np.random.get_state()[1].tolist(), torch.get_rng_state().tolist())
    buffers = [buffer.clone() for buffer in model.buffers()]
    evaluate(Nosy(), model, "val")
    assert (random.getstate(), np.random.get_state()[1].tolist(), torch.get_rng_state().tolist()) == before
    assert [module.training for module in model] == [True, False, True, True, True]
    assert model.training
    assert all(torch.equal(a, b) for a, b in zip(model.buffers(), buffers, strict=True))


def test_two_evaluations_are_equal_even_if_they_draw_random_numbers():
    model = Nosy().model()
    first = evaluate(Nosy(), model, "val")
    assert first == evaluate(Nosy(), model, "val")
    assert first != evaluate(Nosy(), model, "val", seed=1)


def test_the_mode_comes_back_when_an_evaluation_fails():
    class Failing(Toy):
        def evaluate(self, model, split):
            raise KeyError("no")

    model = nn.Dropout()
    with pytest.raises(KeyError):
        evaluate(Failing(), model, "val")
    assert model.training


def test_a_tensor_made_during_an_evaluation_can_be_trained_on():
    class Lazy(Toy):
        def evaluate(self, model, split):
            model.kept = torch.ones(1)
            return {}

    model = nn.Linear(1, 1)
    evaluate(Lazy(), model, "val")
    model(model.kept).backward()
    assert model.weight.grad is not None
