"""The plots: complete, small, and the same bytes for the same record."""

from __future__ import annotations

import math
import xml.etree.ElementTree as ElementTree
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from fake_run import append_history, step_record, validation_record, write_run
from hypothesis import given, settings
from hypothesis import strategies as st

from loopwright.report.history import History, Series
from loopwright.report.plots import Plot, best_step, clip_norm, draw_plots
from loopwright.report.record import Record


def texts(svg: str) -> list[str]:
    root = ElementTree.fromstring(svg)
    return ["".join(node.itertext()) for node in root.iter("{http://www.w3.org/2000/svg}text")]


def long_record(tmp_path: Path, count: int) -> Record:
    steps, noise = np.arange(1, count + 1, dtype=np.float64), np.random.default_rng(0).lognormal(size=count)
    names = ("loss", "lr", "grad_norm", "samples", "busy_seconds")
    curves = {name: Series(steps, noise) for name in names}
    validations = [validation_record(step, loss=1 / step, accuracy=1 - 1 / step) for step in range(100, count, 100)]
    return replace(Record.load(tmp_path), history=History(curves, validations))


@pytest.fixture(scope="module")
def record(tmp_path_factory: pytest.TempPathFactory) -> Record:
    return Record.load(write_run(tmp_path_factory.mktemp("run")))


@pytest.fixture(scope="module")
def plots(record: Record) -> dict[str, Plot]:
    return {plot.name: plot for plot in draw_plots(record)}


def test_a_run_has_its_five_plots(plots: dict[str, Plot]) -> None:
    assert list(plots) == ["loss", "metrics", "learning_rate", "gradient_norm", "throughput"]


def test_the_same_record_gives_the_same_bytes(record: Record, plots: dict[str, Plot]) -> None:
    assert draw_plots(record) == list(plots.values())


def test_loss_shows_training_and_validation_with_the_best_and_the_last_step(plots: dict[str, Plot]) -> None:
    labels = " ".join(texts(plots["loss"].svg))
    assert "training 0.02" in labels
    assert "validation 0.09528" in labels
    assert "best, step 286" in labels


def test_the_deciding_metric_comes_first_and_says_so(plots: dict[str, Plot]) -> None:
    titles = [text for text in texts(plots["metrics"].svg) if text[0].isalpha() and text != "step"]
    assert titles == ["accuracy · decides (max)", "macro_f1", "nll"]


def test_a_million_steps_make_small_files(tmp_path: Path) -> None:
    for plot in draw_plots(long_record(tmp_path, 1_000_000)):
        assert len(plot.svg) < 300_000, plot.name


def test_values_that_are_not_finite_are_marked_and_counted(tmp_path: Path) -> None:
    run = write_run(tmp_path, steps=100)
    append_history(run, *(step_record(step, "nan") for step in range(101, 111)))
    assert "not finite (10)" in texts(draw_plots(Record.load(run))[0].svg)


def test_a_loss_that_is_never_finite_is_still_drawn(tmp_path: Path) -> None:
    (tmp_path / "logs").mkdir()
    append_history(tmp_path, step_record(1, "nan"), step_record(2, "inf"))
    assert "no finite value" in texts(draw_plots(Record.load(tmp_path))[0].svg)


def test_one_step_is_enough_for_a_plot(tmp_path: Path) -> None:
    (tmp_path / "logs").mkdir()
    append_history(tmp_path, step_record(1, 2.3))
    assert "training 2.300" in texts(draw_plots(Record.load(tmp_path))[0].svg)


def test_nothing_recorded_is_nothing_drawn(tmp_path: Path) -> None:
    assert draw_plots(Record.load(tmp_path)) == []


def test_the_clipping_threshold_is_drawn_when_there_is_one(record: Record, plots: dict[str, Plot]) -> None:
    assert clip_norm(record) == 1.0
    assert plots["gradient_norm"].caption == "Before clipping. Dashed: clipped at 1."
    assert clip_norm(replace(record, config={"clip_norm": 0.0})) is None
    assert clip_norm(replace(record, config={})) is None


def test_without_a_summary_the_best_step_follows_from_the_config_and_the_history(record: Record) -> None:
    unfinished = replace(record, metrics={})
    assert best_step(unfinished) == best_step(record) == 286
    lowest = replace(unfinished, config={"metric": "loss", "mode": "min"})
    losses = record.history.validation("loss")
    assert best_step(lowest) == losses.steps[losses.values.argmin()]
    assert best_step(replace(unfinished, config={})) is None


@settings(max_examples=5, deadline=None)
@given(st.lists(st.floats(), min_size=1, max_size=6))
def test_any_numbers_can_be_drawn(values: list[float]) -> None:
    steps = np.arange(1.0, len(values) + 1)
    curve = Series(steps, np.array(values))
    curves = dict.fromkeys(("loss", "lr", "grad_norm", "samples", "busy_seconds"), curve)
    validations = [validation_record(step, loss=value, m=value) for step, value in enumerate(values, 1)]
    empty = Record(Path("runs/x/001"), {}, "", "", {}, {}, None, History(curves, validations), [])
    for plot in draw_plots(empty):
        ElementTree.fromstring(plot.svg)


def test_more_metrics_than_there_are_panels_are_counted() -> None:
    metrics = {f"metric {number}": number for number in range(8)} | {"z": math.inf}
    record = Record(
        Path("x"), {"metric": "z"}, "", "", {}, {}, None, History({}, [validation_record(3, **metrics)]), []
    )
    (plot,) = draw_plots(record)
    assert plot.caption.endswith("3 more are in the table.")
    assert next(text for text in texts(plot.svg) if text.startswith(("metric", "z"))).startswith("z")
    five = replace(record.history, validations=[validation_record(3, **dict(list(metrics.items())[:5]))])
    assert draw_plots(replace(record, history=five))[0].caption == ""
