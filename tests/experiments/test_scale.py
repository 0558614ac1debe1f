from __future__ import annotations

import json
import math
import re
from dataclasses import replace

import pytest

from loopwright.core import SGD, Experiment, Study
from loopwright.experiments.scale import points_scale
from loopwright.running import Origin, Watchers
from loopwright.running.studying import train_study
from loopwright.studies.scale import Measured, conclusion, fitted
from tests.experiments.members import concluded


def tiny(study: Study, *names: str, **changes: object) -> Study:
    """Only the members called `names`, with a few steps each."""
    members = [replace(study.member(name), **{"steps": 20, "eval_every": 20, **changes}) for name in names]
    return replace(study, members=tuple(members))


def run(n: int, batch_size: int, step_seconds: float = 1e-3, noise: float = 0.1) -> Measured:
    """A run whose steps all take the same time."""
    epoch_seconds = step_seconds * math.ceil(n / batch_size)
    return Measured(n, batch_size, 100, step_seconds, epoch_seconds, loss=0.1, accuracy=0.9, noise=noise, spike=1.0)


def shape(member: Experiment) -> tuple[int, int]:
    return member.task.data.size("train"), member.batch_size


def test_sizes_and_batch_sizes_are_crossed_where_a_batch_fits():
    study = points_scale()
    shapes = [shape(member) for member in study.members]
    assert shapes == [(n, b) for n in (100, 1_000, 10_000, 100_000) for b in (32, 256, 1_024) if b <= n]
    assert len({member.name for member in study.members}) == len(shapes)
    assert len({(replace(member, name="", task=None, batch_size=1)) for member in study.members}) == 1
    # an epoch of the largest set in the smallest batches is seen whole
    assert all(member.cadence().total >= member.cadence().epoch for member in study.members)


def test_a_table_and_a_picture_conclude_the_study(tmp_path):
    study = tiny(points_scale(), "n100-batch32", "n1000-batch32", "n1000-batch256")
    table = concluded(study, tmp_path)
    assert table["name"] == "scale.json"
    rows = [dict(zip(table["columns"], row, strict=True)) for row in table["rows"]]
    assert [(row["n"], row["batch size"], row["steps"]) for row in rows] == [
        (100, 32, 20),
        (1000, 32, 20),
        (1000, 256, 20),
    ]
    for row in rows:
        assert row["seconds per epoch"] == pytest.approx(math.ceil(row["n"] / row["batch size"]) / row["steps/s"])
        assert row["samples/s"] == pytest.approx(row["n"] / row["seconds per epoch"])
        assert 0 < row["final loss"] < 1
        assert 0 < row["accuracy"] <= 1
        assert row["loss noise"] > 0
        assert row["largest spike"] > 0
    assert rows[0]["slope"] == rows[1]["slope"]
    assert isinstance(rows[0]["slope"], float)
    assert rows[2]["slope"] == "nan"
    for words in ("grows as n to the power of", "least stable", "the accuracy went from", "Loss noise:"):
        assert words in table["note"]
    assert (tmp_path / "artifacts/scaling.svg").read_text().startswith("<?xml")


def test_a_run_that_failed_is_named_and_left_out(tmp_path):
    """Through the real study: a member that diverges must not end the others."""
    diverging = tiny(points_scale(), "n100-batch32", optimizer=SGD(lr=1e30), clip_norm=0.0)
    fine = tiny(points_scale(), "n1000-batch32")
    study = replace(fine, members=diverging.members + fine.members)
    run = train_study(study, tmp_path, Watchers(), Origin("points-scale"))
    table = json.loads((run / "artifacts/scale.json").read_text())
    assert [row[0] for row in table["rows"]] == [1000]
    assert re.search("n100-batch32 is left out, failed with step [0-9]: step [0-9]+: loss .*; stopped", table["note"])


def test_a_run_of_one_step_is_too_short_to_be_timed(tmp_path):
    table = concluded(tiny(points_scale(), "n100-batch32", steps=1), tmp_path)
    assert table["rows"] == []
    assert "n100-batch32 is left out, finished with step 1: one step is too short to be timed." in table["note"]


def test_steps_of_equal_length_make_time_proportional_to_n():
    runs = [run(n, 32) for n in (3_200, 32_000, 320_000)]
    assert fitted(runs) == {32: pytest.approx(1.0)}
    assert "1.00 at batch size 32: in proportion to n" in conclusion(runs, fitted(runs))[0]


def test_steps_that_slow_down_with_n_are_noticed():
    runs = [run(n, 32, step_seconds=1e-6 * n) for n in (3_200, 32_000, 320_000)]
    assert fitted(runs) == {32: pytest.approx(2.0)}
    assert "2.00 at batch size 32: not in proportion at batch size 32." in conclusion(runs, fitted(runs))[0]


def test_the_noisiest_batch_size_of_the_largest_set_is_the_least_stable():
    runs = [run(100, 32, noise=9.0), run(10_000, 32, noise=0.2), run(10_000, 256, noise=0.5, step_seconds=2e-3)]
    sentences = conclusion(runs, fitted(runs))
    assert (
        "On 10,000 points a step of 256 takes 2.0 times as long as one of 32, an epoch 0.26 times as long." in sentences
    )
    assert "There batch size 256 was the least stable (loss noise 0.2 at 32, 0.5 at 256)." in sentences


def test_of_one_run_nothing_is_concluded():
    assert conclusion([run(100, 32)], {}) == []
    assert fitted([run(100, 32)]) == {}
