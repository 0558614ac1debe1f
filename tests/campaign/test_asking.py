from __future__ import annotations

import math

import pytest

from loopwright.campaign.asking import Range, Varied, drawn, grid, varied
from loopwright.errors import UsageError

ALIASES = {"lr": "optimizer.lr"}


def test_a_grid_has_every_combination_once():
    fields = varied(["lr=1e-4,1e-3", "task.hidden=8,16,32"], ALIASES)
    assert [field.path for field in fields] == ["optimizer.lr", "task.hidden"]
    settings = grid(fields)
    assert len(settings) == 6
    assert settings[0] == {"optimizer.lr": "1e-4", "task.hidden": "8"}
    assert settings[1] == {"optimizer.lr": "1e-4", "task.hidden": "16"}
    assert len({tuple(setting.items()) for setting in settings}) == 6


def test_a_kind_may_be_named_by_its_type():
    assert [field.path for field in varied(["optimizer.type=SGD,AdamW"], ALIASES)] == ["optimizer"]


def test_values_with_commas_of_their_own_stand_in_brackets():
    (field,) = varied(["optimizer.betas=(0.9,0.95),(0.9,0.99)"], ALIASES)
    assert field.values == ("(0.9,0.95)", "(0.9,0.99)")


def test_ranges_are_read_and_have_no_grid():
    linear, logarithmic = varied(["task.dropout=0..0.5", "lr=log:1e-5..1e-2"], ALIASES)
    assert linear.values == Range(0.0, 0.5)
    assert logarithmic.values == Range(1e-5, 1e-2, log=True)
    with pytest.raises(UsageError, match=r"task\.dropout: a range has no grid.*--random"):
        grid([linear])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("lr", "a field and its values are expected"),
        ("lr=", "a field and its values are expected"),
        ("lr=1e-2..1e-3", "from a smaller to a larger number"),
        ("lr=log:0..1", "above 0"),
        ("lr=log:1e-3", "a range is written"),
    ],
)
def test_what_cannot_be_read_is_refused_with_an_example(text, message):
    with pytest.raises(UsageError, match=message):
        varied([text], ALIASES)


def test_a_field_is_set_once():
    with pytest.raises(UsageError, match=r"optimizer\.lr is set twice"):
        varied(["lr=1,2", "optimizer.lr=3"], ALIASES)


FIELDS = (Varied("optimizer.lr", Range(1e-5, 1e-1, log=True)), Varied("task.hidden", Range(8, 64)))
WHOLE = {"task.hidden": True}


def test_the_first_draws_of_forty_are_those_of_twenty_and_another_field_moves_none():
    twenty = drawn(FIELDS, 20, 0, WHOLE)
    assert drawn(FIELDS, 40, 0, WHOLE)[:20] == twenty
    alone = drawn(FIELDS[:1], 20, 0, WHOLE)
    assert [setting["optimizer.lr"] for setting in alone] == [setting["optimizer.lr"] for setting in twenty]
    assert drawn(FIELDS, 20, 1, WHOLE) != twenty


def test_the_draws_are_these_on_every_machine():
    assert drawn(FIELDS, 3, 0, WHOLE) == [
        {"optimizer.lr": "1.326e-05", "task.hidden": "46"},
        {"optimizer.lr": "2.372e-05", "task.hidden": "8"},
        {"optimizer.lr": "2.235e-05", "task.hidden": "28"},
    ]


def test_draws_stay_in_their_range_and_a_logarithmic_one_has_as_many_in_each_decade():
    settings = drawn(FIELDS, 400, 3, WHOLE)
    rates = [float(setting["optimizer.lr"]) for setting in settings]
    widths = [int(setting["task.hidden"]) for setting in settings]
    assert 1e-5 <= min(rates) < max(rates) <= 1e-1
    assert (min(widths), max(widths)) == (8, 64)
    decades = [sum(low <= math.log10(rate) < low + 1 for rate in rates) for low in (-5, -4, -3, -2)]
    assert min(decades) > 70  # of 100 each; 12 below is three standard deviations of a fair draw twice over


def test_where_there_are_fewer_settings_than_draws_each_comes_once():
    fields = varied(["task.hidden=8,16"], ALIASES)
    assert sorted(setting["task.hidden"] for setting in drawn(fields, 10, 0, {})) == ["16", "8"]
