"""The onset of overfitting: named where there is any, and never where validation still follows."""

from __future__ import annotations

import math

import numpy as np
import pytest
from numpy.random import default_rng

from loopwright.report.history import Series
from loopwright.report.overfitting import onset

STEPS = 2000


def curve(every: int, level: object, noise: float = 0.0, seed: int = 0) -> Series:
    steps = np.arange(every, STEPS + 1, every)
    values = np.array([level(step / STEPS) for step in steps.tolist()])  # type: ignore[operator]
    return Series.of(steps, values * np.exp(noise * default_rng(seed).standard_normal(len(steps))))


def falling(at: float) -> float:
    return 0.02 + 2.3 * math.exp(-6 * at)


def valley(at: float) -> float:
    """Falls until a quarter of the way, then rises."""
    return 0.4 + 1.9 * math.exp(-14 * at) + 0.5 * max(0.0, at - 0.25)


def test_the_onset_is_the_best_validation_before_it_gets_worse() -> None:
    found = onset(curve(1, falling), curve(100, valley))
    assert found is not None
    assert (found.kind, found.step) == ("worsens", 600)
    assert found.train_now < found.train_then
    assert found.best < found.last
    assert "best at step 600" in found.reason


@pytest.mark.parametrize("seed", range(20))
def test_noise_moves_the_onset_by_little(seed: int) -> None:
    found = onset(curve(1, falling, 0.3, seed), curve(100, valley, 0.02, seed + 100))
    assert found is not None
    assert found.kind == "worsens"
    assert 400 <= found.step <= 1000


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("every", [50, 200])
def test_a_healthy_run_has_none_however_noisy_it_is(seed: int, every: int) -> None:
    validation = curve(every, lambda at: falling(at) + 0.05, 0.1, seed + 100)
    assert onset(curve(1, falling, 0.3, seed), validation) is None


@pytest.mark.parametrize("seed", range(20))
def test_a_run_that_learns_nothing_has_none(seed: int) -> None:
    assert onset(curve(1, lambda at: 2.3, 0.05, seed), curve(100, lambda at: 2.3, 0.02, seed + 100)) is None


def test_both_flat_after_a_good_beginning_is_no_overfitting() -> None:
    plateau = curve(1, lambda at: 0.5 + math.exp(-30 * at), 0.1)
    assert onset(plateau, curve(100, lambda at: 0.55 + math.exp(-30 * at), 0.01)) is None


def test_validation_that_stalls_while_training_pulls_away_is_named_as_that() -> None:
    found = onset(curve(1, falling, 0.2), curve(50, lambda at: 1.0 + 1.3 * math.exp(-40 * at), 0.01))
    assert found is not None
    assert found.kind == "stalls"
    assert found.step < STEPS / 4
    assert "gains nothing after" in found.reason


def test_one_bad_validation_is_no_onset() -> None:
    validation = curve(100, lambda at: falling(at) + 0.05)
    validation.values[-1] *= 3
    assert onset(curve(1, falling), validation) is None


def test_one_lucky_validation_early_is_no_onset() -> None:
    validation = curve(100, lambda at: falling(at) + 0.05)
    validation.values[3] = 0.01
    assert onset(curve(1, falling), validation) is None


def test_validation_that_rises_together_with_training_has_diverged_not_overfitted() -> None:
    both = [curve(every, lambda at: 1.0 + 3 * abs(at - 0.3)) for every in (1, 100)]
    assert onset(*both) is None


def test_a_second_descent_is_no_overfitting() -> None:
    validation = curve(100, lambda at: 1.5 - 1.2 * at + 0.8 * math.exp(-(((at - 0.4) / 0.1) ** 2)))
    assert onset(curve(1, falling), validation) is None


def test_losses_below_zero_are_measured_by_what_was_gained() -> None:
    lowered = [Series(one.steps, one.values - 5) for one in (curve(1, falling), curve(100, valley))]
    found = onset(*lowered)
    assert found is not None
    assert found.step == 600


def test_few_or_no_or_lost_values_say_nothing() -> None:
    empty = Series.of([], [])
    assert onset(empty, empty) is None
    assert onset(curve(1, falling), curve(600, valley)) is None
    assert onset(curve(1, lambda at: math.nan), curve(100, valley)) is None
