from __future__ import annotations

import random
import signal

import numpy as np
import pytest
import torch
from torch import nn

from loopwright.core import Interrupt, evaluate
from loopwright.errors import Interrupted, UsageError
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


class Counting(nn.Module):
    """Counts its calls in a buffer that it makes anew each time."""

    def __init__(self):
        super().__init__()
        self.register_buffer("calls", torch.zeros(()))

    def forward(self, x):
        self.calls = self.calls + 1
        return x


def test_a_buffer_that_is_made_anew_is_put_back_too():
    class Calling(Toy):
        def evaluate(self, model, split):
            model(torch.zeros(1))
            return {"calls": model.calls}

    model = Counting()
    before = model.calls
    assert evaluate(Calling(), model, "val") == {"calls": 1.0}
    assert model.calls is before
    assert before.item() == 0


def test_scalars_of_numpy_and_torch_are_numbers_and_anything_else_is_an_error():
    class Giving(Toy):
        def evaluate(self, model, split):
            return {"loss": self.n}

    found = evaluate(Giving(n=np.float32(0.5)), nn.Linear(1, 1), "val")
    assert found == {"loss": 0.5}
    assert type(found["loss"]) is float
    for wrong in ("good", None, [1, 2]):
        with pytest.raises(UsageError, match="metric 'loss': the evaluation gave a"):
            evaluate(Giving(n=wrong), nn.Linear(1, 1), "val")


def test_a_signal_leaves_the_tasks_work_but_not_the_putting_back():
    class Spoiling(Toy):
        def evaluate(self, model, split):
            model.calls.add_(1)
            try:
                signal.raise_signal(signal.SIGTERM)
            except Exception:
                return {"loss": float("nan")}  # a task that catches everything
            return {}

    model = Counting()
    with Interrupt() as interrupt, pytest.raises(Interrupted):
        evaluate(Spoiling(), model, "val", breakable=interrupt.breakable())
    assert model.calls.item() == 0


def test_a_tensor_made_during_an_evaluation_can_be_trained_on():
    class Lazy(Toy):
        def evaluate(self, model, split):
            model.kept = torch.ones(1)
            return {}

    model = nn.Linear(1, 1)
    evaluate(Lazy(), model, "val")
    model(model.kept).backward()
    assert model.weight.grad is not None
