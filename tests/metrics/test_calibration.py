from __future__ import annotations

import math

import pytest
import torch

from loopwright import metrics


def test_calibration_error_equals_a_hand_computed_one() -> None:
    confidence = torch.tensor([0.95, 0.85, 0.85, 0.55], dtype=torch.float64)
    right = torch.tensor([True, True, False, False])
    # In ten bins: |1 - 0.95|, |1 - 1.7| over the two at 0.85, |0 - 0.55|, over 4 samples.
    expected = (0.05 + 0.7 + 0.55) / 4
    assert metrics.expected_calibration_error(confidence, right, 10) == pytest.approx(expected, abs=1e-15)


def test_a_confidence_on_an_edge_belongs_to_the_lower_bin() -> None:
    confidence = torch.tensor([0.5, 1.0], dtype=torch.float64)
    right = torch.tensor([False, True])
    assert metrics.expected_calibration_error(confidence, right, 2) == 0.25


def test_calibration_error_agrees_with_a_direct_loop_over_the_bins() -> None:
    generator = torch.Generator().manual_seed(0)
    confidence = torch.rand(500, generator=generator, dtype=torch.float64)
    right = torch.rand(500, generator=generator) < 0.5
    expected = 0.0
    for number in range(15):
        inside = (confidence > number / 15) & (confidence <= (number + 1) / 15)
        if inside.any():
            gap = right[inside].double().mean() - confidence[inside].mean()
            expected += float(inside.double().mean() * gap.abs())
    assert metrics.expected_calibration_error(confidence, right) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("batch_size", [1, 7, 100])
def test_calibration_error_has_the_same_bits_at_any_batch_size(batch_size: int) -> None:
    generator = torch.Generator().manual_seed(1)
    confidence = torch.rand(100, generator=generator)
    right = torch.rand(100, generator=generator) < 0.5
    gathered = metrics.Calibration()
    for part, part_right in zip(confidence.split(batch_size), right.split(batch_size), strict=True):
        gathered.update(part, part_right)
    assert gathered.result() == metrics.expected_calibration_error(confidence, right)


def test_a_certain_and_always_right_model_is_perfectly_calibrated() -> None:
    assert metrics.expected_calibration_error(torch.ones(9), torch.ones(9, dtype=torch.bool)) == 0.0


def test_the_calibration_of_nothing_is_nan() -> None:
    assert math.isnan(metrics.Calibration().result())
