from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from config_toys import SGD, AdamW, Constant, Cosine, Digits, Ema, Experiment, Muon, digits
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from loopwright.config import (
    Override,
    apply,
    check_format,
    dumps,
    overrides_from_file,
    parse_flags,
    read_toml,
    to_dict,
)
from loopwright.config.files import MAX_BYTES
from loopwright.errors import ConfigError

SOURCE = """\
format = 1
epochs = 3
deterministic = true

[optimizer]
type = "SGD"
lr = 0.5   # high

[task]
hidden = 64
"""

finite = st.floats(allow_nan=False)
texts = st.text(max_size=20)
optimizers = st.one_of(
    st.builds(AdamW, lr=finite, betas=st.tuples(finite, finite), weight_decay=finite),
    st.builds(SGD, lr=finite, nesterov=st.booleans()),
    st.builds(Muon, lr=finite, inner=st.one_of(st.builds(AdamW, lr=finite), st.builds(SGD))),
)
experiments = st.builds(
    Experiment,
    name=texts,
    task=st.builds(
        Digits,
        hidden=st.integers(),
        augment=st.booleans(),
        data_dir=st.none() | st.sampled_from([Path("a b"), Path("/x/é")]),
        milestones=st.lists(st.integers(), max_size=3).map(tuple),
    ),
    epochs=finite,
    steps=st.none() | st.integers(),
    optimizer=optimizers,
    schedule=st.one_of(st.just(Constant()), st.builds(Cosine, total=st.integers(200, 10**6))),
    precision=st.sampled_from(["fp32", "fp32-fast", "bf16", "fp16"]),
    ema=st.none() | st.builds(Ema, decay=finite),
    note=st.none() | texts.filter(lambda text: text != "none"),
    deterministic=st.booleans(),
)


@dataclass(frozen=True)
class Number:
    value: float = 0.0


def written(directory: Path, content: str | bytes) -> Path:
    path = directory / "run.toml"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def applied(path: Path, instance: Any) -> Any:
    return apply(instance, overrides_from_file(read_toml(path), instance))


def refusal(directory: Path, content: str | bytes, instance: Any) -> str:
    path = written(directory, content)
    with pytest.raises(ConfigError) as caught:
        applied(path, instance)
    return str(caught.value).replace(str(directory) + "/", "")


def test_a_file_fills_the_experiment_and_remembers_the_lines(tmp_path: Path) -> None:
    path = written(tmp_path, SOURCE)
    found = overrides_from_file(read_toml(path), digits(), besides=["format"])
    assert dict(found) == {
        "epochs": Override(3.0, f"{path}:2"),
        "deterministic": Override(True, f"{path}:3"),
        "optimizer": Override(SGD, f"{path}:6"),
        "optimizer.lr": Override(0.5, f"{path}:7"),
        "task.hidden": Override(64, f"{path}:10"),
    }
    assert apply(digits(), found) == digits(
        epochs=3.0, deterministic=True, optimizer=SGD(lr=0.5), task=Digits(hidden=64)
    )


def test_flags_win_over_the_file(tmp_path: Path) -> None:
    base = overrides_from_file(read_toml(written(tmp_path, SOURCE)), digits(), besides=["format"])
    found = apply(digits(), parse_flags(["--epochs", "9", "--optimizer.momentum", "0"], digits(), base=base))
    assert (found.epochs, found.optimizer) == (9.0, SGD(lr=0.5, momentum=0.0))


def test_a_second_file_stands_above_the_first(tmp_path: Path) -> None:
    first = overrides_from_file(read_toml(written(tmp_path, "seed = 1\nepochs = 2")), digits())
    second = overrides_from_file(read_toml(written(tmp_path, "seed = 3")), digits(), base=first)
    assert apply(digits(), second) == digits(seed=3, epochs=2.0)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(base=experiments, instance=experiments)
def test_what_is_written_reads_back_bit_for_bit_over_any_base(
    tmp_path: Path, base: Experiment, instance: Experiment
) -> None:
    instance = apply(instance, {"task.hidden": Override(instance.task.size(), "")})
    found = applied(written(tmp_path, dumps(to_dict(instance))), base)
    assert found == instance
    assert repr(found) == repr(instance)  # -0.0 is not 0.0


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, -0.0, 5e-324, 0.1 + 0.2, 1e16])
def test_every_float_reads_back(tmp_path: Path, value: float) -> None:
    found = applied(written(tmp_path, dumps(to_dict(Number(value)))), Number(1.0))
    assert repr(found) == repr(Number(value))


@pytest.mark.parametrize(
    "content",
    [
        "optimizer = {lr = 0.5}",
        "optimizer.lr = 0.5",
        "[optimizer]\r\nlr = 0.5\r\n",
        '["optimizer"]\n"lr" = 0.5',
        "\ufeffoptimizer.lr = 0.5",
        '[optimizer]\ntype = "adamw"\nlr = 0.5\n[task]\n[schedule]',
    ],
)
def test_toml_may_be_written_in_its_own_ways(tmp_path: Path, content: str) -> None:
    assert applied(written(tmp_path, content), digits()) == digits(optimizer=AdamW(lr=0.5))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("seed = 1\nepocs = 3", "run.toml:2: epocs: Experiment has no field 'epocs'; did you mean epochs?"),
        ("\n[optimizer]\nlrr = 3", "run.toml:3: optimizer.lrr: AdamW has no field 'lrr'; did you mean optimizer.lr?"),
        (
            "[optimiser]\nlr = 3",
            "run.toml:2: optimiser.lr: Experiment has no field 'optimiser'; did you mean optimizer.lr?",
        ),
        ("[optimiser]", "run.toml:1: optimiser: Experiment has no field 'optimiser'; did you mean optimizer?"),
        (
            "weight_decay = 3",
            "run.toml:1: weight_decay: Experiment has no field 'weight_decay'; did you mean optimizer.weight_decay?",
        ),
        (
            '[optimizer]\ntype="SGD"\nbetas = [0.1, 0.2]',
            "run.toml:3: optimizer.betas: SGD has no field 'betas'; known: optimizer.lr, optimizer.momentum, "
            "optimizer.nesterov",
        ),
        ('"optimizer.lr" = 1.0', 'run.toml:1: "optimizer.lr": Experiment has no field'),
        (
            "optimizer = {lr = 'x'}",
            "run.toml:1: optimizer.lr: received 'x', a float is expected; for example lr = 0.001",
        ),
        ("\nbatch_size = 1.5", "run.toml:2: batch_size: received 1.5, an int is expected; for example batch_size = 10"),
        ("seed = '1'", "run.toml:1: seed: received '1', an int is expected; for example seed = 10"),
        ("seed = 2020-01-01", "run.toml:1: seed: received datetime.date(2020, 1, 1), an int is expected"),
        (
            "precision = 'fp23'",
            "run.toml:1: precision: received 'fp23', one of fp32, fp32-fast, bf16, "
            "fp16 is expected; did you mean 'fp32'?",
        ),
        (
            "optimizer = 3",
            'run.toml:1: optimizer: received 3, one of AdamW, SGD, Muon is expected; for example optimizer = "AdamW"',
        ),
        (
            "[optimizer]\ntype = 'zz'",
            "run.toml:2: optimizer.type: received 'zz', one of AdamW, SGD, "
            'Muon is expected; for example type = "AdamW"',
        ),
        (
            "[task]\ntype = 'Points'",
            "run.toml:2: task.type: received 'Points', Digits (it cannot be exchanged) is expected",
        ),
        ("[optimizer.type]", "run.toml:1: optimizer.type: AdamW has no field 'type'"),
        ("[steps]\nx = 1", "run.toml:2: steps.x: steps is 500 and holds no fields; set it as a whole"),
        ("[steps]", "run.toml:1: steps: received {}, an int or none is expected"),
        (
            "[ema]\ndecay = 0.9",
            'run.toml:2: ema.decay: ema is none and holds no fields; choose a class for it first: ema.type = "Ema"',
        ),
        ("[ema]", "run.toml:1: ema: received {}, Ema or none is expected"),
        ("[[steps]]\nx = 1", "run.toml:1: steps: received [{'x': 1}], an int or none is expected"),
        ("a = 1\nb = x\n", "run.toml:2: Invalid value (column 5)"),
        ("a = 1\nb = ", "run.toml:2: Invalid value"),
        ("a = 1\na = 2", "run.toml:2: Cannot overwrite a value"),
        ("a = '''\n\n", "run.toml:3: "),
        ("a = 1" + "0" * 5000, "run.toml:1: Exceeds the limit (4300 digits)"),
        (
            "a = " + "[" * 5000,
            "run.toml: its values are nested too deeply to be read; a config is at most a few levels deep",
        ),
        ("a." * 4000 + "a = 1", "run.toml:1: " + "a." * 50 + "…: Experiment has no field 'a'; did you mean ema?"),
        (
            "\n\n" + "a." * 20_000 + "a = 1",
            "run.toml:3: has 40005 characters; 10000 is the most for a line of a config",
        ),
        (b"a = 1\nb = '\xff'", "run.toml:2: byte 0xff is not UTF-8; save it as UTF-8"),
        (b"\x00" * (MAX_BYTES + 1), f"run.toml: is larger than {MAX_BYTES} bytes; a config is a small TOML file"),
    ],
    ids=lambda value: repr(value)[:30],
)
def test_a_wrong_file_is_answered_with_the_line_and_the_remedy(
    tmp_path: Path, content: str | bytes, message: str
) -> None:
    assert refusal(tmp_path, content, digits()).startswith(message)


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        read_toml(tmp_path / "no.toml")
    assert (
        str(caught.value) == f"{tmp_path}/no.toml: cannot be read (No such file or directory); a TOML file is expected"
    )
    with pytest.raises(ConfigError, match="Is a directory"):
        read_toml(tmp_path)
    with pytest.raises(ConfigError, match="null byte"):
        read_toml(Path("a\0b"))


def test_a_config_from_a_newer_version_is_refused(tmp_path: Path) -> None:
    path = written(tmp_path, "seed = 1\nformat = 3")
    with pytest.raises(ConfigError) as caught:
        check_format(read_toml(path), newest=1)
    assert str(caught.value) == f"{path}:2: was written by format 3, this version reads up to 1: upgrade Loopwright"
    check_format(read_toml(path), newest=3)


def test_a_format_is_optional_but_must_be_a_number(tmp_path: Path) -> None:
    check_format(read_toml(written(tmp_path, "")), newest=1)
    with pytest.raises(ConfigError, match="format: received 'new', an int is expected; for example format = 10"):
        check_format(read_toml(written(tmp_path, "format = 'new'")), newest=1)


def test_a_text_that_would_not_be_read_back_is_not_written() -> None:
    with pytest.raises(ConfigError, match="config:2: has 20007 characters"):
        dumps({"seed": 1, "a": "x" * 20_001})
