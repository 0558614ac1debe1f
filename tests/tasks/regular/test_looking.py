from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from loopwright.errors import ConfigError
from loopwright.store import read_checkpoint
from loopwright.tasks.regular.automaton import Automaton
from loopwright.tasks.regular.encoding import BOS, EOS, encode
from loopwright.tasks.regular.looking import MOST, check_look_at, draw_hidden, flow, in_words, look, principal
from loopwright.tasks.regular.scores import score
from tests.tasks.regular.languages import AB_STAR, symbols
from tests.tasks.regular.small import NETWORK

TEXTS = ("", "a", "abab", "ba", "ababab")
ENCODED = encode(AB_STAR, symbols(AB_STAR, *TEXTS))


def new_model(kind: str = "transformer") -> torch.nn.Module:
    torch.manual_seed(0)
    network = replace(NETWORK, kind=kind)  # type: ignore[arg-type]
    return network.build(vocabulary=5, classes=2, states=3, longest=8, trained=8).eval()


@pytest.fixture(scope="module")
def looked(tmp_path_factory):
    """All that is written of a transformer."""
    directory = tmp_path_factory.mktemp("look")
    model = new_model()
    look(model, AB_STAR, score(model, AB_STAR, ENCODED), directory)
    return directory


def test_what_was_seen_is_kept_with_what_it_was_seen_of(looked):
    held = read_checkpoint(looked / "look.pt")["tensors"]
    assert {name: tuple(tensor.shape) for name, tensor in held.items()} == {
        "tokens": (5, 8),
        "states": (5, 8),
        "hidden": (3, 5, 8, 16),
        "maps": (2, 5, 2, 8, 8),
    }
    assert torch.equal(held["tokens"], ENCODED["tokens"])
    assert torch.equal(held["states"], ENCODED["state"])


def test_attention_sums_to_1_and_none_goes_to_later_tokens_or_padding(looked):
    maps = read_checkpoint(looked / "look.pt")["tensors"]["maps"]
    assert torch.allclose(maps.sum(-1), torch.ones(()), atol=1e-6)  # a softmax in float32
    assert torch.equal(maps.triu(1), torch.zeros_like(maps))
    padding = ~ENCODED["attention_mask"]
    real_to_padding = maps * (ENCODED["attention_mask"][:, :, None] & padding[:, None, :])[:, None]
    assert not real_to_padding.any()


def test_each_string_has_its_pictures(looked):
    names = {path.name for path in looked.iterdir()}
    assert names == {
        *("look.pt", "attention-automaton.svg", "hidden-states.svg"),
        *(f"{what}-{number}.svg" for what in ("attention", "hidden") for number in range(1, 6)),
    }


def test_a_recurrent_network_has_no_attention_to_draw(tmp_path):
    model = new_model("lstm")
    look(model, AB_STAR, score(model, AB_STAR, ENCODED), tmp_path)
    assert not list(tmp_path.glob("attention*"))
    assert read_checkpoint(tmp_path / "look.pt")["tensors"]["maps"].numel() == 0
    assert len(list(tmp_path.glob("hidden-?.svg"))) == len(TEXTS)


def test_the_attention_between_states_sums_to_1_for_each_state_that_was_met(looked):
    maps = read_checkpoint(looked / "look.pt")["tensors"]["maps"]
    found = flow(maps, ENCODED["state"], ENCODED["loss_mask"], 3)
    assert torch.allclose(found.sum(-1), torch.ones(()), atol=1e-6)  # of sums in float32
    only = ENCODED["loss_mask"] & (ENCODED["state"] != 2)
    rows = flow(maps[:, [2, 4]], ENCODED["state"][[2, 4]], only[[2, 4]], 3).sum(-1)
    assert torch.allclose(rows, torch.tensor([1.0, 1.0, 0.0]), atol=1e-6)


def test_the_attention_between_states_is_the_mean_counted_by_hand():
    # Two heads, three positions in the states 0, 1, 0; the fourth, EOS, does not count.
    one = torch.tensor([[1.0, 0, 0, 0], [0.5, 0.5, 0, 0], [0.2, 0.3, 0.5, 0], [0, 1.0, 0, 0]])
    other = torch.tensor([[1.0, 0, 0, 0], [0.1, 0.9, 0, 0], [0.4, 0.5, 0.1, 0], [0, 1.0, 0, 0]])
    states, mask = torch.tensor([[0, 1, 0, 0]]), torch.tensor([[True, True, True, False]])
    found = flow(torch.stack([one, other])[None, None], states, mask, 3)
    expected = [[(1 + 0.6) / 2, (0 + 0.4) / 2, 0], [0.3, 0.7, 0], [0, 0, 0]]
    assert torch.allclose(found, torch.tensor([expected]), atol=1e-7)


def test_the_plane_of_the_principal_components_keeps_distances_of_what_lies_in_a_plane():
    generator = torch.Generator().manual_seed(0)
    flat = torch.randn(9, 2, generator=generator, dtype=torch.float64)
    turned, _ = torch.linalg.qr(torch.randn(5, 5, generator=generator, dtype=torch.float64))
    found = principal(flat @ turned[:2] + 3)
    assert torch.allclose(torch.cdist(found, found), torch.cdist(flat, flat), atol=1e-12)
    assert found[:, 0].var() >= found[:, 1].var()


@pytest.mark.parametrize("shape", [(4, 1), (1, 3), (1, 1)])
def test_a_plane_is_found_for_few_units_and_few_positions(shape):
    assert principal(torch.ones(shape)).shape == (shape[0], 2)


def test_many_states_have_a_picture_too(tmp_path):
    ring = Automaton("a", (*((n + 1,) for n in range(11)), (0,), (12,)), (1, *[0] * 12))
    states = torch.arange(12)
    draw_hidden(ring, torch.randn(12, 4, generator=torch.Generator().manual_seed(0)), states, tmp_path / "ring.svg")
    assert "state 11" in (tmp_path / "ring.svg").read_text()


def test_tokens_are_written_as_symbols():
    assert [in_words(AB_STAR, token) for token in (BOS, 3, 4, EOS)] == ["BOS", "a", "b", "EOS"]


def test_looking_at_many_strings_is_refused():
    check_look_at(0)
    check_look_at(MOST)
    for count in (-1, MOST + 1):
        with pytest.raises(ConfigError, match=f"look_at {count}: choose 0 to {MOST}"):
            check_look_at(count)
