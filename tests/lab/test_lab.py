"""The fault lab: twins over matched seeds, a test that can fail, and what it leaves behind."""

from __future__ import annotations

import json
import math

import pytest

from loopwright.cli.main import main
from loopwright.errors import UsageError
from loopwright.faults.registry import all_faults, find_fault
from loopwright.lab import break_experiment
from loopwright.lab.biting import worse_by
from loopwright.significance import sign_flip


def test_the_sign_flip_test_is_exact():
    assert sign_flip([1.0] * 5) == 1 / 32
    assert sign_flip([1.0, -1.0]) == 0.75
    assert sign_flip([-1.0] * 4) == 1.0
    assert sign_flip([]) == 1.0
    assert sign_flip([3.0, 1.0, 2.0]) == 1 / 8


def test_what_broke_is_worse_than_any_number_and_direction_counts():
    assert worse_by([0.9, 0.8], [0.5, math.nan], larger_is_better=True) == [0.4, 10.0]
    assert worse_by([1.0], [3.0], larger_is_better=False) == [2.0]
    assert worse_by([math.nan], [1.0], larger_is_better=True) == [0.0]


@pytest.fixture(scope="module")
def lab():
    return break_experiment("points", ["diverge", "no-zero-grad", "future-visible"], seeds=5, steps=60)


def test_a_fault_is_trained_beside_its_healthy_twin(lab):
    assert lab.skipped == ["future-visible"]
    assert [one.fault.name for one in lab.broken] == ["no-zero-grad", "diverge"] or len(lab.broken) == 2
    assert all(len(one.trials) == len(one.healthy) == 5 for one in lab.broken)
    assert [trial.seed for trial in lab.healthy] == list(range(5))
    assert lab.false_alarms == []


def test_divergence_comes_on_demand_bites_and_is_named(lab):
    diverge = next(one for one in lab.broken if one.fault.name == "diverge")
    assert diverge.bites
    assert diverge.named == 1.0
    losses = [loss for _, loss in diverge.trials[0].losses]
    assert diverge.trials[0].broke or losses[-1] > 3 * losses[0]


def test_a_fault_that_shows_in_the_structure_is_named_within_two_steps(lab):
    missing = next(one for one in lab.broken if one.fault.name == "no-zero-grad")
    assert missing.named == 1.0
    assert missing.step == 2


def test_the_verb_writes_a_page_pictures_and_json(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    arguments = ["break", "points", "--fault", "double-softmax", "--seeds", "2", "--steps", "40"]
    assert main(arguments) == 0
    out = capsys.readouterr().out
    directory = tmp_path / out.strip().splitlines()[-1]
    page = (directory / "index.html").read_text()
    told = (directory / "experiments.md").read_text()
    kept = json.loads((directory / "results.json").read_text())
    assert kept["faults"][0]["said"][0] == "double-softmax"
    assert "http://" not in page.replace("http://www.w3.org", "")
    assert 'src="data:image/svg' in page
    assert "1 fault, 2 seeds each" in page
    assert "1 fault, 2 seeds each" in told
    assert "`" not in page.partition("</style>")[2]
    assert (directory / "plots" / "double-softmax.svg").is_file()
    for part in ("What changed:", "Expected:", "What happened:", "What the doctor said", "Why it breaks training:"):
        assert part in told
    assert main([*arguments[:4], "--seeds", "1", "--steps", "20"]) == 0
    assert (tmp_path / "lab" / "points" / "002").is_dir()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["break"], "which experiment, which fault?"),
        (["break", "points"], "which experiment, which fault?"),
        (["break", "points", "--fault", "no-zero-grat"], "did you mean 'no-zero-grad'"),
        (["break", "nothing", "--all"], "not known"),
        (["break", "points", "--fault", "diverge", "--seeds", "0"], "must be at least 1"),
        (["break", "points-scale", "--all"], "is a study"),
    ],
)
def test_bad_usage_is_said_in_a_line(arguments, said, capsys):
    assert main(arguments) == 2
    assert said in capsys.readouterr().err


def test_faults_are_listed(capsys):
    assert main(["break", "--list"]) == 0
    assert "no-zero-grad" in capsys.readouterr().out


def test_there_are_at_least_sixty_faults_each_with_its_story():
    faults = all_faults()
    assert len(faults) >= 60
    for name, fault in faults.items():
        assert fault.name == name
        assert all((fault.line, fault.symptom, fault.why, fault.causes))
        story = __import__(fault.inject.__module__, fromlist=["FAULT"]).__doc__
        assert len(story.split()) >= 20, name


def test_an_unknown_fault_is_answered_with_the_nearest():
    with pytest.raises(UsageError, match="did you mean 'double-softmax'"):
        find_fault("double-sofmax")
