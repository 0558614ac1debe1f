from __future__ import annotations

import math
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

from loopwright.errors import DataError
from loopwright.tasks.regular.categories import Strings, label
from loopwright.tasks.regular.corpus import Source, make_corpus, sources
from loopwright.tasks.regular.exact import Optimum
from loopwright.tasks.regular.settings import CorpusSettings
from tests.tasks.regular.exhaustive import A_PLUS, A_THEN_B, EVEN, LANGUAGES, THREE, cells, every_string, uses

SETTINGS = CorpusSettings(longest=6, accepted=50, rejected=80, beyond=0, unseen_accepted=20, unseen_rejected=30)
CASES = {
    "a_then_b": (A_THEN_B, SETTINGS),
    "even": (EVEN, SETTINGS),
    "three": (THREE, SETTINGS),
    "three, an edge held out": (THREE, replace(SETTINGS, held_out=("1:b",))),
    "even, no short strings": (EVEN, replace(SETTINGS, shortest=4)),
    "accepted only": (A_THEN_B, replace(SETTINGS, rejected=0, accepted=7)),
}


def all_sources() -> list[tuple[str, Source]]:
    return [
        (f"{case}: {name}", source)
        for case, (automaton, settings) in CASES.items()
        for name, source in sources(automaton, settings).items()
    ]


def by_hand(source: Source) -> tuple[Strings, list[Fraction]]:
    """Every string up to the longest of the source, and its probability by the definition."""
    paths = source.paths
    strings, total = every_string(paths.automaton, paths.longest), sum(source.quotas.values())
    allowed = [used == paths.used for used in uses(paths.automaton, strings, set(paths.held_out))]
    own = cells(strings)
    numbers = {cell: sum(at == cell and fine for at, fine in zip(own, allowed, strict=True)) for cell in source.quotas}
    return strings, [
        Fraction(source.quotas.get(cell, 0), total * numbers[cell]) if fine and cell in numbers else Fraction(0)
        for cell, fine in zip(own, allowed, strict=True)
    ]


@pytest.mark.parametrize("source", [pytest.param(source, id=name) for name, source in all_sources()])
def test_the_optimum_is_that_of_brute_force_over_all_strings(source):
    strings, probabilities = by_hand(source)
    optimum, A = Optimum(source), len(source.paths.automaton.alphabet)
    assert sum(probabilities) == 1
    entropy = -math.fsum(float(p) * math.log(p) for p in probabilities if p)
    assert optimum.entropy == pytest.approx(entropy, rel=1e-13)
    # The probability of each prefix, and so of each next token, is the sum over the strings behind it.
    ahead: dict[bytes, list[Fraction]] = {}
    for content, p in zip(strings.contents(), probabilities, strict=True):
        for t in range(len(content) + 1):
            token = content[t] if t < len(content) else A
            ahead.setdefault(content[:t], [Fraction(0)] * (A + 1))[token] += p
    tokens = sum(sum(options) for options in ahead.values())
    assert optimum.tokens == tokens
    assert optimum.accuracy == sum(max(options) for options in ahead.values()) / tokens
    found = optimum.next_tokens(strings)
    for row, content in enumerate(strings.contents()):
        for t in range(len(content) + 1):
            options, token = ahead[content[:t]], content[t] if t < len(content) else A
            if not sum(options):
                assert found.log_prob[row, t] == -math.inf
                continue
            p = options[token] / sum(options)
            assert found.log_prob[row, t] == (math.log(float(p)) if p else -math.inf)
            assert found.best_prob[row, t] == float(max(options) / sum(options))
            assert found.best[row, t] == options.index(max(options))


@pytest.mark.parametrize("language", [name for name in LANGUAGES if name not in ("a_plus", "ab")])
def test_the_costs_of_the_next_tokens_add_up_to_that_of_the_string(language):
    settings = CorpusSettings(accepted=300, rejected=300, held_out=("1:b",), unseen_accepted=300, unseen_rejected=300)
    corpus = make_corpus(LANGUAGES[language], settings)
    for name, source in corpus.sources.items():
        strings, optimum = corpus.strings if name == "splits" else corpus.unseen[name], Optimum(source)
        found = optimum.next_tokens(strings)
        error = np.abs(found.log_prob.sum(axis=1) - optimum.log_prob(strings))
        # One unit in the last place for each of up to 61 logarithms.
        assert error.max() < 1e-12
        assert optimum.entropy == pytest.approx(-optimum.log_prob(strings).mean(), rel=1e-13)
        assert optimum.nll == pytest.approx(-found.log_prob.sum() / (strings.lengths + 1).sum(), rel=1e-13)


def test_behind_the_end_nothing_is_asked():
    source = sources(EVEN, SETTINGS)["splits"]
    strings = label(EVEN, np.array([[0, 0, -1, -1], [-1, -1, -1, -1]], dtype=np.int8))
    found = Optimum(source).next_tokens(strings)
    assert (found.log_prob[0, 3:].tolist(), found.best[1, 1:].tolist()) == ([0.0, 0.0], [-1] * 4)
    assert found.best_prob[1, 1:].tolist() == [0.0] * 4
    assert (found.log_prob[0, :3] < 0).all()


def test_one_string_of_each_length_leaves_only_the_end_to_guess():
    source = sources(A_PLUS, CorpusSettings(shortest=1, longest=4, accepted=4, rejected=0, beyond=0))["splits"]
    optimum = Optimum(source)
    assert optimum.entropy == pytest.approx(math.log(4), rel=1e-15)
    # After n symbols the string ends with probability 0, 1/4, 1/3, 1/2, 1.
    strings = label(A_PLUS, np.zeros((1, 4), dtype=np.int8))
    found = optimum.next_tokens(strings)
    assert found.best_prob[0].tolist() == [1.0, 3 / 4, 2 / 3, 1 / 2, 1.0]
    assert found.best[0].tolist() == [0, 0, 0, 0, 1]
    assert optimum.tokens == Fraction(7, 2)
    assert optimum.accuracy == Fraction(4 + 3 + 2 + 1 + 1, 4) / optimum.tokens


def test_a_longer_string_than_the_sources_is_refused():
    source = sources(EVEN, SETTINGS)["splits"]
    with pytest.raises(DataError, match="a string of 7 symbols: this source's have 6 at most"):
        Optimum(source).next_tokens(label(EVEN, np.zeros((1, 7), dtype=np.int8)))
