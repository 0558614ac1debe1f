from __future__ import annotations

import itertools
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from config_toys import ALIASES, SGD, AdamW, Cosine, Digits, Ema, Experiment, Lion, Muon, digits

from loopwright.config import Override, apply, help_text, parse_flags
from loopwright.errors import ConfigError


@dataclass(frozen=True)
class Long:
    a_name_that_is_much_longer_than_most: int = 3


def parsed(*arguments: str, **changes: Any) -> Experiment:
    experiment = digits(**changes)
    return apply(experiment, parse_flags(arguments, experiment, aliases=ALIASES))


def refusal(*arguments: str, **changes: Any) -> str:
    with pytest.raises(ConfigError) as caught:
        parsed(*arguments, **changes)
    assert caught.value.exit_code == 2
    return str(caught.value)


@pytest.mark.parametrize(
    "arguments",
    [
        ["--optimizer.weight-decay", "1e-3"],
        ["--optimizer.weight_decay", "0.001"],
        ["--optimizer.weight-decay=0.001"],
        ["--weight-decay", ".001"],
        ["--weight_decay=1e-3"],
    ],
)
def test_one_value_has_many_spellings(arguments: list[str]) -> None:
    assert parsed(*arguments).optimizer == AdamW(weight_decay=0.001)


@pytest.mark.parametrize(
    "arguments", [["--deterministic"], ["--deterministic", "yes"], ["--deterministic=1"], ["--det"]]
)
def test_a_bool_is_switched_on(arguments: list[str]) -> None:
    assert parsed(*arguments).deterministic is True


@pytest.mark.parametrize(
    "arguments", [["--no-deterministic"], ["--deterministic", "false"], ["--deterministic=no"], ["--no-det"]]
)
def test_a_bool_is_switched_off(arguments: list[str]) -> None:
    assert parsed(*arguments, deterministic=True).deterministic is False


@pytest.mark.parametrize("flag", ["--task.no-augment", "--no-task.augment"])
def test_a_nested_bool_is_switched_off(flag: str) -> None:
    assert parsed(flag, task=Digits(augment=True)).task == Digits()


def test_a_value_may_begin_with_a_dash() -> None:
    assert parsed("--clip-norm", "-1e-3", "--seed", "-2", "--note=--x") == digits(clip_norm=-1e-3, seed=-2, note="--x")


def test_a_switch_may_stand_before_another_flag_or_at_the_end() -> None:
    assert parsed("--deterministic", "--seed", "1", "--task.augment") == digits(
        deterministic=True, seed=1, task=Digits(augment=True)
    )


def test_lists_paths_choices_and_none() -> None:
    found = parsed(
        *["--optimizer.betas", "0.8,0.9", "--run-dir", "a/b", "--precision", "bf16", "--steps", "none"],
        *["--task.milestones", "1,2,3", "--note="],
    )
    assert found == digits(
        optimizer=AdamW(betas=(0.8, 0.9)),
        run_dir=Path("a/b"),
        precision="bf16",
        steps=None,
        task=Digits(milestones=(1, 2, 3)),
        note="",
    )


def test_another_class_starts_from_its_own_defaults() -> None:
    assert parsed("--optimizer", "sgd", optimizer=AdamW(lr=0.5)).optimizer == SGD()
    assert parsed("--optimizer.type", "SGD", "--lr", "3").optimizer == SGD(lr=3.0)


def test_naming_the_class_that_is_there_changes_nothing() -> None:
    assert parsed("--optimizer", "adamw", "--task", "digits", optimizer=AdamW(lr=0.5)) == digits(
        optimizer=AdamW(lr=0.5)
    )


def test_choices_nest() -> None:
    found = parsed("--optimizer.inner.momentum", "0.5", "--optimizer.inner", "sgd", "--optimizer", "muon")
    assert found.optimizer == Muon(inner=SGD(momentum=0.5))


def test_an_optional_section_is_chosen_and_dropped() -> None:
    assert parsed("--ema.decay", "0.9", "--ema", "ema").ema == Ema(0.9)
    assert parsed("--ema", "none", ema=Ema()).ema is None


def test_the_users_own_optimizer_keeps_its_place() -> None:
    assert parsed("--lr", "1", optimizer=Lion()).optimizer == Lion(1.0)
    assert parsed("--optimizer", "sgd", optimizer=Lion()).optimizer == SGD()


def test_the_order_of_arguments_never_matters() -> None:
    pairs = [
        ["--optimizer", "SGD"],
        ["--optimizer.momentum", "0.5"],
        ["--lr=2"],
        ["--schedule.total", "900"],
        ["--schedule.warmup", "800"],
        ["--schedule", "cosine"],
    ]
    found = {repr(parsed(*itertools.chain(*order))) for order in itertools.permutations(pairs)}
    assert found == {repr(digits(optimizer=SGD(lr=2.0, momentum=0.5), schedule=Cosine(900, 800)))}


def test_overrides_know_their_flag() -> None:
    found = parse_flags(["--lr", "1", "--no-det"], digits(), aliases=ALIASES)
    assert dict(found) == {"optimizer.lr": Override(1.0, "--lr"), "deterministic": Override(False, "--no-det")}


def test_flags_stand_above_a_file_and_beside_what_it_says() -> None:
    base = {"seed": Override(1, "f:1"), "optimizer.lr": Override(0.5, "f:2")}
    found = parse_flags(["--seed", "2"], digits(), base=base)
    assert apply(digits(), found) == digits(seed=2, optimizer=AdamW(lr=0.5))


def test_a_class_chosen_by_a_flag_drops_what_the_file_said_about_the_old_one() -> None:
    base = {"optimizer.lr": Override(0.5, "f:2"), "optimizer.betas": Override((0.5, 0.5), "f:3")}
    assert apply(digits(), parse_flags(["--optimizer", "sgd"], digits(), base=base)).optimizer == SGD()


def test_flags_reach_the_class_that_the_file_chose() -> None:
    base = {"optimizer": Override(SGD, "f:1"), "optimizer.lr": Override(0.5, "f:2")}
    found = parse_flags(["--optimizer.momentum", "0.1", "--optimizer", "SGD"], digits(), base=base)
    assert apply(digits(), found).optimizer == SGD(lr=0.5, momentum=0.1)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--epocs", "3"], "--epocs: Experiment has no field 'epocs'; did you mean --epochs?"),
        (["--lrr", "3"], "--lrr: Experiment has no field 'lrr'; did you mean --lr?"),
        (["--optimizer.lrr", "3"], "--optimizer.lrr: AdamW has no field 'lrr'; did you mean --optimizer.lr?"),
        (["--optimiser.lr", "3"], "--optimiser.lr: Experiment has no field 'optimiser'; did you mean --optimizer.lr?"),
        (["--optimiser.x", "3"], "--optimiser.x: Experiment has no field 'optimiser'; did you mean --optimizer?"),
        (["--hidden", "3"], "--hidden: Experiment has no field 'hidden'; did you mean --task.hidden?"),
        (
            ["--optimizer.zzz", "3"],
            "--optimizer.zzz: AdamW has no field 'zzz'; known: --optimizer.lr, --optimizer.betas, "
            "--optimizer.weight-decay",
        ),
        (
            ["--zzz"],
            "--zzz: Experiment has no field 'zzz'; known: --name, --task, --epochs, --steps, --batch-size, "
            "--optimizer, "
            "--schedule, --clip-norm, --precision, --ema, --seed, --note, …",
        ),
        (
            ["--weight-decay", "3", "--optimizer", "sgd"],
            "--weight-decay (short for --optimizer.weight-decay): SGD has no field 'weight_decay'; "
            "known: --optimizer.lr, --optimizer.momentum, --optimizer.nesterov",
        ),
        (["--steps.x", "3"], "--steps.x: steps is 500 and holds no fields; set it as a whole"),
        (["--ema.decay", "3"], "--ema.decay: ema is none and holds no fields; choose a class for it first: --ema Ema"),
        (["--no-steps"], "--no-steps: Experiment has no field 'no_steps'; did you mean --steps?"),
        (["--=3"], "'--': a flag is expected here"),
        (["--batch-size"], "--batch-size: received nothing, an int is expected; for example --batch-size 10"),
        (["--batch-size", "--seed", "1"], "--batch-size: received nothing, an int is expected"),
        (["--optimizer"], "--optimizer: received nothing, one of AdamW, SGD, Muon is expected"),
        (["--task", "Points"], "--task: received 'Points', Digits (it cannot be exchanged) is expected"),
        (
            ["--optimizer.lr", "abc"],
            "--optimizer.lr: received 'abc', a float is expected; for example --optimizer.lr 0.001",
        ),
        (["--seed", "1", "--seed", "2"], "--seed: received both '1' and '2'; give it once"),
        (["--lr", "1", "--optimizer.lr", "2"], "--optimizer.lr: received both '1' and '2'; give it once"),
        (["--det", "--no-deterministic"], "--deterministic: received both 'true' and 'false'; give it once"),
        (["--optimizer", "sgd", "--optimizer.type", "muon"], "received both 'sgd' and 'muon'; give it once"),
        (["--steps", "--steps", "2"], "--steps: received both nothing and '2'; give it once"),
        (
            ["--no-deterministic", "yes"],
            "--no-deterministic: received 'yes', but takes no value; leave it or write --deterministic",
        ),
        (["--seed", "1", "2"], "'2': a flag is expected here; values follow one, as in --seed 3 or --betas 0.9,0.95"),
        (["-s", "1"], "'-s': a flag is expected here"),
        (["--"], "'--': a flag is expected here"),
    ],
)
def test_a_wrong_flag_is_answered_with_the_remedy(arguments: list[str], message: str) -> None:
    assert refusal(*arguments).startswith(message) or message in refusal(*arguments)


def test_the_same_value_twice_is_no_contradiction() -> None:
    assert parsed("--seed", "1", "--seed=1", "--det", "--deterministic", "true") == digits(seed=1, deterministic=True)


def test_help_is_an_aligned_table_of_all_flags() -> None:
    lines = help_text(digits(epochs=3.0), aliases=ALIASES).splitlines()
    assert lines[0].split() == ["flag", "type", "current", "default", "help"]
    assert lines[1] == "Experiment"
    epochs = next(line for line in lines if "--epochs" in line)
    assert epochs.split(maxsplit=4) == ["--epochs", "FLOAT", "3.0", "10.0", "passes over the training split"]
    assert all(line.index("FLOAT") == epochs.index("FLOAT") for line in lines if "FLOAT " in line)
    assert "optimizer: AdamW" in lines
    assert any(line.split()[:4] == ["--name", "TEXT", "digits", "required"] for line in lines)
    assert any("also --lr" in line for line in lines)
    assert any("INT|none" in line for line in lines)
    assert any("INT,..." in line for line in lines)
    assert not any(line.startswith("  --task ") for line in lines)
    assert "schedule: Constant" not in lines


def test_help_stays_below_100_columns() -> None:
    text = help_text(digits(name="n" * 300, note="x" * 300, task=Long()), aliases=ALIASES)
    assert max(map(len, text.splitlines())) < 100
    assert "--task.a-name-that-is-much-longer-than-most\n" in text
    assert "one of fp32, fp32-fast, bf16, fp16" in " ".join(text.split())


def test_help_says_which_choices_there_are_only_once() -> None:
    text = " ".join(help_text(digits()).split())
    assert text.count("one of AdamW, SGD, Muon") == 1
