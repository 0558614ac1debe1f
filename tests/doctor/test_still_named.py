"""Mistakes beside what excuses something else: what makes a rule silent on right programs must not hide these."""

from __future__ import annotations

import warnings

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils.data import DataLoader, TensorDataset

from loopwright.doctor.doctor import Doctor
from tests.doctor.programs import LOOSE, X, Y, batches, net

HELD = torch.cat([X[:40], LOOSE[:88]])[torch.randperm(128, generator=torch.Generator().manual_seed(6))]


def adam(model: nn.Module) -> torch.optim.Optimizer:
    return torch.optim.Adam(model.parameters(), lr=1e-3)


def watched(program) -> Doctor:
    torch.manual_seed(0)
    with warnings.catch_warnings(), Doctor() as doctor:
        warnings.simplefilter("ignore")  # torch's, of prototypes
        program()
    return doctor


def step(optimizer: torch.optim.Optimizer, loss: Tensor) -> None:
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()


def score(model: nn.Module) -> None:
    model.eval()
    with torch.no_grad():
        for rows in HELD.split(32):
            F.cross_entropy(model(rows), Y[:32])
    model.train()


class TwoHeads(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.body, self.one, self.other = nn.Linear(10, 32), nn.Linear(32, 2), nn.Linear(32, 2)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        hidden = torch.relu(self.body(x))
        return self.one(hidden), self.other(hidden)


def two_heads_of_which_each_is_asked_of_half_the_rows() -> None:
    model = TwoHeads()
    optimizer = adam(model)
    for _ in range(3):
        for rows in torch.randperm(256).split(32):
            one, other = model(X[rows])
            mine = rows % 2 == 0
            loss = F.cross_entropy(one[mine], Y[rows][mine]) + F.cross_entropy(other[~mine], Y[rows][~mine])
            step(optimizer, loss)
        model.eval()
        with torch.no_grad():
            for rows in HELD.split(32):
                F.cross_entropy(model(rows)[0], Y[:32])
        model.train()


def a_backward_pass_for_each_half_of_the_rows() -> None:
    model = net()
    optimizer = adam(model)
    for _ in range(3):
        for rows in torch.randperm(256).split(32):
            optimizer.zero_grad()
            logits = model(X[rows])
            (F.cross_entropy(logits[:16], Y[rows][:16]) / 2).backward(retain_graph=True)
            (F.cross_entropy(logits[16:], Y[rows][16:]) / 2).backward()
            optimizer.step()
        score(model)


def a_score_of_everything_before_training() -> None:
    model = net()
    optimizer = adam(model)
    model.eval()
    with torch.no_grad():
        for rows in torch.arange(256).split(64):
            F.cross_entropy(model(X[rows]), Y[rows])
    score(model)
    for _ in range(3):
        for rows in torch.randperm(256).split(32):
            step(optimizer, F.cross_entropy(model(X[rows]), Y[rows]))
        score(model)


def unequal_parts_that_are_always_the_same() -> None:
    model = net()
    optimizer = adam(model)
    for rows in batches(8, size=70):
        optimizer.zero_grad()
        for part in rows.split(32):
            (F.cross_entropy(model(X[part]), Y[part]) / 3).backward()
        optimizer.step()


def one_order_beside_a_teacher() -> None:
    model, teacher = net(), net()
    optimizer = adam(model)
    for _ in range(4):
        torch.manual_seed(0)
        for rows in torch.randperm(256).split(32):
            with torch.no_grad():
                wanted = teacher(X[rows]).softmax(1)
            step(optimizer, F.kl_div(model(X[rows]).log_softmax(1), wanted, reduction="batchmean"))


def a_part_that_is_cleared_before_the_step() -> None:
    model = net()
    optimizer = adam(model)
    for rows in batches(6):
        optimizer.zero_grad()
        F.cross_entropy(model(X[rows]), Y[rows]).backward()
        model[0].zero_grad(set_to_none=False)
        optimizer.step()


class Branches(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.about, self.pixels, self.head = nn.Linear(4, 8), nn.Linear(10, 24), nn.Linear(32, 2)

    def forward(self, x: Tensor, about: Tensor) -> Tensor:
        first = self.about(about)
        return self.head(torch.cat([torch.relu(self.pixels(x)), first], 1))


def raw_pixels_beside_a_scaled_branch() -> None:
    model = Branches()
    optimizer = adam(model)
    for rows in batches(6):
        step(optimizer, F.cross_entropy(model(X[rows] * 90 + 128, X[rows, :4]), Y[rows]))


def sorted_by_a_label_that_is_not_the_first() -> None:
    labels = torch.tensor([1, 2, 0, 3]).repeat_interleave(64)
    model = nn.Sequential(nn.Linear(10, 16), nn.ReLU(), nn.Linear(16, 4))
    optimizer = adam(model)
    for inputs, asked in DataLoader(TensorDataset(X, labels), batch_size=16):
        step(optimizer, F.cross_entropy(model(inputs), asked))


def a_leak_in_a_full_batch_in_the_order_of_its_labels() -> None:
    labels = torch.arange(150) // 50
    inputs = torch.cat([X[:150], labels[:, None] * 2.0 - 1], 1)
    model = nn.Sequential(nn.Linear(11, 16), nn.ReLU(), nn.Linear(16, 3))
    optimizer = adam(model)
    for _ in range(6):
        step(optimizer, F.cross_entropy(model(inputs), labels))


def a_rate_that_runs_down_beside_a_constant_one() -> None:
    model = net()
    constant, falling = torch.optim.SGD(model[0].parameters(), lr=0.01), adam(model[3:])
    for number, rows in enumerate(batches(80)):
        falling.param_groups[0]["lr"] = 1e-2 * max(0.0, 1 - number / 20)
        constant.zero_grad()
        step(falling, F.cross_entropy(model(X[rows]), Y[rows]))
        constant.step()


def attention_over_the_batch_of_known_rows() -> None:
    class Attends(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.body, self.head = nn.Linear(10, 32), nn.Linear(32, 2)

        def forward(self, x: Tensor) -> Tensor:
            hidden = torch.tanh(self.body(x))
            return self.head(hidden + (hidden @ hidden.T).softmax(1) @ hidden)

    model = Attends()
    optimizer = adam(model)
    for rows in batches(40):
        step(optimizer, F.cross_entropy(model(X[rows]), Y[rows]))


def one_graph_that_is_validated_in_training_mode() -> None:
    model = net(dropout=0.5)
    optimizer = adam(model)
    for _ in range(20):
        step(optimizer, F.cross_entropy(model(X)[:128], Y[:128]))
        with torch.no_grad():
            F.cross_entropy(model(X)[128:], Y[128:])


def a_head_that_is_replaced_after_a_first_score() -> None:
    model = net()
    optimizer = adam(model)
    score(model)
    model[5] = nn.Linear(16, 2)
    for rows in batches(6):
        step(optimizer, F.cross_entropy(model(X[rows]), Y[rows]))


@pytest.mark.parametrize(
    ("program", "cause"),
    [
        (a_head_that_is_replaced_after_a_first_score, "stale-optimizer"),
        (one_graph_that_is_validated_in_training_mode, "eval-mode-missing"),
        (two_heads_of_which_each_is_asked_of_half_the_rows, "split-overlap"),
        (a_backward_pass_for_each_half_of_the_rows, "split-overlap"),
        (a_score_of_everything_before_training, "split-overlap"),
        (unequal_parts_that_are_always_the_same, "ragged-accumulation"),
        (one_order_beside_a_teacher, "same-order"),
        (a_part_that_is_cleared_before_the_step, "zeroed-gradient"),
        (raw_pixels_beside_a_scaled_branch, "unscaled-input"),
        (sorted_by_a_label_that_is_not_the_first, "no-shuffle"),
        (a_leak_in_a_full_batch_in_the_order_of_its_labels, "label-leak"),
        (a_rate_that_runs_down_beside_a_constant_one, "schedule-too-fast"),
        (attention_over_the_batch_of_known_rows, "batch-mixing"),
    ],
)
def test_a_mistake_beside_what_excuses_another_is_named(program, cause):
    doctor = watched(program)
    assert doctor.failures == {}
    assert [finding.cause for finding in doctor.ranked if finding.serious][:1] == [cause], doctor.ranked


def scalar() -> None:
    guess = nn.Parameter(torch.tensor(0.0))
    optimizer = torch.optim.SGD([guess], lr=0.1)
    for _ in range(30):
        step(optimizer, F.mse_loss(guess, X[:, 0]))


def outputs_in_a_jagged_batch() -> None:
    model = nn.Linear(10, 3)
    optimizer = adam(model)
    for _ in range(6):
        batch = torch.nested.nested_tensor([X[:5], X[5:12]], layout=torch.jagged)
        step(optimizer, torch.nested.to_padded_tensor(model(batch), 0.0).square().mean())


def a_gradient_that_is_sparse() -> None:
    class Table(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.rows = nn.Parameter(X.clone())

        def forward(self, scale: Tensor) -> Tensor:
            return self.rows.clone()

    model = Table()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    for _ in range(6):
        step(optimizer, F.embedding(torch.arange(5), model(X), sparse=True).square().mean())


def inputs_that_are_sparse() -> None:
    model = nn.Sequential(nn.Linear(10, 3))
    optimizer = adam(model)
    for rows in batches(6):
        step(optimizer, F.cross_entropy(model(X[rows].relu().to_sparse()), Y[rows]))


def a_layer_without_units() -> None:
    model = net()
    optimizer = adam(model)
    for rows in batches(6):
        step(optimizer, F.cross_entropy(model(X[rows]), Y[rows]) + F.relu(X[rows, :0] @ torch.zeros(0, 0)).sum())


def a_scaler_that_is_told_by_keyword() -> None:
    model = net()
    optimizer, scaler = adam(model), torch.amp.GradScaler("cpu")
    for rows in batches(6):
        optimizer.zero_grad()
        scaler.scale(outputs=F.cross_entropy(model(X[rows]), Y[rows])).backward()
        scaler.unscale_(optimizer=optimizer)
        nn.utils.clip_grad_norm_(model.parameters(), max_norm=1.0)
        scaler.step(optimizer=optimizer)
        scaler.update()


def batch_norm_in_front_and_sixteen_parts() -> None:
    model = nn.Sequential(nn.BatchNorm1d(10), *net())
    optimizer = adam(model)
    for rows in batches(8):
        optimizer.zero_grad()
        for part in rows.split(2):
            (F.cross_entropy(model(X[part] * 90 + 50), Y[part]) / 16).backward()
        optimizer.step()


@pytest.mark.parametrize(
    "program",
    [
        scalar,
        outputs_in_a_jagged_batch,
        a_gradient_that_is_sparse,
        inputs_that_are_sparse,
        a_layer_without_units,
        a_scaler_that_is_told_by_keyword,
        batch_norm_in_front_and_sixteen_parts,
    ],
)
def test_odd_tensors_and_calls_are_no_trouble(program):
    doctor = watched(program)
    assert doctor.failures == {}
    assert [finding for finding in doctor.ranked if finding.serious] == []
    assert doctor.scene.backwards == []


def test_a_hub_that_fails_closes_the_eyes_and_keeps_nothing(monkeypatch):
    def fails(*_: object) -> None:
        raise RuntimeError("a mistake of the doctor's own")

    monkeypatch.setattr("loopwright.doctor.eyes.updates.summarized", fails)
    with Doctor() as doctor:
        model = net()
        optimizer = adam(model)
        for rows in batches(100):
            step(optimizer, F.cross_entropy(model(X[rows]), Y[rows]))
        assert not doctor.scene.stretch
        assert doctor.scene.backwards == doctor.scene.calls == []
    assert list(doctor.failures) == ["after_step"]
