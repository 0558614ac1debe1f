"""`loopwright check`: silent on the experiments that come with the package, and right about what is broken."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
import torch

from loopwright.checking import CHECKS, check_experiment
from loopwright.cli.main import main
from loopwright.core.evaluate import evaluate
from loopwright.core.state import State
from loopwright.doctor.neighbors import agree, agreeing
from loopwright.faults.registry import find_fault
from loopwright.running.registry import find


def experiment(name: str):
    return replace(find(name).make(), threads=1, device="cpu").resolved().check()


def broken(name: str, fault: str):
    made = find_fault(fault).inject(replace(find(name).make(), threads=1, device="cpu"))
    return made.resolved().check()


@pytest.mark.parametrize("name", ["points", "points-xor", "line", "digits-mlp", "digits-cnn", "fsm-micro", "tabular"])
def test_a_healthy_experiment_is_left_alone(name):
    checked = check_experiment(experiment(name))
    assert [finding for finding in checked.findings if finding.severity != "info"] == []
    assert {result.verdict for result in checked.results} <= {"fine", "not applicable"}
    assert len(checked.results) == len(CHECKS)


@pytest.mark.parametrize(
    ("name", "fault"),
    [
        ("digits-mlp", "split-overlap"),
        ("digits-mlp", "split-preprocessing"),
        ("digits-mlp", "fitted-on-all"),
        ("digits-mlp", "same-order"),
        ("digits-mlp", "no-shuffle"),
        ("digits-mlp", "random-labels"),
        ("digits-mlp", "shifted-labels"),
        ("digits-mlp", "random-validation"),
        ("digits-mlp", "partial-evaluation"),
        ("digits-mlp", "label-leak"),
        ("line", "random-labels"),
        ("points", "metric-not-reset"),
        ("points", "batch-size-dependent-metric"),
        ("points", "optimizer-not-saved"),
        ("points", "weights-not-restored"),
        ("points", "schedule-not-saved"),
        ("digits-mlp", "position-not-saved"),
        ("points", "graph-cut"),
        ("fsm-ab-star", "future-visible"),
    ],
)
def test_a_fault_is_named_before_training(name, fault):
    checked = check_experiment(broken(name, fault))
    serious = [finding for finding in checked.findings if finding.severity != "info"]
    assert serious
    assert serious[0].cause in find_fault(fault).causes, serious


def test_a_check_leaves_no_trace():
    made = experiment("digits-mlp")
    state = State.create(made)
    before = evaluate(made.task, state.model, "val", made.seed)
    torch.manual_seed(5)
    drawn = torch.rand(3)
    torch.manual_seed(5)
    check_experiment(made)
    again = State.create(made)
    assert evaluate(made.task, again.model, "val", made.seed) == before
    torch.manual_seed(5)
    assert torch.equal(torch.rand(3), drawn)


def test_neighbors_tell_labels_and_numbers():
    x = torch.linspace(0, 1, 60)[:, None]
    assert agree(x, (x[:, 0] > 0.5).long()) > 0.9
    assert agree(x, x * 3) > 0.9
    many = torch.linspace(0, 1, 2000)[:, None]
    shuffled = many[torch.randperm(2000, generator=torch.Generator().manual_seed(0))]
    assert abs(agreeing(shuffled, many)) < 0.1


def test_a_check_that_fails_is_a_result_of_its_own():
    made = experiment("points")

    class Failing(type(made.task)):  # type: ignore[misc]
        def evaluate(self, model, split):
            raise ArithmeticError("mine")

    checked = check_experiment(replace(made, task=Failing()))
    failed = {result.name: result.told for result in checked.results if result.verdict == "failed"}
    assert "two evaluations give the same" in failed
    assert "ArithmeticError: mine" in failed["two evaluations give the same"]


@pytest.mark.parametrize(("rate", "cause"), [("10000", "lr-too-large"), ("1e-12", "lr-too-small")])
def test_a_batch_that_is_not_learned_by_heart_is_doubtful_by_the_way_the_loss_went(rate, cause, capsys):
    main(["check", "points", "--optimizer.lr", rate])
    told = capsys.readouterr().out
    assert re.search(r"one batch can be learned by heart +doubtful", told)
    other = {"lr-too-large": "lr-too-small", "lr-too-small": "lr-too-large"}[cause]
    assert f"{cause} (step" in told
    assert other not in told
