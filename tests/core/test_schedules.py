from __future__ import annotations

import math
from itertools import pairwise

import pytest

from loopwright.core import Constant, Cosine, Linear, MultiStep, Plateau, Step, WarmupStableDecay
from loopwright.core.progress import better
from loopwright.core.schedules import RateMemory

# (schedule, {step: factor}) for a run of 1,000 steps
TABLE = [
    (Constant(), {0: 1.0, 999: 1.0}),
    (Constant(warmup=4), {0: 0.25, 3: 1.0, 4: 1.0}),
    (Cosine(warmup=100), {0: 0.01, 99: 1.0, 100: 1.0, 550: 0.5, 1000: 0.0}),
    (Cosine(warmup=100, floor=0.1), {0: 0.01, 99: 1.0, 100: 1.0, 550: 0.55, 1000: 0.1}),
    (Cosine(warmup=0.06), {0: 1 / 60, 59: 1.0, 60: 1.0}),
    (Linear(warmup=100, floor=0.2), {0: 0.01, 99: 1.0, 100: 1.0, 550: 0.6, 1000: 0.2}),
    (WarmupStableDecay(warmup=10, decay=0.2), {0: 0.1, 9: 1.0, 10: 1.0, 800: 1.0, 900: 0.5, 1000: 0.0}),
    (WarmupStableDecay(warmup=10, decay=100, floor=0.5), {899: 1.0, 900: 1.0, 950: 0.75, 1000: 0.5}),
    (Step(every=0.25, gamma=0.5), {0: 1.0, 249: 1.0, 250: 0.5, 999: 0.125}),
    (Step(every=10, gamma=0.1, warmup=2), {0: 0.5, 1: 1.0, 9: 1.0, 10: 0.1}),
    (MultiStep(milestones=(0.5, 750)), {0: 1.0, 499: 1.0, 500: 0.1, 749: 0.1, 750: 0.01}),
    (Plateau(warmup=2), {0: 0.5, 1: 1.0, 999: 1.0}),
]


@pytest.mark.parametrize(("schedule", "factors"), TABLE, ids=lambda value: str(value)[:40])
def test_a_schedule_gives_the_factors_of_its_table(schedule, factors):
    for step, factor in factors.items():
        # A cosine of a float is within an ulp or two of the exact value.
        assert schedule(step, 1000) == pytest.approx(factor, abs=1e-12), step


def test_a_published_recipe_comes_out_100_steps_of_warmup_then_6e_4_to_6e_5():
    schedule = Cosine(warmup=100, floor=0.1)
    rates = [6e-4 * schedule(step, 2000) for step in range(2001)]
    assert rates[99] == rates[100] == 6e-4
    assert rates[2000] == pytest.approx(6e-5, rel=1e-12)  # the last ulp of a sum
    assert all(later <= earlier for earlier, later in pairwise(rates[100:]))


def test_plateau_reduces_after_more_than_patience_evaluations_without_improvement():
    schedule, memory, factors = Plateau(factor=0.1, patience=2), RateMemory(), []
    for value in (1.0, 0.9, 0.9, 0.95, 0.9, 0.9, 0.8):
        memory = schedule.observe(memory, value, "min")
        factors.append(memory.factor)
    assert factors == [1.0, 1.0, 1.0, 1.0, 0.1, 0.1, 0.1]


def test_plateau_stops_at_its_floor_and_can_look_for_a_maximum():
    schedule, memory = Plateau(factor=0.1, patience=0, floor=0.05), RateMemory()
    for value in (1.0, 0.5, 0.5, 0.5):
        memory = schedule.observe(memory, value, "max")
    assert memory.factor == 0.05
    assert schedule.observe(memory, 2.0, "max").best == 2.0


def test_other_schedules_remember_nothing():
    memory = RateMemory()
    assert Cosine().observe(memory, 1.0, "min") is memory


def test_nan_is_never_better_and_anything_else_is_better_than_nothing():
    assert not better(math.nan, None, "max")
    assert better(-math.inf, None, "max")
    assert not better(1.05, 1.0, "max", min_delta=0.1)
    assert better(1.2, 1.0, "max", min_delta=0.1)
    assert better(0.8, 1.0, "min", min_delta=0.1)
