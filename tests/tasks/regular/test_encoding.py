from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from loopwright.tasks.regular.automaton import Automaton
from loopwright.tasks.regular.encoding import BOS, EOS, FIRST_SYMBOL, PAD, decode, encode, last, vocabulary_size
from tests.tasks.regular.languages import AB_STAR, EVEN_A, symbols


def test_every_label_stands_at_its_token():
    encoded = encode(AB_STAR, symbols(AB_STAR, "aba", "", "ab"))
    assert {name: tensor.tolist() for name, tensor in encoded.items()} == {
        "tokens": [[1, 3, 4, 3, 2], [1, 2, 0, 0, 0], [1, 3, 4, 2, 0]],
        "next": [[3, 4, 3, 2, 0], [2, 0, 0, 0, 0], [3, 4, 2, 0, 0]],
        "state": [[0, 1, 0, 1, 1], [0, 0, 0, 0, 0], [0, 1, 0, 0, 0]],
        "class": [[1, 0, 1, 0, 0], [1, 1, 1, 1, 1], [1, 0, 1, 1, 1]],
        "attention_mask": [[True] * 5, [True] * 2 + [False] * 3, [True] * 4 + [False]],
        "loss_mask": [[True] * 4 + [False], [True] + [False] * 4, [True] * 3 + [False] * 2],
        "length": [5, 2, 4],
    }
    assert last(encoded).tolist() == [3, 0, 2]


@pytest.mark.parametrize("alphabet", ["ab", "012", "abcdefghijklmnopqrstuvwxyz0123456789"])
def test_no_symbol_can_be_taken_for_pad_bos_or_eos(alphabet):
    total = Automaton(alphabet, ((0,) * len(alphabet), (1,) * len(alphabet)), (1, 0))
    tokens = encode(total, symbols(total, alphabet))["tokens"][0].tolist()
    assert tokens[0] == BOS
    assert tokens[-1] == EOS
    assert sorted([PAD, BOS, EOS, *tokens[1:-1]]) == list(range(vocabulary_size(total)))
    assert len(alphabet) + FIRST_SYMBOL == vocabulary_size(total)


@given(st.lists(st.text("ab", max_size=9), min_size=1, max_size=6))
def test_labels_are_those_of_the_automaton_one_string_at_a_time(texts):
    encoded = encode(EVEN_A, symbols(EVEN_A, *texts, width=9))
    for row, text in enumerate(texts):
        asked = encoded["loss_mask"][row]
        assert decode(EVEN_A, encoded["tokens"][row]) == text
        assert int(encoded["attention_mask"][row].sum()) == len(text) + 2
        assert encoded["state"][row][asked].tolist() == EVEN_A.trace(text)
        assert encoded["class"][row][asked].tolist() == [EVEN_A.classify(text[:end]) for end in range(len(text) + 1)]
        assert encoded["next"][row][asked].tolist() == [3 + symbol for symbol in EVEN_A.encode(text)] + [EOS]
        assert int(encoded["class"][row, last(encoded)[row]]) == EVEN_A.classify(text)


def test_a_string_has_the_same_labels_beside_longer_ones():
    alone, beside = encode(AB_STAR, symbols(AB_STAR, "ab")), encode(AB_STAR, symbols(AB_STAR, "ab", "ababab"))
    for name, tensor in alone.items():
        asked = alone["loss_mask"][0] if tensor.ndim == 2 else slice(None)
        found = beside[name][0, :4] if tensor.ndim == 2 else beside[name][:1]
        assert torch.equal(tensor.reshape(-1)[asked], found[asked])
