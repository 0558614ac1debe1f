from __future__ import annotations

import subprocess
import sys
from dataclasses import MISSING, dataclass, field
from pathlib import Path
from typing import Any

import pytest
from config_toys import SGD, AdamW, Constant, Cosine, Digits, Ema, Experiment, Lion, Muon, digits

from loopwright.config import Override, apply, leaves, replace_at, to_dict
from loopwright.errors import ConfigError


@dataclass(frozen=True)
class Outer:
    inner: Any


@dataclass(frozen=True)
class NeedsInner:
    inner: AdamW
    count: int


@dataclass(frozen=True)
class Holder:
    value: NeedsInner | AdamW = field(default_factory=AdamW)


@dataclass(frozen=True)
class HasType:
    type: str = "wine"


@dataclass(frozen=True)
class Unresolved:
    value: Nowhere = 1  # type: ignore[name-defined] # noqa: F821


@dataclass(frozen=True)
class Made:
    values: tuple[int, ...] = field(default_factory=lambda: (1, 2))


def test_leaves_come_in_the_order_of_the_fields_with_type_and_help() -> None:
    found = {leaf.path: leaf for leaf in leaves(digits())}
    assert list(found)[:8] == [
        "name",
        "task",
        "task.hidden",
        "task.augment",
        "task.data_dir",
        "task.milestones",
        "epochs",
        "steps",
    ]
    hidden = found["task.hidden"]
    assert (hidden.kind, hidden.value, hidden.default, hidden.help, hidden.owner) == (int, 32, 32, "units", "Digits")
    assert found["name"].default is MISSING


def test_fields_without_init_and_fields_marked_as_no_config_are_left_out() -> None:
    paths = {leaf.path for leaf in leaves(digits())}
    assert "task.derived" not in paths
    assert "expect" not in paths
    assert "expect" not in to_dict(digits(expect=object()))


def test_every_leaf_knows_where_its_value_comes_from() -> None:
    overrides = {"seed": Override(3, "--seed"), "optimizer": Override(SGD, "run.toml:4")}
    found = {leaf.path: leaf.source for leaf in leaves(digits(epochs=3.0), overrides)}
    assert found["seed"] == "--seed"
    assert found["epochs"] == "experiment"
    assert found["batch_size"] == "defaults"
    assert found["optimizer"] == "run.toml:4"
    assert found["optimizer.momentum"] == "defaults"
    assert found["schedule"] == "defaults"


def test_a_section_under_a_protocol_offers_its_own_class_only() -> None:
    found = {leaf.path: leaf for leaf in leaves(digits())}
    assert (found["task"].kind, found["task"].value) == (Digits, Digits)


def test_to_dict_names_the_class_where_the_declared_type_leaves_it_open() -> None:
    tree = to_dict(digits(steps=None, optimizer=Muon(), run_dir=Path("a/b")))
    assert tree["task"] == {"type": "Digits", "hidden": 32, "augment": False, "data_dir": "none", "milestones": []}
    assert tree["optimizer"]["type"] == "Muon"
    assert tree["optimizer"]["inner"] == {"type": "AdamW", "lr": 0.001, "betas": [0.9, 0.999], "weight_decay": 0.01}
    assert (tree["steps"], tree["ema"], tree["run_dir"]) == ("none", "none", "a/b")
    assert to_dict(NeedsInner(AdamW(), 1))["inner"] == {"lr": 0.001, "betas": [0.9, 0.999], "weight_decay": 0.01}


def test_a_text_none_in_an_optional_field_is_refused_rather_than_lost() -> None:
    with pytest.raises(ConfigError) as caught:
        to_dict(digits(note="none"))
    assert str(caught.value) == (
        "note: 'none' would be read back from a config as None; "
        "give the field note of the experiment another value or type"
    )


def test_a_value_of_another_type_than_declared_is_found_before_it_is_recorded() -> None:
    with pytest.raises(ConfigError, match=r"config: seed: received 1\.5, an int is expected"):
        to_dict(digits(seed=1.5))
    with pytest.raises(ConfigError, match=r"optimizer\.betas: \[0\.9, 0\.9\].* a config cannot hold|betas: received"):
        to_dict(digits(optimizer=AdamW(betas=[0.9, 0.9])))  # type: ignore[arg-type]


def test_a_field_named_type_inside_a_section_is_refused() -> None:
    with pytest.raises(ConfigError) as caught:
        leaves(digits(task=HasType()))
    assert str(caught.value) == "task.type: a section's 'type' is its class; rename this field of HasType"


def test_an_unknown_annotation_is_named() -> None:
    with pytest.raises(ConfigError) as caught:
        leaves(Unresolved())
    assert str(caught.value) == (
        "Unresolved: name 'Nowhere' is not defined, so a field's type is unknown; import it in the class's module"
    )


def test_apply_leaves_untouched_sections_the_same_objects() -> None:
    experiment = digits()
    changed = apply(experiment, {"task.hidden": Override(64, "--task.hidden")})
    assert changed == digits(task=Digits(hidden=64))
    assert changed.optimizer is experiment.optimizer
    assert apply(experiment, {}) is experiment


def test_values_that_are_valid_only_together_are_applied_together() -> None:
    overrides = {"schedule.warmup": Override(1000, ""), "schedule.total": Override(5000, "")}
    assert apply(digits(schedule=Cosine(total=500)), overrides).schedule == Cosine(total=5000, warmup=1000)


def test_a_class_that_refuses_its_values_is_named() -> None:
    with pytest.raises(ConfigError) as caught:
        apply(digits(schedule=Cosine(total=500)), {"schedule.warmup": Override(1000, "")})
    assert str(caught.value) == "schedule: warmup 1000 is longer than total 500; shorten it"


def test_a_chosen_class_wants_its_required_values() -> None:
    chosen = {"schedule": Override(Cosine, "--schedule")}
    with pytest.raises(ConfigError) as caught:
        apply(digits(), chosen)
    assert str(caught.value) == "schedule.total: Cosine has no default for it; add --schedule.total"
    assert apply(digits(), chosen | {"schedule.total": Override(300, "")}).schedule == Cosine(total=300)


def test_a_required_section_is_built_from_its_own_defaults() -> None:
    overrides = {"value": Override(NeedsInner, ""), "value.count": Override(2, "")}
    assert apply(Holder(), overrides) == Holder(NeedsInner(AdamW(), 2))
    changed = apply(Holder(), overrides | {"value.inner.lr": Override(0.5, "")})
    assert changed == Holder(NeedsInner(AdamW(lr=0.5), 2))


def test_an_optional_section_comes_and_goes() -> None:
    assert apply(digits(), {"ema": Override(Ema, ""), "ema.decay": Override(0.9, "")}).ema == Ema(0.9)
    assert apply(digits(ema=Ema()), {"ema": Override(None, "")}).ema is None


def test_a_class_that_the_union_does_not_list_may_stand_there() -> None:
    found = {leaf.path: leaf for leaf in leaves(digits(optimizer=Lion()))}
    assert found["optimizer"].kind == AdamW | SGD | Muon | Lion
    assert to_dict(digits(optimizer=Lion()))["optimizer"] == {"type": "Lion", "lr": 1e-4}


def test_a_default_factory_counts_as_the_default() -> None:
    (leaf,) = leaves(Made())
    assert (leaf.default, leaf.source) == ((1, 2), "defaults")


def test_replace_at_reaches_any_depth() -> None:
    assert replace_at(digits(), "optimizer.lr", 0.5).optimizer == AdamW(lr=0.5)
    assert replace_at(digits(), "schedule", Cosine(200)).schedule == Cosine(200)
    assert replace_at(digits(), "expect", 1).expect == 1
    assert replace_at(Outer(Outer(1)), "inner.inner", 2) == Outer(Outer(2))


def test_replace_at_names_the_nearest_field() -> None:
    with pytest.raises(ConfigError, match=r"^AdamW has no field 'lrr'; did you mean 'lr'\?$"):
        replace_at(digits(), "optimizer.lrr", 0.5)
    with pytest.raises(ConfigError, match=r"^int has no field 'x'; there is none\.$"):
        replace_at(digits(), "seed.x", 0.5)


def test_a_config_is_read_without_torch() -> None:
    code = "import sys, loopwright.config; sys.exit('torch' in sys.modules or 'numpy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_constant_has_no_fields_of_its_own() -> None:
    assert to_dict(digits(schedule=Constant()))["schedule"] == {"type": "Constant"}
    assert isinstance(digits(), Experiment)
