"""What is named from the first two steps, and what looks like it and is right."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from loopwright.doctor.doctor import Doctor
from tests.doctor.programs import X, Y, batches, net


def causes(train) -> list[tuple[str, int]]:
    torch.manual_seed(0)
    with Doctor() as doctor:
        train()
    assert doctor.failures == {}
    return [(one.cause, one.step) for one in doctor.ranked if one.severity != "info"]


def steps(model, optimizer, number: int = 4, loss=F.cross_entropy) -> None:
    for rows in batches(number):
        optimizer.zero_grad()
        loss(model(X[rows]), Y[rows]).backward()
        optimizer.step()


def adam(model: nn.Module, rate: float = 1e-3) -> torch.optim.Optimizer:
    return torch.optim.Adam(model.parameters(), lr=rate)


def hooked() -> None:
    model = net()
    for parameter in model[3].parameters():
        parameter.register_hook(lambda gradient: gradient * 0)
    steps(model, adam(model))


def hooked_module() -> None:
    model = net()
    model[3].register_full_backward_hook(lambda module, into, out: tuple(each * 0 for each in into))
    steps(model, adam(model))


class Rounded(nn.Module):
    """Rounding has a gradient of 0 everywhere: what is behind it learns nothing."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.head, self.scale = nn.Linear(10, 32), nn.Linear(32, 2), 8.0

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.head(torch.round(self.first(x) * self.scale) / self.scale)


def rounded() -> None:
    model = Rounded()
    steps(model, adam(model))


@pytest.mark.parametrize("train", [hooked, hooked_module, rounded])
def test_a_gradient_that_the_model_makes_zero_is_named_at_step_2(train):
    assert causes(train) == [("zeroed-gradient", 2)]


def test_a_hook_sees_the_probe_and_no_bit_of_the_training_changes():
    def trained(doctor) -> list[torch.Tensor]:
        torch.manual_seed(0)
        with doctor:
            model = net(dropout=0.2)
            model[3].weight.register_hook(lambda gradient: gradient * 0)
            steps(model, adam(model), 8)
        return [*model.state_dict().values(), torch.rand(1)]

    watched, bare = trained(Doctor()), trained(torch.enable_grad())
    assert all(torch.equal(one, other) for one, other in zip(watched, bare, strict=True))


class Adapted(nn.Module):
    """A frozen layer with a low-rank adapter that begins at zero."""

    def __init__(self) -> None:
        super().__init__()
        self.base = nn.Linear(10, 2).requires_grad_(False)
        self.down, self.up = nn.Linear(10, 4, bias=False), nn.Linear(4, 2, bias=False)
        nn.init.zeros_(self.up.weight)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.base(x) + self.up(self.down(x))


def adapter_warmed_up() -> None:
    """The rate is 0 for two steps, so `up` stays zero, and with it the gradient of `down`."""
    model = Adapted()
    optimizer = torch.optim.Adam([each for each in model.parameters() if each.requires_grad], lr=1e-3)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: max(0, step - 1) / 10)
    for rows in batches(8):
        optimizer.zero_grad()
        F.cross_entropy(model(X[rows]), Y[rows]).backward()
        optimizer.step()
        schedule.step()


class Skipped(nn.Module):
    """Residual branches that begin with a factor of zero (Bachlechner et al. 2020, ReZero)."""

    def __init__(self) -> None:
        super().__init__()
        self.branch, self.factor, self.head = nn.Linear(10, 10), nn.Parameter(torch.zeros(1)), nn.Linear(10, 2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.head(x + self.factor * torch.tanh(self.branch(x)))


def rezero() -> None:
    model = Skipped()
    steps(model, adam(model, 1e-2), 8)


class TwoHeads(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.body, self.one, self.other = nn.Linear(10, 16), nn.Linear(16, 2), nn.Linear(16, 1)

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        hidden = torch.tanh(self.body(x))
        return self.one(hidden), self.other(hidden)


def annealed() -> None:
    """The weight of the second head's loss grows from 0, which it is for four steps."""
    model = TwoHeads()
    optimizer = adam(model)
    for number, rows in enumerate(batches(8)):
        optimizer.zero_grad()
        classes, value = model(X[rows])
        second = F.mse_loss(value[:, 0], X[rows, 2] * X[rows, 3])
        (F.cross_entropy(classes, Y[rows]) + max(0, number - 3) / 10 * second).backward()
        optimizer.step()


class Single(nn.Module):
    """Attention over one position: queries and keys have no influence, and so no gradient."""

    def __init__(self) -> None:
        super().__init__()
        self.attention, self.head = nn.MultiheadAttention(10, 2, batch_first=True), nn.Linear(10, 2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        given = x[:, None]
        return self.head(self.attention(given, given, given)[0][:, 0])


def single_position() -> None:
    model = Single()
    steps(model, adam(model))


@pytest.mark.parametrize("train", [adapter_warmed_up, rezero, annealed, single_position])
def test_a_gradient_that_is_zero_for_a_reason_is_left_alone(train):
    assert causes(train) == []


def test_an_optimizer_built_in_the_loop_is_named_at_step_2_with_its_line():
    model = net()

    def train() -> None:
        for rows in batches(4):
            optimizer = adam(model)
            optimizer.zero_grad()
            F.cross_entropy(model(X[rows]), Y[rows]).backward()
            optimizer.step()

    torch.manual_seed(0)
    with Doctor() as doctor:
        train()
    (found,) = doctor.ranked
    assert (found.cause, found.step) == ("optimizer-rebuilt", 2)
    assert "before steps 1, 2, last at test_at_once.py:" in found.evidence


def trial_first() -> None:
    """One step to see that it works, then the training, with an optimizer of its own from the same helper."""
    model = net()
    steps(model, adam(model), 1)
    steps(model, adam(model), 8)


def stages() -> None:
    """A new optimizer for each of two stages, from the same line."""
    model = net()
    for _ in range(2):
        steps(model, adam(model), 8)


def restarted_without_memory() -> None:
    model = net()
    for rows in batches(4):
        optimizer = torch.optim.SGD(model.parameters(), lr=0.05)
        F.cross_entropy(model(X[rows]), Y[rows]).backward()
        optimizer.step()
        model.zero_grad()


@pytest.mark.parametrize("train", [trial_first, stages, restarted_without_memory])
def test_an_optimizer_built_again_for_a_reason_is_left_alone(train):
    assert causes(train) == []


def two_over_one_model() -> None:
    """Another optimizer of the same parameters, kept for later, is no step that was forgotten."""
    model = net()
    later = torch.optim.SGD(model.parameters(), lr=0.05)
    steps(model, adam(model), 40)
    assert later


def never_stepping(passes: int) -> None:
    model = net()
    optimizer = adam(model)
    for rows in batches(passes):
        optimizer.zero_grad()
        F.cross_entropy(model(X[rows]), Y[rows]).backward()


@pytest.mark.parametrize("passes", [20, 70])
def test_backward_passes_without_a_step_are_named_at_the_end_at_the_latest(passes):
    assert [cause for cause, _ in causes(lambda: never_stepping(passes))] == ["no-step"]


def test_an_optimizer_that_waits_while_another_moves_its_parameters_is_left_alone():
    assert "no-step" not in {cause for cause, _ in causes(two_over_one_model)}


def down_at(model, step: int, rate: float = 0.1):
    """A rate that comes down to nothing with step number `step`, for good."""
    optimizer = torch.optim.SGD(model.parameters(), lr=rate)
    for number, rows in enumerate(batches(60), start=1):
        optimizer.param_groups[0]["lr"] = rate if number < step else 0.0
        optimizer.zero_grad()
        F.cross_entropy(model(X[rows]), Y[rows]).backward()
        optimizer.step()


@pytest.mark.parametrize("step", [6, 15, 20, 27, 33])
def test_a_rate_that_came_down_too_soon_is_named_soon_after(step):
    found = [at for cause, at in causes(lambda: down_at(net(), step)) if cause == "schedule-too-fast"]
    assert found
    assert step < found[0] <= 1.2 * step + 5 + 2


def test_a_rate_that_comes_back_is_no_schedule_that_is_over():
    def train():
        model = net()
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        for number, rows in enumerate(batches(120), start=1):
            optimizer.param_groups[0]["lr"] = 0.1 * (number % 20) / 20  # warm restarts: at nothing now and then
            optimizer.zero_grad()
            F.cross_entropy(model(X[rows]), Y[rows]).backward()
            optimizer.step()

    assert "schedule-too-fast" not in [cause for cause, _ in causes(train)]


def by_hand(*rates: float | torch.Tensor, optimizers: int = 1):
    """Steps with these rates, one after the other; of several optimizers in turn."""
    models = [net() for _ in range(optimizers)]
    made = [torch.optim.SGD(model.parameters(), lr=rates[0]) for model in models]
    for rate, rows in zip(rates, batches(len(rates)), strict=True):
        for model, optimizer in zip(models, made, strict=True):
            optimizer.param_groups[0]["lr"] = rate
            optimizer.zero_grad()
            F.cross_entropy(model(X[rows]), Y[rows]).backward()
            optimizer.step()


def test_of_two_optimizers_in_turn_both_are_waited_for():
    found = causes(lambda: by_hand(*[0.1] * 40, *[0.0] * 60, optimizers=2))
    assert next(at for cause, at in found if cause == "schedule-too-fast") <= 41 + 14 + 2


def test_a_whole_number_is_a_rate_too():
    found = causes(lambda: by_hand(*[1] * 40, *[0] * 60))
    assert next(at for cause, at in found if cause == "schedule-too-fast") <= 41 + 14 + 2


@pytest.mark.parametrize("rate", [torch.tensor(0.01), 0.01])
def test_a_rate_that_stays_is_no_schedule(rate):
    assert causes(lambda: by_hand(*[rate] * 60)) == []


def test_three_times_a_tenth_is_a_plan():
    plan = [0.1] * 30 + [0.01] * 20 + [0.001] * 20 + [0.0001] * 60
    warm = [0.1 * step / 20 for step in range(1, 21)]
    assert "schedule-too-fast" not in [cause for cause, _ in causes(lambda: by_hand(*warm, *plan))]


def test_a_schedule_of_torch_with_milestones_is_a_plan_too():
    def train():
        model = net()
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        schedule = torch.optim.lr_scheduler.MultiStepLR(optimizer, [10, 20, 30])
        for rows in batches(100):
            optimizer.zero_grad()
            F.cross_entropy(model(X[rows]), Y[rows]).backward()
            optimizer.step()
            schedule.step()

    assert causes(train) == []


def test_an_optimizer_that_loses_its_groups_trains_on_as_without_a_doctor():
    model = net()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    done = []
    with Doctor():
        for number, rows in enumerate(batches(60)):
            if number == 40:
                optimizer.param_groups.clear()
            F.cross_entropy(model(X[rows]), Y[rows]).backward()
            optimizer.step()
            done.append(number)
    assert len(done) == 60


def test_weights_that_an_optimizer_moved_which_is_gone_are_not_those_of_an_initialization():
    torch.manual_seed(0)
    model = net()

    def train(optimizer, number: int) -> None:
        for rows in batches(number):
            optimizer.zero_grad()
            F.cross_entropy(model(X[rows]), Y[rows]).backward()
            optimizer.step()

    with Doctor() as doctor:
        train(adam(model), 12)
        doctor.scene.program.held.clear()  # as when the next optimizer is made where the last one was
        for parameter in model[:-1].parameters():
            parameter.requires_grad_(False)
        with torch.no_grad():
            model[-1].bias += torch.tensor([40.0, 0.0])  # far from what is asked of it now
        train(torch.optim.Adam(model[-1].parameters(), lr=1e-3), 4)
    assert "bad-init-scale" not in [one.cause for one in doctor.findings]
