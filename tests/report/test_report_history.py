"""Reading a run's directory: what is there is read exactly, what is not is named."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest
from fake_run import append_history, step_record, validation_record, write_run
from hypothesis import given, settings
from hypothesis import strategies as st

from loopwright.errors import RunError
from loopwright.report.history import History, Series
from loopwright.report.record import Record


def history(tmp_path: Path, *records: dict[str, object]) -> History:
    (tmp_path / "logs").mkdir()
    append_history(tmp_path, *records)
    return History.load(tmp_path / "logs" / "history.jsonl", [])


def test_every_file_of_a_run_is_read(tmp_path: Path) -> None:
    record = Record.load(write_run(tmp_path / "digits-cnn" / "003"))
    assert record.notes == []
    assert record.experiment == "digits-cnn"
    assert record.deciding == ("accuracy", "max")
    assert record.config["optimizer"]["lr"] == 0.001
    assert record.env["torch"] == "2.13.0+cpu"
    assert record.findings == []
    assert len(record.history.curve("loss")) == 440
    assert len(record.history.validations) == len(record.history.epochs) == 20
    assert record.history.last_step == 440


def test_a_directory_that_does_not_exist_is_an_error_that_says_so(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="no such directory; name a run directory"):
        Record.load(tmp_path / "nowhere")


def test_what_is_missing_is_listed(tmp_path: Path) -> None:
    record = Record.load(tmp_path)
    named = {"config.toml", "env.json", "metrics.json", "findings.json", "logs/history.jsonl"}
    assert set(record.notes) == {f"{name} is missing" for name in named}
    assert record.findings is None


def test_what_is_damaged_is_listed(tmp_path: Path) -> None:
    run = write_run(tmp_path / "run", steps=30)
    for name in ("config.toml", "env.json", "metrics.json", "findings.json"):
        (run / name).write_text((run / name).read_text()[:-3] + "[ = {")
    record = Record.load(run)
    assert [note.split(" is damaged")[0] for note in record.notes] == [
        "env.json",
        "config.toml",
        "metrics.json",
        "findings.json",
    ]


def test_what_the_system_does_not_let_be_read_is_listed(tmp_path: Path) -> None:
    (tmp_path / "metrics.json").mkdir()
    (tmp_path / "logs" / "history.jsonl").mkdir(parents=True)
    notes = Record.load(tmp_path).notes
    assert "metrics.json could not be read: Is a directory" in notes
    assert "logs/history.jsonl could not be read: Is a directory" in notes


def test_a_torn_last_line_costs_only_itself(tmp_path: Path) -> None:
    run = write_run(tmp_path / "run", steps=30)
    path = run / "logs" / "history.jsonl"
    path.write_bytes(path.read_bytes() + b'{"kind":"step","step":31,"lo')
    record = Record.load(run)
    assert len(record.history.curve("loss")) == 30
    assert record.notes == ["logs/history.jsonl: one line could not be read, the first is line 33"]


@settings(deadline=None)
@given(cut=st.integers(0, 700))
def test_a_history_cut_anywhere_gives_the_lines_before_the_cut(
    tmp_path_factory: pytest.TempPathFactory, cut: int
) -> None:
    path = tmp_path_factory.getbasetemp() / "cut.jsonl"
    lines = [json.dumps(step_record(step, 1.0)).encode() for step in (1, 2, 3, 4)]
    path.write_bytes(b"\n".join(lines)[:cut])
    complete = sum(cut >= sum(map(len, lines[: count + 1])) + count for count in range(4))
    assert len(History.load(path, []).curve("loss")) == complete


def test_lines_that_are_no_records_are_noted_with_their_number(tmp_path: Path) -> None:
    path, notes = tmp_path / "history.jsonl", []
    path.write_bytes(b'{"kind":"step"}\n\x00\x00\n\n[1]\n"text"\n\xff\xfe\n' + b"[" * 100_000 + b"\n")
    History.load(path, notes)
    assert notes == [f"{tmp_path.name}/history.jsonl: 5 lines could not be read, the first is line 2"]


def test_non_finite_numbers_are_floats_again(tmp_path: Path) -> None:
    read = history(tmp_path, step_record(1, "nan", grad_norm="inf", lr="-inf"), validation_record(1, loss="inf"))
    assert math.isnan(read.curve("loss").values[0])
    assert read.curve("grad_norm").values.tolist() == [math.inf]
    assert read.curve("lr").values.tolist() == [-math.inf]
    assert read.validation("loss").values.tolist() == [math.inf]


def test_steps_written_again_after_a_resume_count_once_and_the_later_stays(tmp_path: Path) -> None:
    first = [step_record(step, 1.0) for step in (1, 2, 3, 4)]
    again = [step_record(step, 2.0) for step in (3, 4, 5)]
    read = history(tmp_path, *first, validation_record(3, loss=1.0), *again, validation_record(3, loss=2.0))
    assert read.curve("loss").steps.tolist() == [1, 2, 3, 4, 5]
    assert read.curve("loss").values.tolist() == [1, 1, 2, 2, 2]
    assert read.validation("loss").values.tolist() == [2]


def test_the_time_of_an_evaluation_is_not_the_time_of_the_step_after_it(tmp_path: Path) -> None:
    evaluation = validation_record(2, loss=1.0) | {"seconds": 5.0}
    steps = [step_record(1, 1.0, seconds=0.5), step_record(2, 1.0, seconds=1.0)]
    read = history(tmp_path, *steps, evaluation, step_record(3, 1.0, seconds=5.5))
    assert read.curve("busy_seconds").values.tolist() == [0.5, 0.5, 0.5]


def test_a_quantity_that_some_steps_lack_has_only_the_others(tmp_path: Path) -> None:
    bare = {"kind": "step", "step": 2, "loss": 3}
    read = history(tmp_path, step_record(1, 1.0), bare, {"kind": "step", "loss": 1}, {"kind": "step", "step": "x"})
    assert read.curve("loss").steps.tolist() == [1, 2]
    assert read.curve("lr").steps.tolist() == [1]
    assert len(read.curve("unknown")) == 0


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(1, 50), st.floats()), max_size=60))
def test_a_series_keeps_the_last_value_of_each_step_in_order(written: list[tuple[int, float]]) -> None:
    series = Series.of([step for step, _ in written], [value for _, value in written])
    latest = dict(written)
    np.testing.assert_array_equal(series.steps, sorted(latest))
    np.testing.assert_array_equal(series.values, [latest[step] for step in sorted(latest)])
