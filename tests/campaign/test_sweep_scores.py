from __future__ import annotations

import json
import math

from loopwright.campaign.scores import Outcome, beside_next, edges, mean_and_spread, scored, short


def outcome(lr, value, seed=0, status="finished", reason=""):
    return Outcome({"optimizer.lr": lr}, seed, None, status, value, value + 1, reason)


def test_the_best_is_that_of_the_best_mean_over_seeds():
    outcomes = [outcome(0.1, 0.2, 0), outcome(0.1, 0.4, 1), outcome(0.3, 0.25, 0), outcome(0.3, 0.25, 1)]
    assert [score.values["optimizer.lr"] for score in scored(outcomes, "min")] == [0.3, 0.1]
    assert [score.values["optimizer.lr"] for score in scored(outcomes, "max")] == [0.1, 0.3]
    assert mean_and_spread(scored(outcomes, "max")[0].numbers) == "0.3000 ± 0.14"
    assert scored(outcomes, "min")[0].setting == "lr 0.3"


def test_a_setting_of_which_a_seed_failed_is_not_the_best():
    outcomes = [outcome(0.1, 0.1, 0), outcome(0.1, math.nan, 1, "failed"), outcome(0.3, 0.9, 0), outcome(0.3, 0.9, 1)]
    assert [score.values["optimizer.lr"] for score in scored(outcomes, "min")] == [0.3, 0.1]


def test_a_best_value_at_the_edge_is_warned_of_and_one_inside_is_not():
    at_edge = scored([outcome(1e-4, 0.3), outcome(1e-3, 0.2), outcome(1e-2, 0.1)], "min")
    assert edges(at_edge, drawn=False) == [
        "optimizer.lr: the best, 0.01, is the largest that was tried; a larger one may be better"
    ]
    inside = scored([outcome(1e-4, 0.3), outcome(1e-3, 0.1), outcome(1e-2, 0.2)], "min")
    assert edges(inside, drawn=False) == []


def test_of_drawn_numbers_the_outer_tenth_is_the_edge():
    rates = [1e-5, 1.2e-5, 1e-4, 1e-3, 1e-1]
    near = scored([outcome(rate, 0.0 if rate == 1.2e-5 else 1.0) for rate in rates], "min")
    (line,) = edges(near, drawn=True)
    assert "nearly the smallest that was tried" in line
    middle = scored([outcome(rate, 0.0 if rate == 1e-3 else 1.0) for rate in rates], "min")
    assert edges(middle, drawn=True) == []


def test_words_have_no_edge_and_one_value_has_none():
    words = [Outcome({"optimizer": kind}, 0, None, "finished", value, value) for kind, value in (("a", 0), ("b", 1))]
    assert edges(scored(words, "min"), drawn=False) == []
    assert edges(scored([outcome(0.1, 0.2)], "min"), drawn=False) == []


def test_names_are_as_short_as_they_can_be_told_apart():
    assert short(["optimizer.lr", "task.hidden"]) == {"optimizer.lr": "lr", "task.hidden": "hidden"}
    assert short(["a.width", "b.width"]) == {"a.width": "a.width", "b.width": "b.width"}


def test_damaged_and_missing_files_of_a_member_are_no_result(tmp_path):
    assert Outcome.read({}, 0, "loss", None).status == "not begun"
    assert Outcome.read({}, 0, "loss", tmp_path).status == "unfinished"
    (tmp_path / "metrics.json").write_text("{ torn")
    assert math.isnan(Outcome.read({}, 0, "loss", tmp_path).value)
    (tmp_path / "metrics.json").write_text(json.dumps({"status": "finished", "best": {"value": "nan"}, "test": 3}))
    assert math.isnan(Outcome.read({}, 0, "loss", tmp_path).value)


def of_seeds(**settings):
    outcomes = [outcome(lr, value, seed) for lr, values in settings.items() for seed, value in enumerate(values)]
    return scored(outcomes, "min")


def test_the_best_is_doubted_where_seeds_are_few_or_values_overlap():
    def doubt(scores):
        word, text = beside_next(scores, "min")
        assert word == "doubt"
        return text

    one = doubt(of_seeds(a=[0.1], b=[0.2]))
    assert (
        one == "beside lr b: −0.1000; one seed each: no statement about noise, 5 seeds each are the least that can tell"
    )
    few = doubt(of_seeds(a=[0.1, 0.11, 0.12], b=[0.2, 0.3, 0.25]))
    assert few.startswith("beside lr b: −0.1400, not told apart (p = 0.12, sign flips of 3 pairs of one seed); ")
    assert "fewer than 5 seeds can never tell" in few
    mixed = of_seeds(a=[0.1, 0.3, 0.2, 0.2, 0.1], b=[0.15, 0.3, 0.2, 0.1, 0.3])
    assert "not told apart (p = " in doubt(mixed)
    assert doubt(of_seeds(a=[0.1, 0.2], b=[0.1, 0.2])) == "beside lr b: the same numbers"
    assert "1 of 2 seeds of the other gave no finite number" in doubt(of_seeds(a=[0.1, 0.2], b=[0.1, math.nan]))


def test_five_seeds_that_agree_say_that_the_best_is_better():
    apart = of_seeds(a=[0.1, 0.11, 0.12, 0.1, 0.1], b=[0.2, 0.3, 0.25, 0.2, 0.2])
    word, text = beside_next(apart, "min")
    assert word == "better"
    assert text == "beside lr b: −0.1240, better (p = 0.031, sign flips of 5 pairs of one seed)"
    assert beside_next(of_seeds(a=[0.1]), "min") == ("", "")


def test_neither_seeds_nor_ties_have_an_edge_and_what_has_no_number_was_not_tried():
    seeds = [Outcome({"seed": seed}, seed, None, "finished", value) for seed, value in ((1, 0.3), (2, 0.2))]
    assert edges(scored(seeds, "min"), drawn=False) == []
    assert edges(scored([outcome(1e-3, 0.2), outcome(1e-2, 0.2)], "min"), drawn=False) == []
    assert edges(scored([outcome(1e-3, math.nan), outcome(1e-2, 0.2)], "min"), drawn=False) == []
