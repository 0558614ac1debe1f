from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor, nn

from loopwright.tasks.regular.encoding import EOS, encode
from loopwright.tasks.regular.scores import Scores, legal_tokens, score
from tests.tasks.regular.languages import AB_STAR, EVEN_A, symbols

TEXTS = ("abab", "", "a", "aba", "abb", "ba")


class Oracle(nn.Module):
    """Answers from the automaton with a certainty; the next symbol is always `a`."""

    def __init__(self, certainty: float = 30.0, wrong: bool = False) -> None:
        super().__init__()
        self.certainty, self.wrong = nn.Parameter(torch.tensor(certainty), requires_grad=False), wrong

    def forward(self, tokens: Tensor, mask: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        states = torch.zeros_like(tokens)
        table = torch.tensor([(*row[:1], row[1]) for row in AB_STAR.transitions])
        for t in range(1, tokens.shape[1]):
            moved = table[states[:, t - 1], (tokens[:, t] - 3).clamp(min=0)]
            states[:, t] = torch.where(tokens[:, t] >= 3, moved, states[:, t - 1])
        if self.wrong:
            states = (states + 1) % 3
        classes = torch.tensor(AB_STAR.classes)[states]
        following = torch.full_like(tokens, 3)
        sizes = (5, 2, 3)
        return tuple(  # type: ignore[return-value]
            self.certainty * nn.functional.one_hot(said, size).float()
            for said, size in zip((following, classes, states), sizes, strict=True)
        )


def test_who_knows_the_automaton_is_right_everywhere():
    scores = score(Oracle(), AB_STAR, encode(AB_STAR, symbols(AB_STAR, *TEXTS)))
    assert (scores.accuracy("class"), scores.accuracy("state")) == (1.0, 1.0)
    assert scores.accepted_rightly().all()
    assert scores.final("said").tolist() == [AB_STAR.classify(text) for text in TEXTS]
    assert scores.mean_nll("state") < 1e-12


def test_shares_are_those_counted_by_hand():
    scores = score(Oracle(), AB_STAR, encode(AB_STAR, symbols(AB_STAR, "abab", "")))
    # abab: after BOS, a, b, a, b follow a, b, a, b, EOS; the empty string: EOS after BOS. Two of six are a.
    assert scores.accuracy("next") == 2 / 6
    legal, alive = scores.legal()
    assert (int(legal.sum()), int(alive.sum())) == (4, 6)


def test_a_model_that_takes_every_state_for_another_is_wrong_everywhere():
    scores = score(Oracle(wrong=True), AB_STAR, encode(AB_STAR, symbols(AB_STAR, *TEXTS)))
    assert scores.accuracy("state") == 0.0


def test_what_is_said_where_nothing_is_asked_counts_nowhere():
    encoded = encode(AB_STAR, symbols(AB_STAR, *TEXTS))
    scores = score(Oracle(certainty=2.0), AB_STAR, encoded)
    spoiled = Scores(
        AB_STAR,
        encoded,
        {asked: said.where(scores.mask, (said + 1) % 2) for asked, said in scores.said.items()},
        {asked: nll.where(scores.mask, math.nan) for asked, nll in scores.nll.items()},
    )
    for asked in ("next", "class", "state"):
        assert spoiled.accuracy(asked) == scores.accuracy(asked)
        assert spoiled.mean_nll(asked) == scores.mean_nll(asked)
    assert torch.equal(spoiled.accepted_rightly(), scores.accepted_rightly())
    assert torch.equal(spoiled.legal()[0], scores.legal()[0])


def test_a_uniform_guess_costs_the_logarithm_of_the_choices():
    scores = score(Oracle(certainty=0.0), AB_STAR, encode(AB_STAR, symbols(AB_STAR, *TEXTS)))
    assert scores.mean_nll("next") == pytest.approx(math.log(5), rel=1e-15)
    assert scores.mean_nll("class") == pytest.approx(math.log(2), rel=1e-15)


def test_a_symbol_is_legal_that_keeps_the_string_alive_and_an_end_where_it_is_complete():
    assert legal_tokens(AB_STAR).int().tolist() == [[0, 0, 1, 1, 0], [0, 0, 0, 0, 1], [0, 0, 0, 0, 0]]
    assert legal_tokens(EVEN_A)[:, EOS].tolist() == [True, False, False]


def test_all_strings_are_asked_about_however_many_at_once(monkeypatch):
    encoded = encode(AB_STAR, symbols(AB_STAR, *TEXTS))
    whole = score(Oracle(certainty=1.5), AB_STAR, encoded)
    monkeypatch.setattr("loopwright.tasks.regular.scores.ROWS", 4)
    parts = score(Oracle(certainty=1.5), AB_STAR, encoded)
    assert all(torch.equal(whole.said[asked], parts.said[asked]) for asked in whole.said)
    assert all(torch.equal(whole.nll[asked], parts.nll[asked]) for asked in whole.nll)
