from __future__ import annotations

import inspect
import json
import math
from dataclasses import replace

import pytest

from loopwright.core import Expect, Experiment
from loopwright.experiments import capacity, lengths, regular
from loopwright.studies.capacity import Reached, verdict
from loopwright.studies.lengths import curve
from loopwright.tasks.regular.language import RegularLanguages

MAKERS = [make for name, make in inspect.getmembers(regular, inspect.isfunction) if name.startswith("fsm_")]


def task_of(experiment: Experiment) -> RegularLanguages:
    assert isinstance(experiment.task, RegularLanguages)
    return experiment.task


@pytest.mark.parametrize("make", MAKERS)
def test_the_claimed_first_loss_is_chance_for_the_automaton_that_there_is(make):
    experiment = make()
    task = task_of(experiment)
    choices = {
        "next": 3 + len(task.alphabet),
        "class": 1 + len(task.patterns),
        "state": len(task.automaton.transitions),
    }
    chance = sum(factor * math.log(choices[asked]) for asked, factor in task.weights.items())
    assert experiment.expect.initial_loss == pytest.approx(chance, rel=1e-12)


@pytest.mark.parametrize("make", MAKERS)
def test_every_split_holds_strings_of_every_class_and_none_of_another_set(make):
    corpus = task_of(make()).strings
    for split in corpus.splits:
        strings = corpus.sets[split]
        wanted = set(range(1, len(task_of(make()).patterns) + 1))
        # A language with a few dozen strings may leave a small split without one.
        if split == "train" or len(strings) > 300:
            assert wanted <= set(strings.categories.tolist()), split
    contents = [set(strings.contents()) for strings in corpus.sets.values()]
    assert sum(map(len, contents)) == len(set().union(*contents))


def finished(run, accuracies, test):
    """What a study gets of a member that was trained: its validations in a history, its test metrics."""
    (run / "logs").mkdir(parents=True)
    lines = [
        {
            "kind": "validation",
            "step": step,
            "epoch": step - 1,
            "metrics": {"class_accuracy": accuracy, "state_accuracy": accuracy},
        }
        for step, accuracy in enumerate(accuracies, 1)
    ]
    (run / "logs" / "history.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    return {"run": str(run), "status": "finished", "test": {"best": test}}


def test_capacity_counts_epochs_until_classes_and_states_are_learned(tmp_path):
    few, many = capacity.member(2, 0), capacity.member(8, 1)
    results = [
        (few, finished(tmp_path / "few", [0.5, 0.9, 0.98], {"state_accuracy": 0.98})),
        (many, finished(tmp_path / "many", [0.5, 0.99, 1.0], {"state_accuracy": 1.0, "acceptance": 1.0})),
    ]
    capacity.conclude(results, tmp_path)
    table = json.loads((tmp_path / "capacity.json").read_text())
    assert [row[:3] for row in table["rows"]] == [[2, 0, "never"], [8, 1, 2]]
    assert table["note"].startswith("Every seed learned at width 8. None learned at width 2.")
    assert "never" in (tmp_path / "capacity.svg").read_text()


def test_capacity_says_so_where_no_width_learned():
    assert verdict([Reached(2, 0, math.nan, {})]).startswith("No width learned with every seed.")


def test_members_of_the_capacity_study_differ_in_width_and_seed_alone():
    members = capacity.fsm_capacity().members
    assert len({(task_of(one).network.width, one.seed) for one in members}) == len(members) == 21
    same = {replace(one, name="", seed=0, task=replace(task_of(one), network=regular.GRU)) for one in members}
    assert len(same) == 1
    assert len(task_of(members[0]).automaton.transitions) == capacity.STATES


def test_lengths_shows_every_network_on_every_language(tmp_path):
    best = {"class_accuracy": 1.0, "acceptance": 1.0, "acceptance_0_to_6": 1.0, "acceptance_47_to_60": 0.5}
    results = [(member, {"test": {"best": best}}) for member in lengths.fsm_lengths().members]
    lengths.conclude(results, tmp_path)
    rows = json.loads((tmp_path / "lengths.json").read_text())["rows"]
    assert [row[:2] for row in rows[:4]] == [["fsm-ab-star", network] for network in lengths.NETWORKS]
    assert len(rows) == 20
    assert curve({"test": {"best": best}}) == ([3.0, 53.5], [1.0, 0.5])


def test_members_of_one_language_differ_in_the_network_alone_but_for_the_gru():
    for members in zip(*[iter(lengths.fsm_lengths().members[:8])] * 4, strict=True):
        plain = {replace(one, name="", task=replace(task_of(one), network=regular.GRU)) for one in members[:3]}
        assert len(plain) == 1
        assert {one.expect for one in members} == {Expect()}
