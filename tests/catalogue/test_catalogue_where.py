"""The language of --where: what it says, what it refuses; nothing is executed."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loopwright.catalogue.parser import parse
from loopwright.catalogue.where import Name, names_in, with_words
from loopwright.errors import UsageError

RUN: Mapping[str, object] = {
    "val.accuracy": 0.95,
    "val.loss": float("nan"),
    "optimizer.lr": 1e-3,
    "seed": 0,
    "status": "finished",
    "experiment": "digits-cnn",
    "tags": ["baseline", "good"],
    "shuffle": True,
    "compile": False,
    "notes": "",
}


def holds(text: str) -> bool | None:
    return with_words(parse(text), RUN.__contains__).holds(RUN.get)


@pytest.mark.parametrize(
    "text",
    [
        "val.accuracy > 0.9 and optimizer.lr < 1e-2",
        "val.accuracy >= .95",
        "0.9 < val.accuracy <= 0.95",
        "optimizer.lr = 0.001",
        "seed == 0",
        "status == finished",
        "status == 'finished' or status == failed",
        'experiment = "digits-cnn"',
        "experiment == digits-cnn",
        "experiment != 'digits-mlp'",
        "not status == failed",
        "not (status == failed or val.accuracy < 0.5)",
        "status == failed and seed == 0 or seed < 1",
        "status == failed or seed == 0 and seed < 1",
        "tags == baseline and tags == good",
        "tags != broken",
        "'good' == tags",
        "shuffle",
        "shuffle == true and compile = false",
        "not compile and not notes",
        "val.accuracy > optimizer.lr",
        "seed > -1 and seed < +1e0",
        "val.accuracy < inf",
        "not val.loss < 1",
        "seed != finished",
        "experiment > 'a'",
        "((((seed=0))))",
    ],
)
def test_it_holds(text: str) -> None:
    assert holds(text) is True


@pytest.mark.parametrize(
    "text",
    [
        "val.accuracy > 0.95",
        "0.96 < val.accuracy < 2",
        "tags == bad",
        "tags != good",
        "compile",
        "notes",
        "status == 0",
        "val.loss < 1",
        "val.loss >= 1",
        "seed == 0 and not seed == 0",
    ],
)
def test_it_does_not_hold(text: str) -> None:
    assert holds(text) is False


@pytest.mark.parametrize("text", ["test.accuracy > 0", "not test.accuracy > 0", "test.accuracy != 1", "status > 3"])
def test_of_what_a_run_lacks_nothing_is_said(text: str) -> None:
    assert parse(text).holds(RUN.get) is None


def test_lists_have_no_order_whatever_is_in_them() -> None:
    lists = {"a": [1, "x"], "b": ["y", 2]}
    assert parse("a < b").holds(lists.get) is None
    assert parse("a >= a").holds(lists.get) is None
    assert parse("a == a and a != b").holds(lists.get) is True


def test_what_is_not_known_does_not_hide_what_is() -> None:
    assert holds("test.accuracy > 0 or seed == 0") is True
    assert holds("test.accuracy > 0 and seed == 1") is False


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("", "its end"),
        ("val.accuracy >", "its end"),
        ("val.accuracy > 0.9 and", "its end"),
        ("(seed == 0", "its end"),
        ("seed == 0)", "')'"),
        ("seed == 0 seed", "'seed'"),
        ("seed === 0", "'= 0'"),
        ("  $x", "'$x'"),
        ("a == 'b", '"\'b"'),
        ("and", "'and'"),
        ("not", "its end"),
        ("3x > 1", "'3x > 1'"),
        ("__import__('os')", "\"('os')\""),
        ("a; b", "'; b'"),
    ],
)
def test_what_is_not_understood_is_refused_with_its_place(text: str, place: str) -> None:
    with pytest.raises(UsageError, match="write comparisons as in") as error:
        parse(text)
    assert f"not understood at {place};" in str(error.value)


def test_what_is_too_deep_is_refused() -> None:
    for text in ("(" * 10_000 + "seed" + ")" * 10_000, "not " * 10_000 + "seed"):
        with pytest.raises(UsageError, match="levels deep"):
            parse(text)


def test_the_names_that_a_run_must_know_are_told() -> None:
    named = names_in(parse("a.b > 1 and not (c == word or d != 'x') and 1 < e <= f"))
    assert named == [Name("a.b"), Name("c"), Name("d"), Name("e"), Name("f")]


@given(st.text(alphabet="ab.0=<>!()'\" \nnotandr-", max_size=30))
def test_any_text_is_a_condition_or_a_usage_error(text: str) -> None:
    try:
        condition = parse(text)
    except UsageError:
        return
    assert condition.holds(RUN.get) in (True, False, None)
