"""One thing changed and nothing else: whatever stands against that is found and said."""

from __future__ import annotations

import pytest
from making import make_group, make_run, write

from loopwright.comparing import compare
from loopwright.comparing.chapters import control

FASTER = {"optimizer.lr": 0.03}


def kinds(runs):
    (contrast,) = compare(runs).contrasts
    return [reason.kind for reason in contrast.reasons]


def test_one_changed_key_is_a_controlled_comparison(tmp_path):
    found = compare([make_run(tmp_path, "001"), make_run(tmp_path, "002", config=FASTER)])
    assert [(key.name, key.values) for key in found.keys] == [("optimizer.lr", ("0.01", "0.03"))]
    assert found.unchanged == 13
    assert found.controlled
    assert found.contrasts[0].told == "optimizer.lr 0.01 → 0.03"


def test_several_changed_keys_are_none(tmp_path):
    runs = [make_run(tmp_path, "001"), make_run(tmp_path, "002", config={**FASTER, "batch_size": 20})]
    (contrast,) = compare(runs).contrasts
    assert [change.name for change in contrast.changes] == ["batch_size", "optimizer.lr"]
    assert not contrast.controlled
    assert "2 things were changed at once (batch_size, optimizer.lr)" in contrast.reasons[0].text


@pytest.mark.parametrize(
    "config",
    [
        {"optimizer": {"type": "SGD", "lr": 0.1, "momentum": 0.9}},
        {"steps": "none", "epochs": 3.0},
        {**FASTER, "experiment": "toy-faster", "keep": 5, "tensorboard": True, "loopwright": "0.1.1"},
    ],
)
def test_keys_that_go_together_are_one_change(tmp_path, config):
    (contrast,) = compare([make_run(tmp_path, "001"), make_run(tmp_path, "002", config=config)]).contrasts
    assert len(contrast.changes) == 1
    assert contrast.controlled


def test_another_optimizer_is_told_by_its_kind(tmp_path):
    config = {"optimizer": {"type": "SGD", "lr": 0.1, "momentum": 0.9}}
    (contrast,) = compare([make_run(tmp_path, "001"), make_run(tmp_path, "002", config=config)]).contrasts
    assert contrast.told == "optimizer AdamW → SGD"


@pytest.mark.parametrize(
    ("env", "kind"),
    [
        ({"data_sha256": "e" * 64}, "other data"),
        ({"git_commit": "b" * 40}, "other code"),
        ({"torch": "2.12.0"}, "other versions"),
        ({"packages": {"numpy": "2.0.0"}}, "other packages"),
        ({"cpu": "Other CPU"}, "other machine"),
        ({"threads": 4}, "other machine"),
        ({"config_sha256": "0" * 64}, "config not saved"),
        ({"init_sha256": "f" * 64}, "other first weights"),
    ],
)
def test_what_differs_outside_of_the_configuration_is_named(tmp_path, env, kind):
    first = make_run(tmp_path, "001", env={"git_commit": "a" * 40})
    second = make_run(tmp_path, "002", config=FASTER, env={"git_commit": "a" * 40, **env})
    assert kinds([first, second]) == [kind]


def test_uncommitted_changes_and_an_own_file_that_differs_are_other_code(tmp_path):
    first = make_run(tmp_path, "001", config={"code_sha256": "a" * 64})
    patched = make_run(tmp_path, "002", config={**FASTER, "code_sha256": "a" * 64}, patch="+x")
    edited = make_run(tmp_path, "003", config={**FASTER, "code_sha256": "b" * 64})
    assert kinds([first, patched]) == kinds([first, edited]) == ["other code"]


def test_where_the_configurations_are_the_same_the_code_is_the_one_thing_that_changed(tmp_path):
    old = make_group(tmp_path, [0.5, 0.6], env={"git_commit": "a" * 40})
    new = make_group(tmp_path, [0.4, 0.5], first=3, env={"git_commit": "b" * 40})
    found = compare([*old, *new])
    assert [len(group.subjects) for group in found.groups] == [2, 2]
    assert found.controlled
    assert found.contrasts[0].told == f"other code: commits {'a' * 9}, {'b' * 9}"
    (said,) = control(found)
    same = f"in one thing, other code: commits {'a' * 9}, {'b' * 9}; data, versions, machine and budget are the same"
    assert same in said.text


@pytest.mark.parametrize(
    ("metrics", "said"),
    [
        ({"status": "failed", "reason": "the loss is not a number", "steps": 7}, "failed: toy/002 (after 7 steps)"),
        ({"status": "interrupted", "steps": 7}, "interrupted: toy/002 (after 7 steps)"),
        ({"status": "running"}, "killed: toy/002 (after 40 steps)"),
        ({"stopped": "patience", "steps": 20}, "stopped early, patience ran out: toy/002 (after 20 steps)"),
    ],
)
def test_other_budgets_are_named(tmp_path, metrics, said):
    runs = [make_run(tmp_path, "001"), make_run(tmp_path, "002", config=FASTER, metrics=metrics)]
    (contrast,) = compare(runs).contrasts
    assert [reason.kind for reason in contrast.reasons] == ["other budget"]
    assert said in contrast.reasons[0].text


def test_another_deciding_metric_is_named(tmp_path):
    second = make_run(tmp_path, "002", config=FASTER, metrics={"decided_by": {"metric": "accuracy", "mode": "max"}})
    assert "other metric" in kinds([make_run(tmp_path, "001"), second])


def test_other_splits_are_named(tmp_path):
    second = make_run(tmp_path, "002", config=FASTER, metrics={"test": {}})
    assert kinds([make_run(tmp_path, "001"), second]) == ["other splits"]


def test_evaluating_on_training_data_is_found_by_equal_numbers_and_by_the_doctor(tmp_path):
    first = make_run(tmp_path, "001")
    same = {which: {"loss": 0.123, "accuracy": 0.9} for which in ("best", "last")}
    assert kinds([first, make_run(tmp_path, "002", config=FASTER, metrics={"train": same, "val": same})]) == [
        "evaluated on train"
    ]
    second = make_run(tmp_path, "003", config=FASTER)
    finding = {
        "severity": "error",
        "cause": "split-overlap",
        "evidence": "12 of 100",
        "wrong": "shared",
        "fix": "split",
    }
    write(second / "findings.json", {"findings": [finding]})
    assert kinds([first, second]) == ["evaluated on train"]


def test_perfect_scores_on_both_splits_are_no_sign_of_that(tmp_path):
    same = {which: {"accuracy": 1.0} for which in ("best", "last")}
    second = make_run(tmp_path, "002", config=FASTER, metrics={"train": same, "val": same})
    assert kinds([make_run(tmp_path, "001"), second]) == []


def test_a_configuration_that_was_not_saved_is_named(tmp_path):
    second = make_run(tmp_path, "002", config=FASTER)
    (second / "config.toml").unlink()
    found = compare([make_run(tmp_path, "001"), second])
    (contrast,) = found.contrasts
    assert contrast.reasons[0].kind == "config not saved"
    assert "toy/002: config.toml is missing" in found.notes


def test_a_grid_is_controlled_where_one_thing_differs_from_the_baseline(tmp_path):
    runs = [
        make_run(tmp_path, f"{place:03d}", config={"optimizer.lr": rate, "batch_size": size})
        for place, (rate, size) in enumerate(((0.1, 8), (0.2, 8), (0.1, 16), (0.2, 16)), start=1)
    ]
    assert [contrast.controlled for contrast in compare(runs).contrasts] == [True, True, False]


@pytest.mark.parametrize(
    ("text", "kind"),
    [(None, "environment not saved"), ("[1, 2]", "environment not saved"), ('{"torch": "2"}', "data unknown")],
)
def test_what_is_unknown_of_a_run_is_not_called_the_same(tmp_path, text, kind):
    runs = [make_run(tmp_path, "001"), make_run(tmp_path, "002", config=FASTER)]
    (runs[1] / "env.json").unlink()
    if text is not None:
        (runs[1] / "env.json").write_text(text)
    assert kind in kinds(runs)


def test_the_budget_of_batches_of_another_size_is_not_called_the_same(tmp_path):
    found = compare([make_run(tmp_path, "001"), make_run(tmp_path, "002", config={"batch_size": 20})])
    assert found.controlled
    assert "the number of steps (not of samples) are the same" in control(found)[0].text


def test_one_seed_beside_another_is_no_single_change(tmp_path):
    assert kinds([make_run(tmp_path, "001"), make_run(tmp_path, "002", config={**FASTER, "seed": 3})]) == ["other seed"]
