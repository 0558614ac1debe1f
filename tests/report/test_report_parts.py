"""The parts of a report: numbers as text, tables, pictures, claims, markdown."""

from __future__ import annotations

import doctest
import math
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import pytest
from fake_pictures import png
from fake_run import append_history, step_record, validation_record, write_json, write_run

from loopwright.report import artifacts, grids, values
from loopwright.report.clock import Clock
from loopwright.report.content import gather
from loopwright.report.ink import render
from loopwright.report.markdown import render_markdown
from loopwright.report.marking import escape, fenced
from loopwright.report.overfitting import Onset
from loopwright.report.page import render_page
from loopwright.report.record import Record
from loopwright.report.verdict import judge
from loopwright.values import number, whole


@pytest.fixture(scope="module")
def record(tmp_path_factory: pytest.TempPathFactory) -> Record:
    return Record.load(write_run(tmp_path_factory.mktemp("run"), steps=88))


def confusion(title: str, columns: list[str], rows: list[list[object]]) -> grids.Grid:
    grid = grids.from_file({"title": title, "columns": columns, "rows": rows}, "t.json")
    assert grid is not None
    return grid


def test_the_examples_in_the_docstrings_hold() -> None:
    assert doctest.testmod(values).failed == 0


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.99, "0.9900"), (1.0, "1.000"), (12.0, "12.00"), (1234.5, "1234"), (0.0, "0"), (3e-7, "3e-07"), (None, "–")],
)
def test_metrics_show_four_digits_that_line_up(value: float | None, text: str) -> None:
    assert values.show_metric(value) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.4213, "0.421 s"), (12.34, "12.3 s"), (125.0, "2 min 05 s"), (4320.0, "1 h 12 min"), (math.nan, "NaN")],
)
def test_durations_read_like_durations(seconds: float, text: str) -> None:
    assert values.show_seconds(seconds) == text


def test_values_of_any_type_have_a_text() -> None:
    shown = [values.show(value) for value in (None, True, 10**40, -math.inf, [1, "a"], {"a": 0.5}, 1e6)]
    assert shown == ["–", "yes", "1e+40", "−∞", "1, a", "a 0.5", "1,000,000"]
    assert number(10**400) == math.inf
    assert whole(math.nan) is None


def test_a_confusion_matrix_is_shaded_by_what_is_right_and_what_is_wrong() -> None:
    grid = confusion("Confusion matrix", ["true", "a", "b"], [["a", 100, 0], ["b", 25, 75]])
    assert grid.kind == "matrix"
    shades = [[(cell.shade, cell.percent) for cell in row[1:]] for row in grid.rows]
    assert shades == [[("hit", 62), ("", 0)], [("miss", 31), ("hit", 54)]]


def test_a_square_whose_labels_are_the_same_both_ways_is_a_confusion_matrix() -> None:
    assert confusion("Digits", ["", "0", "1"], [[0, 3, 0], [1, 0, 4]]).kind == "matrix"


def test_a_square_of_other_numbers_is_not_shaded() -> None:
    grid = confusion("Scaling", ["n", "seconds"], [[100, 0.5], [200, 0.9]])
    assert grid.kind == ""
    assert all(cell.shade == "" for row in grid.rows for cell in row)


def test_a_column_of_floats_has_one_number_of_decimals() -> None:
    grid = confusion("Per class", ["class", "recall"], [["a", 1.0], ["b", 0.98], ["c", 0.9123]])
    assert [row[1].text for row in grid.rows] == ["1.0000", "0.9800", "0.9123"]
    assert grid.rows[2][1].full == "0.9123"
    assert grid.numeric == [False, True]


def test_columns_over_many_magnitudes_keep_their_own_digits() -> None:
    assert [row[0].text for row in confusion("x", ["v"], [[1e-7], [1.5], [0.0]]).rows] == ["1e-07", "1.5", "0"]


def test_a_long_table_is_cut_and_says_so() -> None:
    grid = confusion("x", ["v"], [[number] for number in range(1000)])
    assert len(grid.rows) == 300
    assert grid.note == "The first 300 of 1,000 rows."


@pytest.mark.parametrize(
    "content", [{}, {"columns": ["a"]}, {"columns": "a", "rows": []}, {"columns": [], "rows": [1]}]
)
def test_json_that_is_no_table_is_left_alone(content: dict[str, object]) -> None:
    assert grids.from_file(content, "x.json") is None


def test_pictures_and_tables_come_by_name(tmp_path: Path) -> None:
    folder = tmp_path / "artifacts"
    folder.mkdir()
    (folder / "b_wide-picture.png").write_bytes(png(40, 10))
    (folder / "a.svg").write_text('<svg viewBox="0 0 10.5 10"/>')
    (folder / "notes.txt").write_text("nothing")
    write_json(folder / "other.json", {"a": 1})
    (folder / "torn.json").write_text('{"columns": ')
    notes: list[str] = []
    found = artifacts.pictures(tmp_path, notes)
    assert [(picture.title, picture.wide) for picture in found] == [("A", False), ("B wide picture", True)]
    assert artifacts.grids(tmp_path, notes) == []
    assert notes == ["artifacts/torn.json is damaged: it is not JSON"]


def test_a_link_among_the_artifacts_does_not_bring_in_a_file_from_elsewhere(tmp_path: Path) -> None:
    (tmp_path / "artifacts").mkdir()
    (tmp_path / "secret.png").write_bytes(png(1, 1))
    (tmp_path / "artifacts" / "secret.png").symlink_to(tmp_path / "secret.png")
    assert artifacts.pictures(tmp_path, []) == []


def test_a_huge_picture_is_named_instead_of_shown(tmp_path: Path) -> None:
    (tmp_path / "artifacts").mkdir()
    with (tmp_path / "artifacts" / "huge.png").open("wb") as file:
        file.truncate(9_000_000)
    notes: list[str] = []
    assert artifacts.pictures(tmp_path, notes) == []
    assert notes == ["artifacts/huge.png is too large for this page (9.0 MB)"]


@pytest.mark.parametrize(
    ("holds", "pill"),
    [
        ([True], "claim holds"),
        ([True, True], "all claims hold"),
        ([False], "claim missed"),
        ([None, True], "1 of 2 claims open"),
    ],
)
def test_the_claims_in_a_word(record: Record, holds: list[bool | None], pill: str) -> None:
    claims = [{"metric": "m", "at_least": 1, "reached": 1, "holds": each} for each in holds]
    verdict = judge(replace(record, metrics={"status": "finished", "claims": claims}), None)
    assert [text for text, _ in verdict.pills] == ["finished", pill, "no findings"]


@pytest.mark.parametrize(
    ("severities", "pills"),
    [
        (None, [("not examined", "calm")]),
        ([], [("no findings", "good")]),
        (["error", "warning", "warning", "info"], [("1 error", "bad"), ("2 warnings", "warn"), ("1 note", "calm")]),
    ],
)
def test_the_findings_are_counted_at_the_top(
    record: Record, severities: list[str] | None, pills: list[tuple[str, str]]
) -> None:
    findings = None if severities is None else [{"severity": severity, "cause": "x"} for severity in severities]
    assert judge(replace(record, metrics={}, findings=findings), None).pills[1:] == pills


def test_overfitting_is_told_with_its_step_its_epoch_and_its_reason(record: Record) -> None:
    found = Onset(44, "worsens", 0.2, 0.5, 0.1, 0.01)
    verdict = judge(record, 44, found, Clock.of(record.history, 4.0))
    assert ("overfits", "warn") in verdict.pills
    assert verdict.remarks == [
        "Overfitting from step 44, epoch 2: validation is best at step 44 (0.2000) and rises to 0.5000 "
        "(median of the last), while training falls from 0.1000 to 0.01000."
    ]


def test_a_finished_run_without_claims_says_so(record: Record) -> None:
    finished = {"status": "finished", "steps": 1, "epochs": 0.5}
    assert (
        judge(replace(record, metrics=finished), None).sentence == "1 step, 0.5 epochs. This experiment claims nothing."
    )
    dropped = finished | {"claims_dropped": "steps was changed"}
    assert judge(replace(record, metrics=dropped), None).sentence.endswith("Claims are not judged: steps was changed")


def test_a_failed_run_says_where_its_numbers_ceased_to_be_finite(tmp_path: Path) -> None:
    (tmp_path / "logs").mkdir()
    steps = (step_record(1, 2.3), step_record(2, "nan", grad_norm="inf"), step_record(3, "nan"))
    append_history(tmp_path, *steps, validation_record(3, loss="inf"))
    write_json(tmp_path / "metrics.json", {"status": "failed", "reason": "the loss of step 2 is nan"})
    assert judge(Record.load(tmp_path), None).alarms == [
        "The loss of step 2 is nan.",
        "The training loss is not finite at 2 steps, the first is step 2.",
        "The gradient norm is not finite at step 2.",
        "The validation loss is not finite at step 3.",
    ]


def test_an_interrupted_run_says_how_to_go_on_and_alarms_nobody(record: Record) -> None:
    metrics = {"status": "interrupted", "reason": "stopped after step 3 and saved; go on with: loopwright resume x"}
    verdict = judge(replace(record, metrics=metrics), None)
    assert (verdict.alarms, verdict.remarks) == ([], [metrics["reason"]])


def test_a_resume_that_was_not_exact_is_an_alarm(tmp_path: Path) -> None:
    (tmp_path / "logs").mkdir()
    append_history(tmp_path, {"kind": "event", "step": 3, "event": "differs", "recorded": step_record(3, 1.0)})
    alarm = "After a resume, 1 of the lines written before came out different."
    assert judge(Record.load(tmp_path), None).alarms == [alarm]


def test_progress_joins_validations_and_epochs_and_marks_the_best(record: Record) -> None:
    grid = grids.progress(record, 44)
    assert grid is not None
    assert grid.columns[:4] == ["step", "epoch", "train loss", "val loss"]
    assert grid.columns[-2:] == ["lr", "gradient norm"]
    assert [row[0].text for row in grid.rows] == ["22", "44", "66", "88"]
    assert grid.marked == {1}


def test_a_long_progress_table_is_thinned_but_keeps_the_best_and_the_last(record: Record) -> None:
    epochs = [{"step": step, "epoch": step, "train_loss": 1.0} for step in range(1, 1001)]
    history = replace(record.history, epochs=epochs, validations=[])
    grid = grids.progress(replace(record, history=history), 500)
    assert grid is not None
    steps = [int(row[0].text.replace(",", "")) for row in grid.rows]
    assert len(steps) < 303
    assert {1, 500, 1000} <= set(steps)
    assert "of 1,000 rows are shown" in grid.note


def test_markdown_keeps_its_shape_whatever_the_text(record: Record) -> None:
    content = gather(replace(record, history=type(record.history)()))
    text = render_markdown(replace(content, experiment="a|b\n# c <d>", config="```\nx\n```", notes=["`a` | *b*"]))
    assert text.startswith("<!-- made by loopwright report -->\n\n# a\\|b \\# c \\<d\\>, run ")
    assert "````toml\n```\nx\n```\n````" in text
    assert "- \\`a\\` \\| \\*b\\*" in text


def test_control_characters_out_of_files_are_shown_not_obeyed() -> None:
    assert escape("a\x1b[31mb") == "a␛\\[31mb"
    assert fenced("a\x1b[31m\tb\nc\r") == "```\na␛[31m\tb\nc\n```"


def test_signs_that_a_browser_would_obey_are_shown_in_pages_markdown_and_drawings(record: Record) -> None:
    content = gather(record)
    odd = replace(content, experiment="a\x1b[31m\u202eb\x85", notes=["c\u2066d"])
    page, text = render_page(odd), render_markdown(odd)
    for made in (page, text):
        assert not set("\x1b\u202e\u2066\x85") & set(made)
        assert "U+202E" in made
    drawing = render(lambda figure: figure.subplots().set_title("loss\x1b\u4f60"), 100, 100)
    assert "\x1b" not in drawing
    assert ElementTree.fromstring(drawing).tag.endswith("svg")


def test_a_sign_that_the_layout_has_no_letter_for_is_no_warning(recwarn) -> None:
    render(lambda figure: figure.subplots().set_title("\u4f60\u597d"), 100, 100)
    assert [str(one.message) for one in recwarn if "Glyph" in str(one.message)] == []
