from __future__ import annotations

import math
import pickle

import numpy as np
import pytest
import torch
from torch.nn.functional import affine_grid, grid_sample

from loopwright.data.transforms import (
    Compose,
    Normalize,
    On,
    RandomRotation,
    ToTensor,
    random_affine,
    random_shift,
)
from loopwright.errors import DataError
from loopwright.seeding import uniform

SAMPLES = torch.arange(6)


def pictures(size: int = 6, channels: int = 2, height: int = 8, width: int = 10) -> torch.Tensor:
    return torch.rand(size, channels, height, width, generator=torch.Generator().manual_seed(0))


def always(value: float):
    """Random numbers that are not random."""
    return lambda count: torch.full((6, count), value)


def test_to_tensor_scales_bytes_to_one_and_puts_channels_first():
    grey = np.array([[0, 255], [51, 102]], dtype=np.uint8)
    assert torch.equal(ToTensor()(grey), torch.tensor([[[0.0, 1.0], [0.2, 0.4]]]))
    assert ToTensor()(np.zeros((4, 5, 3), dtype=np.uint8)).shape == (3, 4, 5)
    assert torch.equal(ToTensor()(torch.from_numpy(grey)), ToTensor()(grey))


@pytest.mark.parametrize("image", [torch.zeros(2, 2), torch.zeros(2, dtype=torch.uint8)])
def test_to_tensor_refuses_what_is_no_image_of_bytes(image):
    with pytest.raises(DataError, match=r"ToTensor takes uint8"):
        ToTensor()(image)


def test_normalize_gives_mean_zero_and_deviation_one():
    images = pictures()
    mean, std = images.mean((0, 2, 3)), images.std((0, 2, 3))
    normal = Normalize(tuple(mean.tolist()), tuple(std.tolist()))(images)
    # Means of 480 float32 numbers.
    torch.testing.assert_close(normal.mean((0, 2, 3)), torch.zeros(2), atol=1e-6, rtol=0)
    torch.testing.assert_close(normal.std((0, 2, 3)), torch.ones(2), atol=1e-6, rtol=0)


def test_normalize_takes_one_image_and_plain_numbers_too():
    assert torch.equal(Normalize(1.0, 2.0)(torch.full((1, 2, 2), 5.0)), torch.full((1, 2, 2), 2.0))


def test_normalize_refuses_a_deviation_of_zero():
    with pytest.raises(DataError, match=r"std=\(1.0, 0.0\)"):
        Normalize((0.0, 0.0), (1.0, 0.0))


def test_compose_goes_from_left_to_right():
    assert Compose((lambda x: x + 1, lambda x: x * 10))(1) == 20


def test_on_changes_one_entry_and_leaves_the_item_alone():
    item = {"x": 1, "y": 2}
    assert On("x", lambda x: x + 1)(item) == {"x": 2, "y": 2}
    assert item == {"x": 1, "y": 2}


def test_transforms_compare_print_and_pickle():
    pipeline = Compose((ToTensor(), Normalize(0.1307, 0.3081), RandomRotation(15)))
    assert pickle.loads(pickle.dumps(pipeline)) == pipeline
    assert "RandomRotation(degrees=15)" in repr(pipeline)


def test_rotation_is_a_function_of_the_global_generator():
    image = pictures()[0]
    torch.manual_seed(4)
    first = RandomRotation(15)(image)
    torch.manual_seed(4)
    assert torch.equal(RandomRotation(15)(image), first)
    assert not torch.equal(RandomRotation(15)(image), first)
    assert first.shape == image.shape


def test_rotation_by_nothing_changes_nothing():
    # Bilinear weights are 1 and 0 up to the rounding of the grid's coordinates.
    torch.testing.assert_close(RandomRotation(0)(pictures()[0]), pictures()[0], atol=1e-5, rtol=0)


def test_a_quarter_turn_is_counter_clockwise_and_keeps_the_shape_of_things():
    image = torch.rand(6, 1, 7, 7)
    turned = random_affine(image, always(1.0), degrees=90)
    # cos(90°) is 4e-8 in float32, not 0.
    torch.testing.assert_close(turned, image.rot90(1, (2, 3)), atol=1e-5, rtol=0)
    wide = torch.zeros(6, 1, 5, 9)
    wide[:, :, 2, 2:7] = 1  # a horizontal bar of five pixels stands upright, five pixels high
    standing = random_affine(wide, always(1.0), degrees=90)
    torch.testing.assert_close(standing[:, 0, :, 4], torch.ones(6, 5), atol=1e-5, rtol=0)


def test_affine_agrees_with_pytorchs_own_on_square_images():
    images = pictures(height=9, width=9)
    draws = 2 * uniform(1, 0, SAMPLES)(4) - 1
    angles, factors = math.radians(30) * draws[:, 0], 1 + 0.2 * draws[:, 1]
    cos, sin = torch.cos(angles) / factors, torch.sin(angles) / factors
    matrices = torch.stack((torch.stack((cos, -sin), 1), torch.stack((sin, cos), 1)), 1)
    moves = -(matrices @ (2 * draws[:, 2:, None] * 2 / 9))
    grid = affine_grid(torch.cat((matrices, moves), 2), list(images.shape), align_corners=False)
    expected = grid_sample(images, grid, align_corners=False)
    ours = random_affine(images, uniform(1, 0, SAMPLES), degrees=30, scale=0.2, pixels=2)
    # The grids are summed in different orders.
    torch.testing.assert_close(ours, expected, atol=1e-5, rtol=0)


def test_affine_moves_by_pixels_to_the_right_and_down_and_fills_with_zeros():
    images = pictures()
    moved = random_affine(images, always(1.0), pixels=2)
    torch.testing.assert_close(moved[:, :, 2:, 2:], images[:, :, :-2, :-2], atol=1e-5, rtol=0)
    assert torch.equal(moved[:, :, :2], torch.zeros(6, 2, 2, 10))


def test_affine_enlarges_by_the_factor():
    dot = torch.zeros(6, 1, 9, 9)
    dot[:, :, 3:6, 3:6] = 1
    enlarged = random_affine(dot, always(1.0), scale=0.5)
    assert torch.equal(enlarged[0, 0, 4].round(), torch.tensor([0.0, 0, 1, 1, 1, 1, 1, 0, 0]))


@pytest.mark.parametrize("pixels", [0, 1, 3])
def test_shift_moves_whole_pixels_and_fills_with_zeros(pixels):
    images = pictures()
    offsets = (uniform(2, 0, SAMPLES)(2) * (2 * pixels + 1)).long() - pixels
    shifted = random_shift(images, uniform(2, 0, SAMPLES), pixels)
    for image, moved, (dy, dx) in zip(images, shifted, offsets.tolist(), strict=True):
        expected = torch.zeros_like(image)
        for y in range(8):
            for x in range(10):
                if 0 <= y + dy < 8 and 0 <= x + dx < 10:
                    expected[:, y, x] = image[:, y + dy, x + dx]
        assert torch.equal(moved, expected)


def test_shifts_reach_every_offset_and_no_other():
    samples = torch.arange(2000)
    dot = torch.zeros(2000, 1, 5, 5)
    dot[:, :, 2, 2] = 1
    places = random_shift(dot, uniform(0, 0, samples), 1).flatten(1).argmax(1).bincount(minlength=25)
    assert places.reshape(5, 5)[1:4, 1:4].min() > 150  # 222 expected, with a spread of 14
    assert places.reshape(5, 5)[1:4, 1:4].sum() == 2000


@pytest.mark.parametrize(
    "augment",
    [
        lambda images, draw: random_shift(images, draw, 2),
        lambda images, draw: random_affine(images, draw, degrees=15, scale=0.1, pixels=2),
    ],
)
def test_an_image_is_augmented_alike_in_whatever_batch(augment):
    together = augment(pictures(), uniform(0, 3, SAMPLES))
    for number in range(6):
        alone = augment(pictures()[number : number + 1], uniform(0, 3, SAMPLES[number : number + 1]))
        assert torch.equal(alone[0], together[number])
    assert not torch.equal(together, augment(pictures(), uniform(0, 4, SAMPLES)))
    assert augment(pictures().double(), uniform(0, 3, SAMPLES)).dtype == torch.float64
