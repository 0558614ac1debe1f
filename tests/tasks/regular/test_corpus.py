from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from loopwright.errors import DataError
from loopwright.tasks.regular.automaton import Automaton
from loopwright.tasks.regular.categories import Kind, label
from loopwright.tasks.regular.corpus import Corpus, make_corpus
from loopwright.tasks.regular.settings import CorpusSettings, edges
from loopwright.tasks.regular.telemetry import describe, telemetry
from tests.tasks.regular.exhaustive import A_PLUS, A_THEN_B, AB, EVEN, THREE, every_string, uses

SMALL = CorpusSettings(
    longest=12, accepted=300, rejected=300, beyond=20, unseen_accepted=100, unseen_rejected=100, held_out=("1:b",)
)


def contents(corpus: Corpus) -> dict[str, list[bytes]]:
    return {name: strings.contents() for name, strings in corpus.sets.items()}


@pytest.mark.parametrize("automaton", [A_THEN_B, THREE, EVEN], ids=["a_then_b", "three", "even"])
def test_no_string_is_in_two_sets_or_twice_in_one(automaton):
    corpus = make_corpus(automaton, SMALL)
    found = contents(corpus)
    assert list(found) == ["train", "val", "test", "beyond", "edges"]
    assert all(found.values())
    together = [content for strings in found.values() for content in strings]
    assert len(set(together)) == len(together)
    told = telemetry(corpus)
    assert len(told["shared"]) == 10
    assert set(told["shared"].values()) == {0}
    assert {about["duplicates"] for about in told["sets"].values()} == {0}


def test_a_string_in_two_sets_is_told():
    corpus = make_corpus(EVEN, SMALL)
    leaky = replace(corpus, unseen={"edges": corpus.sets["val"].take(np.arange(3))})
    shared = telemetry(leaky)["shared"]
    assert {pair: count for pair, count in shared.items() if count} == {"val, edges": 3}


def test_sets_have_the_lengths_and_edges_they_are_for():
    corpus = make_corpus(THREE, SMALL)
    held_out = set(edges(THREE, SMALL.held_out))
    for name, strings in corpus.sets.items():
        assert uses(THREE, strings, held_out) == [name == "edges"] * len(strings)
        first, last = (13, 20) if name == "beyond" else (0, 12)
        assert first <= strings.lengths.min() <= strings.lengths.max() <= last


def test_totals_are_exact_where_there_are_strings_enough():
    corpus = make_corpus(EVEN, CorpusSettings(shortest=9, accepted=777, rejected=333, unseen_accepted=50))
    strings = corpus.strings
    assert ((strings.categories == 1).sum(), (strings.categories == Kind.PREMATURE_END).sum()) == (777, 333)
    assert (corpus.unseen["beyond"].categories == 1).sum() == 50
    lengths = np.bincount(strings.lengths[strings.categories == 1])[9:]
    assert sorted(set(lengths.tolist())) == [64, 65]
    assert sum(map(len, corpus.splits.values())) == 1110


def test_two_corpora_of_the_same_settings_are_the_same():
    one, again = make_corpus(THREE, SMALL), make_corpus(THREE, SMALL)
    assert contents(one) == contents(again)
    assert telemetry(one) == telemetry(again)
    other = make_corpus(THREE, replace(SMALL, seed=1))
    assert contents(one) != contents(other)


@pytest.mark.parametrize("change", [{"accepted": 900}, {"rejected": 50}, {"seed": 7}, {"longest": 15}])
def test_another_corpus_moves_no_string_between_splits(change):
    first, second = (make_corpus(THREE, replace(SMALL, held_out=(), beyond=0, **more)) for more in ({}, change))
    where = [
        {content: split for split, strings in contents(corpus).items() for content in strings}
        for corpus in (first, second)
    ]
    common = where[0].keys() & where[1].keys()
    assert len(common) > 30
    assert {content: where[0][content] for content in common} == {content: where[1][content] for content in common}


def test_the_telemetry_is_json_and_counts_what_is_there():
    corpus = make_corpus(THREE, SMALL)
    told = json.loads(json.dumps(telemetry(corpus)))
    for name, strings in corpus.sets.items():
        about = told["sets"][name]
        assert about["strings"] == sum(about["lengths"].values()) == sum(about["categories"].values()) == len(strings)
        assert about["symbols"] == sum(about["edges"].values()) == strings.lengths.sum()
        assert sum(about["states"].values()) == about["symbols"] + len(strings)
        assert (name == "edges") == (about["edges"]["1:b"] > 0)
    assert "1:b" in told["sets"]["train"]["edges_never_used"]
    splits = told["sources"]["splits"]
    assert splits["impossible"] == ["illegal step"]
    assert sum(cell["asked"] for cell in splits["cells"]) == 600
    assert sum(cell["given"] for cell in splits["cells"]) == splits["given"] == len(corpus.strings)
    assert {cell["strings"] for cell in splits["cells"] if cell["category"] == "illegal step"} == {0}
    assert all(cell["given"] <= cell["strings"] for cell in splits["cells"])


def test_states_and_edges_are_counted_by_hand():
    strings = label(AB, np.array([[0, 1, -1], [0, 0, 1], [-1, -1, -1]], dtype=np.int8))
    about = describe(AB, strings)
    assert about["states"] == {"0": 3, "1": 2, "2": 1, "3": 2}
    assert about["edges"] == {"0:a": 2, "0:b": 0, "1:a": 1, "1:b": 1, "2:a": 0, "2:b": 0, "3:a": 0, "3:b": 1}
    assert about["edges_never_used"] == ["0:b", "2:a", "2:b", "3:a"]
    assert about["duplicates"] == 0
    assert describe(AB, label(AB, np.array([[0], [0]], dtype=np.int8)))["duplicates"] == 1


def test_fewer_strings_than_asked_for_are_told_and_not_made_up():
    corpus = make_corpus(AB, CorpusSettings(longest=4, rejected=1000, accepted=5, beyond=0))
    assert sorted(corpus.strings.contents()) == sorted(every_string(AB, 4).contents())
    splits = telemetry(corpus)["sources"]["splits"]
    assert (splits["asked"], splits["given"]) == ({"accepted": 5, "rejected": 1000}, 31)


def test_a_fraction_of_nothing_is_no_split():
    corpus = make_corpus(EVEN, CorpusSettings(accepted=8, rejected=8, beyond=0, fractions=(1.0, 0.0, 0.0)))
    assert list(corpus.sets) == ["train"]
    assert len(corpus.sets["train"]) == 16


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"shortest": -1}, "lengths -1 to 20"),
        ({"shortest": 21}, "lengths 21 to 20"),
        ({"longest": 5000, "beyond": 0}, "to 512 at most"),
        ({"beyond": 20}, "above longest"),
        ({"beyond": 513}, "up to 512"),
        ({"accepted": -1}, "accepted is -1"),
        ({"accepted": 0, "rejected": 0}, "a set needs one string at least"),
        ({"unseen_accepted": 0, "unseen_rejected": 0}, "a set needs one string at least"),
        ({"fractions": (0.8, 0.1, 0.2)}, "must sum to 1"),
        ({"fractions": (0.0, 0.5, 0.5)}, "train needs some"),
    ],
)
def test_settings_that_contradict_themselves_are_refused(settings, message):
    with pytest.raises(DataError, match=message) as told:
        CorpusSettings(**settings)
    assert "\n" not in str(told.value)


EMPTY = Automaton("a", ((1,), (1,)), (0, 0))
ALL = Automaton("a", ((0,), (1,)), (1, 0))


@pytest.mark.parametrize(
    ("automaton", "settings", "message"),
    [
        (EMPTY, {}, "no string is in a language"),
        (ALL, {}, "every string of 0 to 20 symbols is in a class"),
        (AB, {"shortest": 5}, r"class 1 \('ab'\): no string of 5 to 20 symbols has it; the nearest .* is 2"),
        (AB, {"longest": 1}, "the nearest length that has is 2"),
        (Automaton("a", ((1,), (1,)), (0, 0), ("b",)), {}, r"class 1 \('b'\): no string of any length"),
        (THREE, {"accepted": 2}, "accepted is 2 for 3 classes"),
        (THREE, {"held_out": ("0:c", "4:c")}, r"class 3 \('c'\): each of its strings .* uses one of held_out 0:c, 4:c"),
        (THREE, {"held_out": ("9:a",)}, "one of the states 0 to 4 and a symbol of 'abc'"),
        (THREE, {"held_out": ("0:d",)}, "held_out '0:d'"),
        (THREE, {"held_out": ("a",)}, "STATE:SYMBOL"),
        (THREE, {"held_out": ("0:",)}, "STATE:SYMBOL"),
        (THREE, {"held_out": ("1:c",)}, "illegal in state 1"),
        (AB, {}, "beyond: there is no accepted string of 21 to 60 symbols"),
        (Automaton("a", ((1,), (0,), (2,)), (0, 1, 0)), {"longest": 1, "beyond": 0}, "split would be empty"),
        (Automaton("".join(map(chr, range(300, 428))), ((0,) * 128, (1,) * 128), (1, 0)), {}, "128 symbols"),
    ],
)
def test_what_an_automaton_cannot_give_is_told_in_one_line(automaton, settings, message):
    with pytest.raises(DataError, match=message) as told:
        make_corpus(automaton, CorpusSettings(**settings))
    assert "\n" not in str(told.value)


def test_the_nearest_length_is_found_far_away():
    ring = Automaton("a", (*(((state + 1) % 40,) for state in range(40)), (40,)), (*[0] * 39, 1, 0))
    with pytest.raises(DataError, match="the nearest length that has is 79"):
        make_corpus(ring, CorpusSettings(shortest=61, longest=70, beyond=0))
    assert (
        make_corpus(A_PLUS, CorpusSettings(rejected=0, fractions=(1.0, 0.0, 0.0), beyond=0)).strings.lengths.sum()
        == 210
    )
