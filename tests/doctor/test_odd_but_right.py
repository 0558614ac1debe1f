"""Right programs that look like mistakes, each met by somebody who looked for false alarms; and what a probe leaves."""

from __future__ import annotations

import itertools
import random
from collections import deque
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.parametrizations import spectral_norm

from loopwright.doctor.doctor import Doctor
from loopwright.doctor.stillness import undisturbed
from tests.doctor.programs import TOKENS, X, Y, batches, net


def adam(*modules: nn.Module) -> torch.optim.Optimizer:
    return torch.optim.Adam([p for module in modules for p in module.parameters()], lr=1e-3)


def steps(model, optimizer, loss, number: int = 12) -> None:
    for rows in batches(number):
        optimizer.zero_grad()
        loss(model, rows).backward()
        optimizer.step()


def plain(model, rows) -> Tensor:
    return F.cross_entropy(model(X[rows]), Y[rows])


def lbfgs() -> None:
    model = net()
    optimizer = torch.optim.LBFGS(model.parameters(), max_iter=20)

    def closure():
        optimizer.zero_grad()
        loss = F.cross_entropy(model(X), Y)
        loss.backward()
        return loss

    for _ in range(3):
        optimizer.step(closure)


def step_in_a_hook() -> None:
    model = net()
    optimizers = {p: torch.optim.SGD([p], lr=0.05) for p in model.parameters()}

    def hook(parameter: Tensor) -> None:
        optimizers[parameter].step()
        optimizers[parameter].zero_grad()

    for parameter in model.parameters():
        parameter.register_post_accumulate_grad_hook(hook)
    for rows in batches(12):
        plain(model, rows).backward()


def attacked_in_evaluation_mode() -> None:
    model = net(dropout=0.2)
    optimizer = adam(model)
    for rows in batches(12):
        model.eval()
        x = X[rows].clone().requires_grad_(True)
        F.cross_entropy(model(x), Y[rows]).backward()
        worst = (x + 0.1 * x.grad.sign()).detach()
        model.train()
        optimizer.zero_grad()
        F.cross_entropy(model(worst), Y[rows]).backward()
        optimizer.step()


def generator_that_shows() -> None:
    make = nn.Sequential(nn.Linear(4, 32), nn.BatchNorm1d(32), nn.ReLU(inplace=True), nn.Linear(32, 10))
    judge = nn.Sequential(nn.Linear(10, 32), nn.LeakyReLU(0.2, inplace=True), nn.Linear(32, 1))
    first, second, fixed = adam(make), adam(judge), torch.randn(16, 4)
    for number, rows in enumerate(batches(24)):
        fake = make(torch.randn(32, 4))
        right, wrong = judge(X[rows]), judge(fake.detach())
        second.zero_grad()
        (F.softplus(-right).mean() + F.softplus(wrong).mean()).backward()
        second.step()
        first.zero_grad()
        F.softplus(-judge(fake)).mean().backward()
        first.step()
        if number % 5 == 4:
            with torch.no_grad():
                make(fixed)


def hardest_chosen() -> None:
    model = net(dropout=0.1)
    optimizer = adam(model)
    for rows in batches(20):
        with torch.no_grad():
            losses = F.cross_entropy(model(X[rows]), Y[rows], reduction="none")
        hard = rows[losses.topk(16).indices]
        optimizer.zero_grad()
        plain(model, hard).backward()
        optimizer.step()


def norm_is_logged() -> None:
    model = net()
    optimizer = adam(model)
    for rows in batches(12):
        optimizer.zero_grad()
        plain(model, rows).backward()
        optimizer.step()
        nn.utils.clip_grad_norm_(model.parameters(), float("inf"))


def gradients_put_in() -> None:
    model, value = net(), net()
    optimizer, other = adam(model), adam(value)
    for rows in batches(12):
        gradients = torch.autograd.grad(plain(model, rows), list(model.parameters()))
        for parameter, gradient in zip(model.parameters(), gradients, strict=True):
            parameter.grad = gradient.clone()
        other.zero_grad()
        plain(value, rows).backward()
        other.step()
        optimizer.step()


def losses_one_by_one_then_together() -> None:
    model = net()
    optimizer = adam(model)
    for rows in batches(12):
        out = model(X[rows])
        parts = [F.cross_entropy(out, Y[rows]), 0.1 * out.pow(2).mean()]
        for part in parts:
            optimizer.zero_grad()
            part.backward(retain_graph=True)
        optimizer.zero_grad()
        sum(parts).backward()
        optimizer.step()


def updated_by_hand() -> None:
    model, scale = net(), nn.Parameter(torch.ones(()))
    model.register_parameter("scale", scale)
    optimizer = torch.optim.Adam([p for p in model.parameters() if p is not scale], lr=1e-3)
    for rows in batches(12):
        optimizer.zero_grad()
        F.cross_entropy(model(X[rows]) * scale, Y[rows]).backward()
        optimizer.step()
        with torch.no_grad():
            scale -= 0.01 * scale.grad
        scale.grad = None


def image_is_made() -> None:
    model = nn.Sequential(nn.Linear(10, 32), nn.ReLU(), nn.Linear(32, 2))
    image = torch.zeros(4, 10, requires_grad=True)
    optimizer = torch.optim.Adam([image], lr=0.05)
    for _ in range(12):
        optimizer.zero_grad()
        F.cross_entropy(model(image * 1.0), torch.tensor([0, 1, 0, 1])).backward()
        optimizer.step()


def new_head_alone() -> None:
    model = net()
    model.load_state_dict(net().state_dict())
    model[-1] = nn.Linear(model[-1].in_features, 2)
    optimizer = torch.optim.Adam(model[-1].parameters(), lr=1e-3)
    for rows in batches(12):
        model.zero_grad()
        plain(model, rows).backward()
        optimizer.step()


def each_with_each() -> None:
    model = nn.Sequential(nn.Linear(10, 16), nn.ReLU(), nn.Linear(16, 1))

    def loss(model, rows) -> Tensor:
        score = model(X[rows])
        wanted = (X[rows, :1] > X[rows, 0]).float()
        return F.binary_cross_entropy_with_logits(score - score.squeeze(1), wanted)

    steps(model, adam(model), loss)


def holes_are_filled() -> None:
    class Filling(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layers = net()

        def forward(self, x: Tensor) -> Tensor:
            return self.layers(torch.nan_to_num(x))

    holed, model = X.masked_fill(torch.rand(X.shape) < 0.1, float("nan")), Filling()
    steps(model, adam(model), lambda model, rows: F.cross_entropy(model(holed[rows]), Y[rows]))


def words_twice() -> None:
    class Two(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.body, self.next, self.after = nn.GRU(12, 16, batch_first=True), nn.Linear(16, 12), nn.Linear(16, 12)

        def forward(self, tokens: Tensor) -> tuple[Tensor, Tensor]:
            out, _ = self.body(F.one_hot(tokens, 12).float())
            return self.next(out), self.after(out)

    model = Two()
    optimizer = adam(model)
    for rows in torch.arange(64).split(16):
        one, two = model(TOKENS[rows, :-2])
        loss = F.cross_entropy(one.flatten(0, 1), TOKENS[rows, 1:-1].flatten())
        loss = loss + F.cross_entropy(two.flatten(0, 1), TOKENS[rows, 2:].flatten())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()


def scaled_by_hand() -> None:
    model = net()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05)
    for rows in batches(6):
        with torch.autocast("cpu", dtype=torch.float16):
            out = model(X[rows])
        optimizer.zero_grad()
        (F.cross_entropy(out.float(), Y[rows]) * 1024).backward()
        for parameter in model.parameters():
            parameter.grad /= 1024
        optimizer.step()


def one_seed_for_each_setting() -> None:
    for rate in (1e-3, 3e-3, 1e-2):
        model = net()
        optimizer = torch.optim.Adam(model.parameters(), lr=rate)
        for rows in torch.randperm(256, generator=torch.Generator().manual_seed(7)).split(32):
            optimizer.zero_grad()
            plain(model, rows).backward()
            optimizer.step()


def odd_constants() -> None:
    model = net()
    steps(model, torch.optim.Adafactor(model.parameters(), lr=1e-2), plain)


HEALTHY = [
    lbfgs,
    step_in_a_hook,
    attacked_in_evaluation_mode,
    generator_that_shows,
    hardest_chosen,
    norm_is_logged,
    gradients_put_in,
    losses_one_by_one_then_together,
    updated_by_hand,
    image_is_made,
    new_head_alone,
    each_with_each,
    holes_are_filled,
    words_twice,
    scaled_by_hand,
    one_seed_for_each_setting,
    odd_constants,
]


@pytest.mark.parametrize("train", HEALTHY)
def test_what_looks_like_a_mistake_and_is_none_is_left_alone(train):
    torch.manual_seed(0)
    with Doctor() as doctor:
        train()
    assert doctor.failures == {}
    assert [(one.cause, one.evidence) for one in doctor.ranked if one.severity != "info"] == []


DRAWN = random.Random(0)


class Restless(nn.Module):
    """Changes whatever a forward pass can change."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(10, 2)
        self.generator = torch.Generator().manual_seed(0)
        self.numbers, self.older = np.random.default_rng(0), np.random.RandomState(0)
        self.last, self.count, self.state = deque([0.0], maxlen=3), itertools.count(), SimpleNamespace(calls=0)

    def forward(self, x: Tensor) -> Tensor:
        self.state.calls += 1
        self.last.append(float(x.sum()))
        noise = torch.rand((), generator=self.generator) + self.numbers.random() + self.older.rand() + DRAWN.random()
        return self.layer(x) * (1 + 0.1 * float(noise) + 0.01 * next(self.count) + 0.01 * self.state.calls)

    def now(self) -> list[object]:
        return [
            self.generator.get_state().tolist(),
            self.numbers.bit_generator.state,
            self.older.get_state()[1].tolist(),
            DRAWN.getstate(),
            list(self.last),
            repr(self.count),
            self.state.calls,
        ]


HEARD: list[Tensor] = []


class Listener:
    """An object with a method for a hook."""

    def __init__(self) -> None:
        self.heard, self.count = list[Tensor](), 0

    def hear(self, module: nn.Module, given: object, out: Tensor) -> None:
        self.heard.append(out)
        self.count += 1


def test_whatever_a_forward_pass_or_a_hook_changes_is_put_back():
    model, listener, closed = Restless(), Listener(), list[Tensor]()
    model.layer.register_forward_hook(listener.hear)
    model.layer.register_forward_hook(lambda module, given, out: closed.append(out))
    model.layer.register_forward_hook(lambda module, given, out: HEARD.append(out))
    HEARD.clear()
    model(X[:4])

    def heard() -> list[int]:
        return [len(listener.heard), listener.count, len(closed), len(HEARD)]

    before = model.now()
    with undisturbed(model):
        assert not model.training
        model(X[:4])
        model(X[4:8])
        assert model.now() != before
        assert heard() == [3, 3, 3, 3]
    assert model.training
    assert model.now() == before
    assert heard() == [1, 1, 1, 1]


def bits(model: nn.Module) -> list[Tensor]:
    torch.manual_seed(1)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
    for rows in batches(24):
        optimizer.zero_grad()
        plain(model, rows).backward()
        optimizer.step()
    return [each.detach().clone() for each in model.state_dict().values()]


def spectral() -> nn.Module:
    return nn.Sequential(spectral_norm(nn.Linear(10, 32)), nn.ReLU(), spectral_norm(nn.Linear(32, 2)))


@pytest.mark.parametrize("make", [spectral, Restless])
def test_a_watched_training_has_the_bits_of_a_bare_one(make):
    def made() -> nn.Module:
        torch.manual_seed(0)
        DRAWN.seed(0)
        return make()

    bare = bits(made())
    with Doctor() as doctor:
        watched = bits(made())
    assert doctor.failures == {}
    assert all(torch.equal(one, other) for one, other in zip(bare, watched, strict=True))


def test_transforms_of_functions_are_not_looked_into():
    model, names = net(), [name for name, _ in net().named_parameters()]

    def loss(weights: tuple[Tensor, ...], x: Tensor, y: Tensor) -> Tensor:
        out = torch.func.functional_call(model, dict(zip(names, weights, strict=True)), (x[None],))
        return F.cross_entropy(out, y[None])

    with Doctor() as doctor:
        optimizer = adam(model)
        for rows in batches(8):
            each = torch.func.vmap(torch.func.grad(loss), in_dims=(None, 0, 0))
            for parameter, gradient in zip(
                model.parameters(), each(tuple(model.parameters()), X[rows], Y[rows]), strict=True
            ):
                parameter.grad = gradient.mean(0).detach()
            optimizer.step()
    assert doctor.failures == {}


def test_each_micro_batch_is_laid_beside_its_own_targets():
    torch.manual_seed(0)
    lengths = 4 + torch.arange(64) // 16 * 3 + torch.arange(64) % 2
    tokens = torch.where(torch.arange(17) < lengths[:, None], TOKENS % 3, 3)
    model = nn.Sequential(nn.Embedding(4, 16), nn.Linear(16, 4))
    optimizer = adam(model)
    with Doctor() as doctor:
        for _ in range(8):
            optimizer.zero_grad()
            for part in tokens.split(16):
                logits, targets = model(part[:, :-1]).flatten(0, 1), part[:, 1:].flatten()
                (F.cross_entropy(logits, targets, ignore_index=3, reduction="sum") / 512).backward()
            optimizer.step()
    assert [finding for finding in doctor.findings if finding.serious] == []
