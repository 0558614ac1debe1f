from __future__ import annotations

import math

import pytest
import torch

from loopwright.errors import ConfigError, DataError
from loopwright.models.positions import Learned, Positions, Random, Rotary, Sinusoidal, positions, waves


def test_waves_follow_the_formula():
    table = waves(50, 8)
    for t in (0, 1, 7, 49):
        for j in range(4):
            angle = t * 10000 ** (-2 * j / 8)
            # float32 from float64: half a unit in the last place.
            assert table[t, 2 * j].item() == pytest.approx(math.sin(angle), abs=6e-8)
            assert table[t, 2 * j + 1].item() == pytest.approx(math.cos(angle), abs=6e-8)


def test_rotary_is_a_product_with_a_complex_number():
    x = torch.randn(2, 3, 5, 8, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    angles = torch.arange(5)[:, None] * 10000 ** (-torch.arange(4, dtype=torch.float64) / 4)
    turned = torch.complex(x[..., :4], x[..., 4:]) * torch.polar(torch.ones_like(angles), angles)
    torch.testing.assert_close(
        Rotary().turn(x), torch.cat([turned.real, turned.imag], -1), rtol=0, atol=1e-14
    )  # float64


def test_rotary_products_depend_on_the_distance_alone():
    q, k = torch.randn(2, 1, 8, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    products = Rotary().turn(q.expand(20, 8)) @ Rotary().turn(k.expand(20, 8)).T
    for distance in (-7, 0, 3):
        diagonal = products.diagonal(distance)
        torch.testing.assert_close(diagonal, diagonal[:1].expand_as(diagonal), rtol=0, atol=1e-12)  # float64
    assert (products[0, 0] - products[0, 1]).abs() > 0.01


def test_rotary_turns_bfloat16_without_widening_it():
    assert Rotary().turn(torch.ones(3, 4, dtype=torch.bfloat16)).dtype == torch.bfloat16


def test_random_places_are_ascending_and_different_and_reach_everywhere():
    places = Random(4, 20, most=50, drawn=12).places(500, 10)
    assert places.shape == (500, 10)
    assert (places.diff() > 0).all()
    assert set(places[:, 0].tolist()) >= {0, 1, 2, 3}
    assert 45 < places.max() < 50


def test_random_places_come_from_the_global_generator():
    random = Random(4, 20, most=50, drawn=12)
    torch.manual_seed(3)
    first, second = random.places(4, 10), random.places(4, 10)
    torch.manual_seed(3)
    assert torch.equal(random.places(4, 10), first)
    assert not torch.equal(first, second)
    assert not torch.equal(first[0], first[1])


def test_random_places_do_not_tell_how_long_a_sequence_is():
    random = Random(4, 20, most=50, drawn=12)
    torch.manual_seed(3)
    long = random.places(4, 12)
    torch.manual_seed(3)
    assert torch.equal(random.places(4, 5), long[:, :5])


def test_random_places_in_eval_mode_have_one_stride_whatever_the_batch():
    random = Random(4, 20, most=50, drawn=12).eval()
    for B, T in ((1, 1), (3, 7), (2, 20)):
        assert torch.equal(random.places(B, T), torch.arange(0, 2 * T, 2)[None])


def test_random_positions_add_the_rows_of_their_places():
    random = Random(4, 20, most=50, drawn=12)
    torch.manual_seed(3)
    places = random.places(2, 6)
    torch.manual_seed(3)
    assert torch.equal(random(torch.zeros(2, 6, 4)), waves(50, 4)[places])


def test_random_positions_refuse_to_train_on_more_than_they_draw():
    with pytest.raises(DataError, match="a sequence of 13 tokens to train on: 12 random positions"):
        Random(4, 20, most=50, drawn=12)(torch.zeros(1, 13, 4))


@pytest.mark.parametrize(("longest", "most", "drawn"), [(20, 19, 5), (20, 50, 21), (20, 50, 0)])
def test_random_positions_that_do_not_fit_are_refused(longest, most, drawn):
    with pytest.raises(ConfigError, match="choose 1 <= drawn <= longest <= most"):
        Random(4, longest, most=most, drawn=drawn)


@pytest.mark.parametrize("kind", ["learned", "sinusoidal", "random"])
def test_positions_with_an_end_refuse_longer_sequences(kind):
    made = positions(kind, 4, 6, most=6, drawn=6)
    assert made.longest == 6
    assert made(torch.zeros(2, 6, 4)).any()
    for refuse in (lambda: made(torch.zeros(2, 7, 4)), lambda: made.check_length(7)):
        with pytest.raises(
            DataError, match=r"a sequence of 7 tokens: the model's positions end at 6; make it for longer"
        ):
            refuse()


@pytest.mark.parametrize("kind", ["none", "rotary"])
def test_positions_without_an_end_take_any_length_and_add_nothing(kind):
    made, x = positions(kind, 4, 6, most=6, drawn=6), torch.randn(1, 100, 4)
    assert made.longest is None
    made.check_length(10**6)
    assert torch.equal(made(x), x)


def test_learned_and_sinusoidal_positions_add_their_first_rows():
    learned, sinusoidal = Learned(4, 6), Sinusoidal(4, 6)
    assert torch.equal(learned(torch.zeros(2, 3, 4)), learned.weight[:3].expand(2, 3, 4))
    assert torch.equal(sinusoidal(torch.zeros(2, 3, 4)), waves(6, 4)[:3].expand(2, 3, 4))


def test_positions_without_a_kind_turn_nothing():
    x = torch.randn(2, 3, 4)
    assert Positions().turn(x) is x


def test_an_unknown_kind_is_refused_with_the_nearest_name():
    with pytest.raises(ConfigError, match="'rotory' are unknown: did you mean 'rotary'"):
        positions("rotory", 4, 6, most=6, drawn=6)


def test_waves_of_an_odd_width_are_refused():
    with pytest.raises(ConfigError, match="positions of width 5: waves come in pairs"):
        waves(3, 5)


def test_fixed_tables_are_no_part_of_a_checkpoint():
    assert not Sinusoidal(4, 6).state_dict()
    assert not Random(4, 6, most=6, drawn=6).state_dict()
