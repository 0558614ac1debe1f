from __future__ import annotations

import math
from pathlib import Path
from typing import Any, Literal

import pytest
from config_toys import SGD, AdamW, Digits
from hypothesis import given
from hypothesis import strategies as st

from loopwright.config import coerce, spell
from loopwright.config.values import plain
from loopwright.errors import ConfigError

Precision = Literal["fp32", "bf16"]


@pytest.mark.parametrize(
    ("text", "kind", "value"),
    [
        ("1e-3", float, 0.001),
        ("3", float, 3.0),
        ("-inf", float, -math.inf),
        ("-7", int, -7),
        ("1_000", int, 1000),
        ("5", str, "5"),
        ("", str, ""),
        ("a/b", Path, Path("a/b")),
        ("none", int | None, None),
        ("None", float | None, None),
        ("4", int | None, 4),
        ("none", str, "none"),
        ("bf16", Precision, "bf16"),
        ("2", Literal[1, 2], 2),
        ("0.9,0.95", tuple[float, float], (0.9, 0.95)),
        ("(0.9, 0.95)", tuple[float, float], (0.9, 0.95)),
        ("a{2,3}(b|c),[ab]", tuple[str, ...], ("a{2,3}(b|c)", "[ab]")),
        ("(ab)*", tuple[str, ...], ("(ab)*",)),
        ("a(b,c", tuple[str, ...], ("a(b,c",)),
        ("b),c", tuple[str, ...], ("b)", "c")),
        ("[1,2,3]", tuple[int, ...], (1, 2, 3)),
        ("7,", tuple[int, ...], (7,)),
        ("", tuple[int, ...], ()),
        ("5", str | int, 5),
        ("x", str | int, "x"),
        ("sgd", AdamW | SGD, SGD),
    ],
)
def test_the_text_of_a_flag_becomes_the_declared_type(text: str, kind: Any, value: Any) -> None:
    found = coerce(text, kind, path="x")
    assert (found, type(found)) == (value, type(value))


@pytest.mark.parametrize("text", ["true", "yes", "1", "TRUE", "Yes"])
def test_yes_has_three_spellings(text: str) -> None:
    assert coerce(text, bool, path="x") is True


@pytest.mark.parametrize("text", ["false", "no", "0"])
def test_no_has_three_spellings(text: str) -> None:
    assert coerce(text, bool, path="x") is False


@pytest.mark.parametrize(
    ("value", "kind", "message"),
    [
        ("abc", float, "--a.b: received 'abc', a float is expected; for example --a.b 0.001"),
        ("1.5", int, "--a.b: received '1.5', an int is expected; for example --a.b 10"),
        ("1e3", int | None, "--a.b: received '1e3', an int or none is expected; for example --a.b 10"),
        ("maybe", bool, "--a.b: received 'maybe', true or false is expected; for example --a.b true"),
        ("none", int, "--a.b: received 'none', an int is expected; for example --a.b 10"),
        (None, Path, "--a.b: received nothing, a path is expected; for example --a.b some/place"),
        ("bf61", Precision, "--a.b: received 'bf61', one of fp32, bf16 is expected; did you mean 'bf16'?"),
        ("zzz", Precision, "--a.b: received 'zzz', one of fp32, bf16 is expected; for example --a.b fp32"),
        ("sgdd", AdamW | SGD, "--a.b: received 'sgdd', one of AdamW, SGD is expected; did you mean 'SGD'?"),
        ("no", AdamW | None, "--a.b: received 'no', AdamW or none is expected; for example --a.b AdamW"),
        ("CNN", Digits, "--a.b: received 'CNN', Digits (it cannot be exchanged) is expected; for example --a.b Digits"),
        (
            "0.9",
            tuple[float, float],
            "--a.b: received '0.9', a list (a float, a float) is expected; for example --a.b 0.001,0.001",
        ),
        ("1,x", tuple[int, ...], "--a.b: received '1,x', a list (an int, …) is expected; for example --a.b 10"),
        (None, tuple[int, ...], "--a.b: received nothing, a list (an int, …) is expected; for example --a.b 10"),
        ("\udcff", str, r"--a.b: received '\udcff', a text is expected; for example --a.b name"),
        ("x", dict, "--a.b: received 'x', a dict is expected; for example --a.b none"),
    ],
)
def test_a_refused_flag_says_what_was_received_and_expected(value: Any, kind: Any, message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        coerce(value, kind, path="a.b")
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("value", "kind", "message"),
    [
        ("0.1", float, "run.toml:7: a.b: received '0.1', a float is expected; for example b = 0.001"),
        (True, int, "run.toml:7: a.b: received True, an int is expected; for example b = 10"),
        (True, float, "run.toml:7: a.b: received True, a float is expected; for example b = 0.001"),
        (1, bool, "run.toml:7: a.b: received 1, true or false is expected; for example b = true"),
        (1.0, int, "run.toml:7: a.b: received 1.0, an int is expected; for example b = 10"),
        (5, str, 'run.toml:7: a.b: received 5, a text is expected; for example b = "name"'),
        (
            "1,2",
            tuple[int, ...],
            "run.toml:7: a.b: received '1,2', a list (an int, …) is expected; for example b = [10]",
        ),
        (["x"], tuple[str, str], 'a list (a text, a text) is expected; for example b = ["name", "name"]'),
        (1, Literal[True], "run.toml:7: a.b: received 1, true is expected; for example b = true"),
    ],
)
def test_a_value_of_a_file_must_have_the_type_already(value: Any, kind: Any, message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        coerce(value, kind, path="a.b", line="run.toml:7")
    assert str(caught.value).endswith(message)


def test_an_int_beyond_every_float_is_refused() -> None:
    with pytest.raises(ConfigError, match="a float is expected"):
        coerce(10**400, float, path="a", line="f:1")


def test_a_long_value_is_cut_in_the_message() -> None:
    with pytest.raises(ConfigError) as caught:
        coerce("x" * 10_000, int, path="seed")
    assert len(str(caught.value)) < 200


@pytest.mark.parametrize("kind", [int | str, str | int, float | int, int | float | None])
def test_a_union_keeps_the_type_that_a_file_gives(kind: Any) -> None:
    assert type(coerce(3, kind, path="x", line="f:1")) is int


def test_a_text_of_digits_in_a_file_stays_a_text() -> None:
    assert coerce("5", int | str, path="x", line="f:1") == "5"


def test_what_toml_cannot_hold_is_refused() -> None:
    with pytest.raises(ConfigError) as caught:
        plain({1, 2}, "task.classes")
    assert str(caught.value) == (
        "task.classes: received {1, 2}, which a config cannot hold; make it a number, a text, a path, a tuple "
        "or a dataclass, or declare the field with init=False"
    )


@given(st.one_of(st.floats(allow_nan=False), st.tuples(st.floats(allow_nan=False), st.floats(allow_nan=False))))
def test_spell_is_the_inverse_of_coerce(value: float | tuple[float, float]) -> None:
    kind = tuple[float, float] if isinstance(value, tuple) else float
    assert repr(coerce(spell(value), kind, path="x")) == repr(value)
