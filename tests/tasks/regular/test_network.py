from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from loopwright.errors import ConfigError, DataError
from loopwright.models.recurrent import Recurrent
from loopwright.models.transformer import Transformer
from loopwright.tasks.regular.network import Network

NETWORK = Network(width=16, layers=2, heads=2)


def build(network: Network, longest: int = 14, trained: int = 10) -> torch.nn.Module:
    return network.build(vocabulary=5, classes=3, states=4, longest=longest, trained=trained)


@pytest.mark.parametrize(("kind", "made"), [("transformer", Transformer), ("lstm", Recurrent), ("gru", Recurrent)])
def test_each_kind_answers_for_all_tokens_classes_and_states(kind, made):
    model = build(replace(NETWORK, kind=kind))
    tokens = torch.ones(3, 14, dtype=torch.int64)
    outputs = model(tokens, tokens > 0)
    assert type(model) is made
    assert [tuple(logits.shape) for logits in outputs] == [(3, 14, 5), (3, 14, 3), (3, 14, 4)]


@pytest.mark.parametrize("kind", ["transformer", "lstm", "gru"])
def test_there_are_as_many_layers_as_asked_for(kind):
    counts = [sum(1 for _ in build(replace(NETWORK, kind=kind, layers=n)).parameters()) for n in (1, 2, 3)]
    assert counts[2] - counts[1] == counts[1] - counts[0] > 0


@pytest.mark.parametrize(
    ("kind", "most", "longest"),
    [
        ("learned", 0, 14),
        ("learned", 20, 20),
        ("sinusoidal", 20, 20),
        ("sinusoidal", 0, 14),
        ("random", 0, 14),
        ("rotary", 0, None),
        ("none", 0, None),
    ],
)
def test_there_are_positions_for_the_longest_string(kind, most, longest):
    model = build(replace(NETWORK, positions=kind, most_positions=most))
    tokens = torch.ones(1, 14, dtype=torch.int64)
    assert model.eval()(tokens, tokens > 0).next.isfinite().all()
    assert model.longest == longest


@pytest.mark.parametrize(("most", "places"), [(0, 28), (50, 50)])
def test_there_are_twice_as_many_random_positions_unless_said_otherwise(most, places):
    assert len(build(replace(NETWORK, positions="random", most_positions=most)).positions.table) == places


def test_a_longer_sequence_than_there_are_positions_is_refused():
    tokens = torch.ones(1, 15, dtype=torch.int64)
    with pytest.raises(DataError, match="15"):
        build(NETWORK)(tokens, tokens > 0)


def test_a_tied_head_and_a_factorized_embedding_have_fewer_weights():
    def size(**changes: object) -> int:
        return sum(weight.numel() for weight in build(replace(NETWORK, **changes)).parameters())  # type: ignore[arg-type]

    assert size(tied=False) - size() == 5 * 16
    assert size(rank=2) - size() == 5 * 2 + 2 * 16 - 5 * 16


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"layers": 0}, "network layers 0: must be 1 at least"),
        ({"width": 0}, "network width 0"),
        ({"heads": 0}, "network heads 0"),
        ({"rank": -1}, "network rank -1: must be 0 at least"),
        ({"heads": 3}, "width 16 for 3 heads: choose a multiple"),
        ({"most_positions": 13}, "most_positions 13: the longest sequence has 14 tokens"),
        ({"most_positions": 13, "positions": "random"}, "most_positions 13"),
        ({"positions": "sinusoidal", "most_positions": 5}, "raise it to 14"),
        ({"positions": "sinusoidal", "width": 15, "heads": 3}, "choose an even width"),
        ({"positions": "rotary", "width": 18, "heads": 6}, "width 18 for 6 heads: give each an even width"),
    ],
)
def test_sizes_that_cannot_be_are_refused(changes, message):
    with pytest.raises(ConfigError, match=message):
        build(replace(NETWORK, **changes))
