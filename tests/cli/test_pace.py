from __future__ import annotations

import pytest

from loopwright.cli.pace import WARM_UP, WINDOW_SECONDS, Pace
from tests.cli.test_console import step, validation


def walked(pace, steps, *, seconds=1.0, evaluation_seconds=0.0, start=0.0):
    """`steps` steps of `seconds` each, and after every tenth an evaluation."""
    now = start
    for number in range(pace.step + 1, pace.step + steps + 1):
        now += seconds
        pace.see(step(number, seconds=now))
        if pace.evaluation and number % pace.evaluation == 0:
            now += evaluation_seconds
            pace.see(validation(number))
    return now


def test_evaluations_are_not_in_the_pace_of_steps_and_are_in_what_is_ahead():
    pace = Pace(100, 10)
    walked(pace, 51, seconds=1.0, evaluation_seconds=5.0)
    assert pace.step_seconds == 1.0
    assert pace.samples_per_second == 8.0
    assert pace.evaluations_ahead == 5
    assert pace.known
    assert pace.ahead == 49 * 1.0 + 5 * 5.0


def test_slow_first_steps_are_not_in_the_pace():
    pace = Pace(100)
    walked(pace, 20, seconds=1.0, start=walked(pace, WARM_UP, seconds=60.0))
    assert pace.step_seconds == 1.0
    assert pace.ahead == 77.0


def test_before_the_first_measured_step_nothing_is_said_and_before_the_first_evaluation_it_is_marked():
    pace = Pace(100, 10)
    walked(pace, WARM_UP + 1)
    assert pace.ahead is None
    walked(pace, 2, start=4.0)
    assert pace.ahead == 94.0
    assert not pace.known


@pytest.mark.parametrize(("step", "ahead"), [(0, 4), (9, 4), (10, 3), (30, 1), (34, 1), (35, 0)])
def test_the_evaluations_ahead_are_those_of_the_cadence(step, ahead):
    pace = Pace(35, 10)
    pace.step = step
    assert pace.evaluations_ahead == ahead


def test_the_pace_follows_a_machine_that_slows_down():
    pace = Pace(100_000)
    now = walked(pace, 600, seconds=0.1)
    walked(pace, 1200, seconds=0.4, start=now)
    assert 0.38 < pace.step_seconds < 0.4
    assert pace.seconds <= WINDOW_SECONDS


def test_a_resumed_run_counts_from_where_it_goes_on():
    pace = Pace(100, 10)
    pace.step = 50
    walked(pace, 10, start=1000.0)
    assert pace.step == 60
    assert pace.step_seconds == 1.0
