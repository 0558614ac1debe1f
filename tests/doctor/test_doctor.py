"""The doctor leaves no trace: same bits, every function of torch put back, and its own mistakes stay its own."""

from __future__ import annotations

import inspect

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F
from torch.utils.data import DataLoader, TensorDataset

from loopwright.core.adam import FusedAdam
from loopwright.doctor import rule as rules
from loopwright.doctor.causes import CAUSES
from loopwright.doctor.doctor import Doctor
from loopwright.doctor.finding import Finding
from loopwright.doctor.measures import within_step
from loopwright.doctor.rule import Rule
from tests.doctor.programs import LOOSE, TOKENS, Reader, X, Y, batches, net


def train(model: nn.Module, steps: int = 40) -> list[torch.Tensor]:
    """A plain training with dropout, validation and clipping; the weights, and what the generator gives next."""
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2)
    for number, rows in enumerate(batches(steps)):
        model.train()
        loss = F.cross_entropy(model(X[rows]), Y[rows])
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        if number % 8 == 7:
            model.eval()
            with torch.no_grad():
                model(LOOSE)
    return [*(parameter.detach().clone() for parameter in model.parameters()), torch.rand(3)]


def normed() -> nn.Module:
    return nn.Sequential(nn.Linear(10, 16), nn.BatchNorm1d(16), nn.ReLU(), nn.Dropout(0.4), nn.Linear(16, 2))


@pytest.mark.parametrize("make", [lambda: net(0.3), normed])
def test_watching_changes_no_bit(make):
    torch.manual_seed(0)
    bare = train(make())
    torch.manual_seed(0)
    with Doctor() as doctor:
        seen = train(make())
    assert doctor.failures == {}
    assert doctor.scene.program.count == 40
    assert all(torch.equal(a, b) for a, b in zip(bare, seen, strict=True))


def test_probes_of_a_token_model_change_no_bit():
    def read() -> list[torch.Tensor]:
        torch.manual_seed(0)
        model = Reader(causal=True)
        optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
        for first in range(0, 48, 16):
            tokens = TOKENS[first : first + 16]
            optimizer.zero_grad()
            F.cross_entropy(model(tokens[:, :-1]).flatten(0, 1), tokens[:, 1:].flatten()).backward()
            optimizer.step()
        return [parameter.detach().clone() for parameter in model.parameters()]

    bare = read()
    with Doctor() as doctor:
        seen = read()
    assert doctor.scene.program.notes.tokens
    assert all(torch.equal(a, b) for a, b in zip(bare, seen, strict=True))


class Remembering(nn.Module):
    """Depends on how often it was called, by a list and a number of its own, and counts all calls elsewhere."""

    calls = 0

    def __init__(self) -> None:
        super().__init__()
        self.layers, self.seen, self.number = net(), [], 0

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        Remembering.calls += 1
        self.seen.append(len(x))
        self.number += 1
        return self.layers(x) * (1 + 0.01 * len(self.seen) + 0.01 * self.number)


def test_what_a_model_remembers_in_lists_and_numbers_is_put_back_after_a_probe():
    torch.manual_seed(0)
    bare = train(Remembering())
    torch.manual_seed(0)
    Remembering.calls = 0
    with Doctor() as doctor:
        seen = train(Remembering())
    assert Remembering.calls > 45  # 40 steps and 5 validations: it was probed
    assert doctor.failures == {}
    assert all(torch.equal(a, b) for a, b in zip(bare, seen, strict=True))


def test_without_probes_the_model_is_called_by_its_program_alone():
    Remembering.calls = 0
    with Doctor(probes=False) as doctor:
        train(Remembering())
    assert Remembering.calls == 45
    assert "batch-mixing" in doctor.unchecked()["probes are left to loopwright check"]


PLACES = (
    (torch.autograd, "backward"),
    (F, "cross_entropy"),
    (nn.Module, "__call__"),
    (nn.Module, "train"),
    (nn.Module, "zero_grad"),
    (nn.Module, "load_state_dict"),
    (torch.optim.Optimizer, "zero_grad"),
    (torch.optim.Optimizer, "__init__"),
    (torch.optim.lr_scheduler.LRScheduler, "step"),
    (torch.utils.data.DataLoader, "__iter__"),
    (torch.no_grad, "__enter__"),
    (torch.nn.utils, "clip_grad_norm_"),
    (torch, "randperm"),
    (torch, "relu"),
    (torch, "compile"),
    (torch.amp.GradScaler, "step"),
    (np.random, "permutation"),
)


def test_every_function_is_put_back():
    before = [getattr(owner, name) for owner, name in PLACES]
    with Doctor():
        replaced = [getattr(owner, name) is not old for (owner, name), old in zip(PLACES, before, strict=True)]
        train(net(), 3)
    assert all(replaced)
    assert [getattr(owner, name) for owner, name in PLACES] == before
    assert "__sub__" not in vars(torch.Tensor)


def test_every_function_takes_the_keywords_that_it_took():
    seams = Doctor().seams
    for seam in [*seams.rare(), *seams.frequent()]:
        try:
            taken = list(inspect.signature(seam.original).parameters)
        except ValueError:
            continue  # written in C
        own = inspect.signature(seam.wrapper, follow_wrapped=False).parameters.values()
        named = [each.name for each in own if each.kind is each.POSITIONAL_OR_KEYWORD]
        method = inspect.isclass(seam.owner)
        assert named[method:] == taken[method : len(named)], seam.name
        assert any(each.kind is each.VAR_KEYWORD for each in own) or len(named) == len(taken), seam.name


def test_everything_may_be_called_by_keyword(tmp_path):
    def program() -> list[torch.Tensor]:
        torch.manual_seed(0)
        model = net()
        optimizer = torch.optim.AdamW(params=model.parameters(), lr=1e-3)
        schedule = torch.optim.lr_scheduler.LambdaLR(optimizer=optimizer, lr_lambda=lambda step: 0.9**step)
        loader = DataLoader(dataset=TensorDataset(X, Y), batch_size=64, shuffle=True)
        for inputs, labels in loader:
            optimizer.zero_grad(set_to_none=True)
            loss = F.cross_entropy(input=model(inputs), target=labels, reduction="mean")
            torch.autograd.backward(tensors=loss, retain_graph=False)
            nn.utils.clip_grad_norm_(parameters=model.parameters(), max_norm=0.5, norm_type=2)
            nn.utils.clip_grad_value_(parameters=model.parameters(), clip_value=0.5)
            optimizer.step(closure=None)
            schedule.step(epoch=None)
        model.train(mode=False)
        torch.save(obj={"model": model.state_dict(), "optimizer": optimizer.state_dict()}, f=tmp_path / "state.pt")
        held = torch.load(f=tmp_path / "state.pt", weights_only=True)
        model.load_state_dict(state_dict=held["model"], strict=True)
        optimizer.load_state_dict(state_dict=held["optimizer"])
        return [parameter.detach() for parameter in model.parameters()]

    bare = program()
    with Doctor() as doctor:
        watched = program()
    assert doctor.failures == {}
    assert doctor.scene.program.saves == doctor.scene.program.resumable == 1
    assert all(torch.equal(one, other) for one, other in zip(bare, watched, strict=True))


def test_while_nobody_looks_only_two_hooks_are_left():
    with Doctor() as doctor:
        doctor.scene.close()
        doctor.until = doctor.scene.following = 10**9
        doctor.looks, doctor.scene.seconds = 10**6, 1e9
        for owner, name in ((torch.autograd, "backward"), (F, "cross_entropy"), (nn.Module, "__call__")):
            assert "loopwright" not in getattr(getattr(owner, name), "__module__", "")
        train(net(), 5)
        assert doctor.scene.program.count == 5
        assert not doctor.scene.program.steps


@pytest.mark.parametrize("kind", [torch.optim.Adam, FusedAdam])
def test_a_state_that_is_loaded_is_seen_whatever_kind_of_optimizer_it_is(kind):
    optimizer = kind([{"params": list(net().parameters())}], lr=1e-3, betas=(0.9, 0.99))
    with Doctor() as doctor:
        optimizer.load_state_dict(optimizer.state_dict())
    assert doctor.scene.program.notes.restored.keys() == {id(optimizer)}


def test_an_exception_of_the_program_passes_through_and_all_is_put_back():
    before = torch.autograd.backward
    with pytest.raises(ZeroDivisionError), Doctor():
        train(net(), 1 // 0)
    assert torch.autograd.backward is before


def test_a_rule_that_fails_is_switched_off_and_named(monkeypatch):
    def faulty(view):
        raise KeyError("mine")
        yield

    monkeypatch.setattr(rules, "RULES", [*rules.RULES])
    doctor = Doctor()
    from loopwright.doctor.shield import Shield

    doctor.asked["step"].insert(0, (Rule(faulty, "step", (), "steps"), Shield("rule faulty", doctor.failures)))
    with doctor:
        train(net(), 4)
    assert list(doctor.failures) == ["rule faulty"]
    assert "KeyError: 'mine'" in doctor.failures["rule faulty"]
    assert doctor.scene.program.count == 4


def test_memory_is_bounded_and_no_tensor_is_kept():
    with Doctor() as doctor:
        train(net(), 100)
    program = doctor.scene.program
    assert len(program.steps) <= 64
    assert not any(step.calls or step.losses or step.backwards for step in program.steps)
    assert doctor.scene.calls == []
    assert doctor.scene.pending == {}


def test_findings_are_kept_once_for_each_place_and_told_as_they_arise():
    told: list[Finding] = []
    doctor = Doctor(told.append)
    one = Finding("error", "no-zero-grad", "evidence", 2, "here")
    doctor.note([one, one, Finding("info", "no-zero-grad", "evidence", 3, "there")])
    assert [finding.where for finding in doctor.findings] == ["here", "there"] == [finding.where for finding in told]
    doctor.note(Finding("warning", "dead-units", "e", 1, f"layer {n}") for n in range(10))
    assert sum(finding.cause == "dead-units" for finding in doctor.findings) == 3


def test_what_was_only_possible_is_told_again_when_it_is_serious():
    doctor = Doctor()
    for severity in ("info", "info", "error", "error", "info"):
        doctor.note([Finding(severity, "split-overlap", "evidence", 2)])
    assert [finding.severity for finding in doctor.findings] == ["info", "error"]
    assert [finding.severity for finding in doctor.ranked] == ["error"]


def test_the_surest_of_the_worst_comes_first():
    doctor = Doctor()
    doctor.note(
        [
            Finding("warning", "dead-units", "e", certainty=0.99),
            Finding("error", "non-finite", "e", certainty=0.5),
            Finding("error", "lr-too-large", "e", certainty=0.9),
        ]
    )
    assert [finding.cause for finding in doctor.ranked] == ["lr-too-large", "non-finite", "dead-units"]


def test_a_finding_speaks_the_causes_words():
    finding = Finding("error", "no-zero-grad", "the order of calls", 2, "model", probe="none needed")
    cause = CAUSES["no-zero-grad"]
    text = finding.text()
    assert all(part in text for part in (cause.wrong, cause.fix, cause.otherwise, "step 2", "model", "none needed"))
    assert finding.as_dict()["fix"] == cause.fix
    with pytest.raises(KeyError):
        Finding("error", "nothing-known", "e")


@pytest.mark.parametrize("cause", sorted(CAUSES))
def test_causes_are_told_in_one_line_each(cause):
    told = CAUSES[cause]
    for text in (told.wrong, told.fix, told.otherwise):
        assert text
        assert "\n" not in text
        assert not text.endswith(".")
        assert len(text) <= 160


def test_a_compiled_model_is_compiled_once_for_each_mode():
    """Functions that are replaced, and put back, would be reasons to compile anew."""
    torch.manual_seed(0)
    torch._dynamo.reset()
    counters = torch._dynamo.utils.counters
    counters.clear()
    with Doctor() as doctor:
        layers = nn.Sequential(nn.Linear(10, 16), nn.ReLU(), nn.Dropout(0.1), nn.Linear(16, 2))
        model = torch.compile(layers, backend="eager")
        optimizer = torch.optim.Adam(model.parameters())
        for _ in range(60):
            optimizer.zero_grad()
            nn.functional.cross_entropy(model(torch.randn(16, 10)), torch.randint(0, 2, (16,))).backward()
            optimizer.step()
    assert doctor.failures == {}
    assert doctor.scene.program.calls > 0
    assert counters["stats"]["unique_graphs"] <= 2  # with gradients, and without: the doctor's own probes
    torch._dynamo.reset()


def test_what_happens_within_a_step_is_known_as_that():
    seen: list[bool] = []

    class Noting(torch.optim.SGD):
        def step(self, closure=None):
            seen.append(within_step())
            return super().step(closure)

    def step(optimizer: torch.optim.Optimizer) -> bool:
        return within_step()

    weight = nn.Parameter(torch.ones(1))
    noting = Noting([weight], lr=0.1)
    torch.optim.lr_scheduler.StepLR(noting, 1)
    noting.step(lambda: seen.append(within_step()))
    assert seen == [True, True]
    assert not step(noting)
    assert not within_step()
