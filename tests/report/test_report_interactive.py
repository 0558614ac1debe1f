"""Which charts a run's page has, and what is marked in them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from fake_run import write_run

from loopwright.report.charts import Chart
from loopwright.report.clock import Clock
from loopwright.report.content import gather
from loopwright.report.history import History, Series
from loopwright.report.interactive import draw_charts
from loopwright.report.overfitting import Onset
from loopwright.report.plots import draw_plots
from loopwright.report.record import Record


@pytest.fixture(scope="module")
def record(tmp_path_factory: pytest.TempPathFactory) -> Record:
    return Record.load(write_run(tmp_path_factory.mktemp("run")))


def charts(record: Record, found: Onset | None = None) -> dict[str, list[Chart]]:
    return draw_charts(record, Clock.of(record.history, 20.0), found)


def test_every_static_plot_has_its_charts(record: Record) -> None:
    found = gather(record)
    drawn = {name: [chart.title for chart in made] for name, made in found.charts.items() if made}
    assert list(drawn) == [plot.name for plot in found.plots]
    assert drawn["metrics"] == ["accuracy", "macro_f1", "nll"]


def test_training_and_validation_are_drawn_together_with_the_best_and_the_last(record: Record) -> None:
    (loss,) = charts(record)["loss"]
    assert [(line.name, line.color) for line in loss.lines] == [("training", 1), ("validation", 2)]
    assert [(spot.kind, spot.x["step"], spot.x["epoch"]) for spot in loss.lines[1].spots] == [
        ("last", 440, 20),
        ("best", 286, 13),
    ]
    assert loss.lines[0].averaged is not None
    assert loss.lines[1].averaged is None
    assert list(loss.common_axes()) == ["step", "epoch", "samples", "seconds"]


def test_the_onset_of_overfitting_and_what_the_doctor_saw_are_marked(record: Record) -> None:
    findings = [
        {"severity": "error", "cause": "non-finite", "step": 300},
        {"severity": "info", "cause": "lr-too-small", "step": 4},
        {"severity": "warning", "cause": "far away", "step": 10**9},
    ]
    onset = Onset(286, "worsens", 0.1, 0.2, 0.1, 0.01)
    (loss,) = charts(replace(record, findings=findings), onset)["loss"]
    assert [(mark.label, mark.x["step"], mark.tone) for mark in loss.marks] == [
        ("overfitting from step 286", 286, "warn"),
        ("non-finite, step 300", 300, "bad"),
    ]
    assert "overfitting from step 286" in draw_plots(record, onset)[0].svg


def test_the_parts_of_a_loss_are_drawn_where_there_are_several() -> None:
    steps = np.arange(1.0, 101)
    names = ("loss", "loss.next", "loss.class")
    history = History({name: Series(steps, 1 / steps) for name in names})
    several = Record(Path("x"), {}, "", "", {}, {}, None, history, [])
    (made,) = charts(several)["components"]
    assert [(line.name, line.color) for line in made.lines] == [("class", 1), ("next", 2)]
    assert [plot.name for plot in draw_plots(several)] == ["loss", "components"]
    one = replace(several, history=History({name: history.curves[name] for name in names[:2]}))
    assert charts(one)["components"] == []
    assert [plot.name for plot in draw_plots(one)] == ["loss"]


def test_nothing_recorded_is_nothing_drawn(tmp_path: Path) -> None:
    assert not any(charts(Record.load(tmp_path)).values())
