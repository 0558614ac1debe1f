"""Charts as data: short however long the run was, with everything that a reader must not lose."""

from __future__ import annotations

import base64
import hashlib
import json
import math
import re
from dataclasses import replace
from typing import Any

import numpy as np

from loopwright.report.charts import Chart, Line, Trace, line, mark
from loopwright.report.clock import Clock
from loopwright.report.history import History, Series
from loopwright.report.page import chart_script, content_policy, environment

BARE = Clock({})


def series(*values: float) -> Series:
    return Series.of(range(1, len(values) + 1), values)


def rendered(template: str, **values: object) -> str:
    imported = '{% import "charts.html.j2" as c with context %}'
    return environment().from_string(imported + template).render(**values)


def read(chart: Chart) -> Any:
    return json.loads(chart.data)


def test_a_million_steps_are_a_few_thousand_numbers_with_both_extremes() -> None:
    values = np.sin(np.arange(1e6) / 1e5)
    values[123_456], values[777_777] = 9.0, -9.0
    made = line("loss", Series.of(np.arange(1, 1e6 + 1), values), BARE, smoothed=True)
    assert len(made.trace.ys) <= 1800
    assert (max(made.trace.ys), min(made.trace.ys)) == (9.0, -9.0)
    assert made.averaged is not None
    assert len(made.averaged.ys) <= 600
    assert len(Chart("loss", "Loss", [made]).data) < 100_000


def test_a_value_that_is_not_finite_breaks_the_line_and_is_marked() -> None:
    made = line("loss", series(1.0, math.nan, 3.0, math.inf, 1e200), BARE)
    assert made.trace.ys == [1.0, None, 3.0, None, None]
    assert made.lost == {"step": [2, 4, 5]}
    assert made.lost_count == 3


def test_of_very_many_values_that_are_not_finite_some_are_marked_and_all_are_counted() -> None:
    made = line("loss", series(*[math.nan] * 10_000), BARE)
    assert len(made.lost["step"]) <= 300
    assert made.lost_count == 10_000
    assert made.spots == []


def test_the_best_and_the_last_value_are_singled_out() -> None:
    made = line("accuracy", series(0.5, 0.9, 0.7), BARE, best=2)
    assert [(spot.kind, spot.x["step"], spot.y) for spot in made.spots] == [("last", 3, 0.7), ("best", 2, 0.9)]


def test_a_band_is_thinned_with_its_line() -> None:
    middle = series(*np.arange(5000.0))
    edges = (Series(middle.steps, middle.values - 1), Series(middle.steps, middle.values + 1))
    made = line("mean", middle, BARE, band=edges, buckets=10)
    assert made.low is not None
    assert made.high is not None
    assert made.low == [(value or 0) - 1 for value in made.trace.ys]
    assert made.high == [(value or 0) + 1 for value in made.trace.ys]


def test_a_clock_knows_epochs_samples_and_seconds() -> None:
    curves = {"loss": series(*[1.0] * 4), "samples": series(8, 8, 8, 4), "busy_seconds": series(1, 1, 2, 1)}
    clock = Clock.of(History(curves, epochs=[{"step": 2, "epoch": 0}]))
    places = {name: found.tolist() for name, found in clock.at(np.array([1.0, 2.0, 4.0])).items()}
    assert places == {
        "step": [1.0, 2.0, 4.0],
        "epoch": [0.5, 1.0, 2.0],
        "samples": [8.0, 16.0, 28.0],
        "seconds": [1.0, 2.0, 5.0],
    }


def test_a_clock_that_was_set_back_does_not_fold_the_curve() -> None:
    clock = Clock.of(History({"busy_seconds": series(1, -5, 1, math.nan, 3)}))
    seconds = clock.at(np.arange(1.0, 6.0))["seconds"]
    assert np.all(np.diff(seconds) >= 0)


def test_a_chart_offers_the_axes_that_all_of_its_lines_have() -> None:
    clock = Clock.of(History({"samples": series(8, 8)}))
    both = [line("a", series(1, 2), clock), line("b", series(1, 2), BARE)]
    assert list(read(Chart("x", "X", both[:1]))["axes"].items()) == [("step", "steps"), ("samples", "samples")]
    assert read(Chart("x", "X", both))["axes"] == {"step": "steps"}


def test_other_axes_than_those_of_a_run_can_be_given() -> None:
    dots = Line("runs", Trace({"lr": [0.1, 0.2]}, [1.0, 2.0]), dots=True)
    assert read(Chart("scatter", "Scatter", [dots], axes={"lr": "learning rate"}))["axes"] == {"lr": "learning rate"}


def test_no_text_can_leave_the_data_of_a_chart() -> None:
    evil = "</script><script>alert(1)</script>&amp;<!--"
    chart = Chart("loss", evil, [line(evil, series(1.0), BARE)], marks=[mark(1, evil, BARE)])
    assert "<" not in chart.data
    assert read(chart)["title"] == evil
    page = rendered("{{ c.figure(chart) }}", chart=chart)
    assert page.count("<script") == 1


def test_numbers_are_short_and_steps_exact() -> None:
    made = line("loss", Series.of([12_345_678], [1 / 3]), BARE)
    assert (made.trace.xs["step"], made.trace.ys) == ([12_345_678], [0.333333])
    assert '"ys":[0.333333]' in replace(Chart("x", "X", [made])).data


def test_the_only_script_that_may_run_is_ours() -> None:
    page = rendered("{{ c.head() }}{{ c.foot() }}")
    script = page[page.index("<script>") + 8 : page.rindex("</script>")]
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert script == chart_script()
    assert "</script" not in script
    assert f"script-src 'sha256-{digest}'" in content_policy()
    assert "default-src 'none'" in content_policy()
    assert "Leon Sorokin" in script
    assert not re.search(r"\beval\(|new Function|XMLHttpRequest|fetch\(|import\(|WebSocket", script)
