from __future__ import annotations

import math

import torch
from hypothesis import given
from hypothesis import strategies as st

from loopwright.tasks.regular.curves import (
    bins,
    by_bin,
    curve,
    draw_lengths,
    edge_accuracy,
    edge_table,
    joined,
    length_table,
    of_lengths,
    whole_strings,
)
from loopwright.tasks.regular.encoding import encode
from loopwright.tasks.regular.scores import Scores
from tests.tasks.regular.languages import AB_STAR, symbols

TEXTS = ("", "ab", "abab", "a", "aba", "abb", "ba", "ababab")


def said(*texts: str, wrong: dict[str, tuple[int, int]] = {}) -> Scores:  # noqa: B006
    """Everything told rightly, but for one position of `wrong` by what is asked: (row, place)."""
    encoded = encode(AB_STAR, symbols(AB_STAR, *texts))
    answers = {asked: encoded[asked].clone() for asked in ("next", "class", "state")}
    for asked, (row, place) in wrong.items():
        answers[asked][row, place] = (answers[asked][row, place] + 1) % 2
    zeros = torch.zeros(encoded["tokens"].shape, dtype=torch.float64)
    return Scores(AB_STAR, encoded, answers, dict.fromkeys(answers, zeros))


@given(st.integers(0, 30), st.integers(0, 30), st.integers(0, 60))
def test_every_length_is_in_exactly_one_bin_and_none_has_both_seen_and_unseen_ones(shortest, span, more):
    longest = shortest + span
    spans = bins(shortest, longest, longest + more if more else 0)
    lengths = [length for first, last in spans for length in range(first, last + 1)]
    assert lengths == list(range(shortest, longest + more + 1))
    assert all(last <= longest or first > longest for first, last in spans)
    assert len(spans) <= 6


def test_without_longer_strings_there_are_no_bins_of_them():
    assert bins(0, 20, 0) == [(0, 6), (7, 13), (14, 20)]


def test_the_bins_of_the_table_add_up_to_the_whole():
    scores = said(*TEXTS, wrong={"state": (2, 1), "class": (4, 3)})
    table = length_table(scores, bins(0, 3, 6), longest=3)
    assert [row[0] for row in table["rows"]] == [
        *("0 to 0", "1 to 1", "2 to 3"),
        *("4 to 4, unseen", "5 to 5, unseen", "6 to 6, unseen"),
    ]
    assert [row[1] for row in table["rows"]] == [1, 1, 4, 1, 0, 1]
    assert sum(row[1] for row in table["rows"]) == len(TEXTS)


def test_a_bin_says_what_its_own_strings_say():
    scores = said(*TEXTS, wrong={"state": (2, 1), "class": (4, 3)})
    columns = ["symbols", "strings", "token accuracy", "class accuracy", "state accuracy", "acceptance", "legal rate"]
    table = length_table(scores, [(0, 3), (4, 4)], longest=3)
    assert table["columns"] == columns
    shorter, longer = table["rows"]
    # Positions: one more than symbols. The class of "aba" is wrong at its end, the state of "abab" within.
    assert shorter[2:5] == [1.0, 1 - 1 / 17, 1.0]
    assert shorter[5] == 1 - 1 / 6
    assert longer[2:6] == [1.0, 1.0, 1 - 1 / 5, 1.0]


def test_a_bin_without_strings_has_no_accuracy():
    found = by_bin(said("ab"), [(0, 1), (2, 3)])
    assert found["acceptance_2_to_3"] == 1.0
    assert math.isnan(found["acceptance_0_to_1"])


def test_acceptance_by_bin_is_that_of_the_strings_in_it():
    scores = said(*TEXTS, wrong={"class": (4, 3)})
    spans = bins(0, 3, 6)
    found = by_bin(scores, spans)
    assert list(found) == [f"acceptance_{first}_to_{last}" for first, last in spans]
    for first, last in spans:
        part = of_lengths(scores, first, last)
        if len(part.lengths):
            assert found[f"acceptance_{first}_to_{last}"] == part.summary()["acceptance"]
    assert found["acceptance_2_to_3"] == 3 / 4


def test_the_uses_of_transitions_add_up_to_all_symbols():
    found = edge_accuracy(said(*TEXTS))
    assert sum(times for times, _ in found.values()) == sum(map(len, TEXTS))
    assert {edge: times for edge, (times, _) in found.items()} == {
        (0, "a"): 10,
        (0, "b"): 2,
        (1, "b"): 8,
        (2, "a"): 1,
    }


def test_a_transition_is_told_rightly_where_the_state_behind_it_is():
    # The state after the first b of "abab" is wrong: transition (1, b), taken 8 times.
    found = edge_accuracy(said(*TEXTS, wrong={"state": (2, 2)}))
    assert found[1, "b"] == (8, 7 / 8)
    assert {right for edge, (_, right) in found.items() if edge != (1, "b")} == {1.0}


def test_a_state_told_wrongly_at_the_start_belongs_to_no_transition():
    found = edge_accuracy(said(*TEXTS, wrong={"state": (2, 0)}))
    assert {right for _, right in found.values()} == {1.0}


def test_the_table_of_transitions_marks_those_held_out():
    table = edge_table(said(*TEXTS), ["1:b"])
    assert [row[:4] for row in table["rows"]] == [
        ["0", "a", "1", "yes"],
        ["0", "b", "2", "yes"],
        ["1", "b", "0", "no"],
        ["2", "a", "2", "yes"],
    ]


def test_several_sets_are_counted_as_one():
    parts = [said("ab", "a"), said("ababab", wrong={"class": (0, 6)}), said("")]
    together = joined(parts)
    assert len(together.lengths) == 4
    assert together.lengths.tolist() == [2, 1, 6, 0]
    assert int(together.mask.sum()) == sum(int(part.mask.sum()) for part in parts)
    assert together.summary()["acceptance"] == 3 / 4
    assert edge_accuracy(together)[1, "b"] == (4, 1.0)


def test_the_confusion_matrix_is_of_whole_strings():
    # Of the classes of AB_STAR, 0 and 1, "abab" is told to be in 0; "ab" is told wrongly within.
    matrix = whole_strings(said(*TEXTS, wrong={"class": (2, 4)}))
    assert matrix.tolist() == [[4, 0], [1, 3]]
    assert whole_strings(said(*TEXTS, wrong={"class": (2, 3)})).tolist() == [[4, 0], [0, 4]]


def test_a_curve_has_one_number_for_each_length():
    scores = said(*TEXTS, wrong={"class": (4, 3)})
    assert curve(scores, "acceptance", [0, 1, 2, 3]) == [1.0, 1.0, 1.0, 0.5]


def test_the_picture_of_lengths_is_always_the_same_and_shows_expressions_as_they_are_written(tmp_path):
    for name in ("one.svg", "other.svg"):
        draw_lengths(said(*TEXTS), tmp_path / name, longest=3, title="a$b*$")
    one, other = ((tmp_path / name).read_text() for name in ("one.svg", "other.svg"))
    assert one == other
    assert "a$b*$" in one
