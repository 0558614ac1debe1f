"""Histories are read fast, from their cache where there is one, and never other than json reads them."""

from __future__ import annotations

import io
import json
import os
from pathlib import Path

import numpy as np
import pytest
from fake_run import append_history, step_record, validation_record
from hypothesis import given, settings
from hypothesis import strategies as st

from loopwright.lines import MAX_LINE_BYTES, beginnings, blocks, parse, to_line
from loopwright.report import cache, history
from loopwright.report.columns import LAYOUTS, Columns, Reading
from loopwright.report.history import History, curves_of
from loopwright.report.layout import Layout

NUMBERS = st.floats() | st.integers(-5, 10**20)


@st.composite
def lines(draw: st.DrawFn) -> bytes:
    """Lines as the journal writes them, in one of a few layouts, some of them of other kinds."""
    names = draw(st.sampled_from([["total"], ["total", "a"], ["total", "a", "b"], ["a", 'q"\\\u00e9']]))
    extra = draw(st.sampled_from([{}, {"note": "x 1.5"}, {"list": [1, 2.5]}, {"on": True, "none": None}]))
    written = []
    for step in range(1, draw(st.integers(1, 12))):
        loss = {name: draw(NUMBERS) for name in names}
        record = {"kind": "step", "step": step, "epoch": step // 4, "lr": draw(NUMBERS), "samples": 64, "loss": loss}
        record |= {"grad_norm": draw(NUMBERS), "seconds": draw(NUMBERS), **extra}
        written.append(to_line(record))
        if draw(st.booleans()):
            written.append(to_line({"kind": "validation", "step": step, "metrics": loss, "seconds": step}))
    return ("\n".join(written) + "\n").encode()


@st.composite
def spoiled(draw: st.DrawFn) -> bytes:
    """The same with some bytes replaced, left out, put in or cut off."""
    text = draw(lines())
    for _ in range(draw(st.integers(0, 4))):
        place, instead = (
            draw(st.integers(0, len(text))),
            draw(st.sampled_from(list('01.-+eE"{}[],: \n\\x')) | st.just("")),
        )
        text = text[:place] + instead.encode() + text[place + draw(st.integers(0, 2)) :]
    return text[: draw(st.integers(0, len(text)))] if draw(st.booleans()) else text


def reading(text: bytes, size: int, *, tried: int = 0) -> Reading:
    found = Reading(tried=tried)
    for block in blocks(io.BytesIO(text), size):
        found.read(block)
    return found


def assert_same_columns(ours: Columns, theirs: Columns) -> None:
    np.testing.assert_array_equal(ours.steps, theirs.steps)
    assert set(ours.values) == set(theirs.values)
    for name in ours.values:
        np.testing.assert_array_equal(ours.values[name], theirs.values[name])
        np.testing.assert_array_equal(ours.absent[name], theirs.absent[name])


@settings(deadline=None, max_examples=400)
@given(spoiled(), st.sampled_from([50, 400, 1 << 20]))
def test_the_pattern_of_the_lines_finds_what_json_finds(text: bytes, size: int) -> None:
    fast, slow = reading(text, size), reading(text, size, tried=LAYOUTS)
    assert_same_columns(fast.columns(), slow.columns())
    assert (fast.lines, fast.lost, fast.first_lost, repr(fast.before), repr(fast.others)) == (
        slow.lines,
        slow.lost,
        slow.first_lost,
        repr(slow.before),
        repr(slow.others),
    )


def test_the_lines_of_the_journal_are_read_by_the_pattern() -> None:
    record = step_record(1, 0.5, seconds=1e-7, lr=1e22)
    layout = Layout.of(to_line(record).encode(), record)
    assert layout is not None
    for other in (step_record(999, 1.25e-300), step_record(10**12, -3, samples=0)):
        assert layout.fits(to_line(other).encode())
    for other in (step_record(2, "nan"), validation_record(1, loss=1.0), step_record(2, 1.0, more=1)):
        assert not layout.fits(to_line(other).encode())


@pytest.mark.parametrize(
    "line",
    [
        '{"kind":"step","step":1,"step":2}',
        '{"kind":"step","step":1,"lr":NaN}',
        '{"kind":"step","step":1,"lr":"nan"}',
        '{"lr":1,"kind":"step","step":1}',
        '{"kind":"epoch","step":1}',
        '{"kind":"step","step":1.5}',
        '{"kind":"step","step":1,"x":"' + "y" * 10_000 + '"}',
    ],
)
def test_of_a_line_that_is_not_plain_nothing_is_learned(line: str) -> None:
    assert Layout.of(line.encode(), json.loads(line)) is None


def test_components_have_curves_where_there_are_several(tmp_path: Path) -> None:
    (tmp_path / "logs").mkdir()
    parts = {"total": 3.0, "a": 1.0, "b": 2.0}
    append_history(tmp_path, *(step_record(step, 0) | {"loss": parts} for step in (1, 2)))
    path = tmp_path / "logs" / "history.jsonl"
    found = History.load(path, notes := [])
    assert notes == []
    assert found.curve("loss").values.tolist() == [3, 3]
    assert found.curve("loss.a").values.tolist() == [1, 1]
    assert found.curve("loss.b").values.tolist() == [2, 2]
    assert found.curve("seconds").values.tolist() == [0.01, 0.02]
    assert found.curve("epoch").values.tolist() == [0, 0]


def test_a_loss_of_one_component_has_no_curve_for_it(tmp_path: Path) -> None:
    (tmp_path / "logs").mkdir()
    append_history(tmp_path, step_record(1, 1.0))
    assert not any("." in name for name in History.load(tmp_path / "logs" / "history.jsonl", []).curves)


def test_a_line_without_end_is_read_as_its_beginning() -> None:
    long = b'{"kind":"step","step":1' + b" " * (2 * MAX_LINE_BYTES) + b"}\n"
    text = long + b'{"kind":"step","step":2,"loss":1}\n' + b"x" * (3 * MAX_LINE_BYTES)
    for size in (100, 1 << 20):
        whole = b"".join(blocks(io.BytesIO(text), size)).split(b"\n")
        assert [parse(line[:MAX_LINE_BYTES]) for line in whole if line] == [
            parse(line) for line in beginnings(io.BytesIO(text))
        ]


# The cache. WORTH decides what is worth one; here everything is.


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(history, "WORTH", 1)
    run = tmp_path / "toy" / "001"
    (run / "logs").mkdir(parents=True)
    (run / "config.toml").write_text("")
    (run.parent / "latest").symlink_to("001")
    write(run, range(1, 200))
    return tmp_path


def write(run: Path, steps: range, *, loss: float = 1.0) -> None:
    append_history(run, *(step_record(step, loss + step, grad_norm="nan") for step in steps))
    append_history(run, validation_record(steps[-1], loss=float("inf"), accuracy=0.5))


def path_of(root: Path) -> Path:
    return root / "toy" / "001" / "logs" / "history.jsonl"


def caches(root: Path) -> list[Path]:
    return sorted((root / ".loopwright" / "histories").glob("*"))


def assert_read_as_it_stands(root: Path) -> None:
    """What is read with the cache is what is read without."""
    notes, plain = [], []
    found = History.load(path_of(root), notes)
    copy = root / "bare.jsonl"
    copy.write_bytes(path_of(root).read_bytes())
    expected = History.load(copy, plain)
    assert [note.split(": ")[1] for note in notes] == [note.split(": ")[1] for note in plain]
    assert set(found.curves) == set(expected.curves)
    for name, curve in expected.curves.items():
        np.testing.assert_array_equal(found.curve(name).steps, curve.steps)
        np.testing.assert_array_equal(found.curve(name).values, curve.values)
    for kind in ("validations", "epochs", "events"):
        assert repr(getattr(found, kind)) == repr(getattr(expected, kind))


def test_what_was_read_is_kept_under_the_root_and_not_in_the_run(root: Path) -> None:
    before = sorted(path_of(root).parents[1].rglob("*"))
    assert_read_as_it_stands(root)
    assert len(caches(root)) == 1
    assert sorted(path_of(root).parents[1].rglob("*")) == before
    assert_read_as_it_stands(root)


def test_a_history_that_has_grown_is_read_on(root: Path) -> None:
    assert_read_as_it_stands(root)
    kept = caches(root)[0].read_bytes()
    write(root / "toy" / "001", range(200, 300))
    append_history(root / "toy" / "001", {"kind": "step", "step": 300, "loss": {"total": 1, "a": 2, "b": 3}})
    assert_read_as_it_stands(root)
    assert caches(root)[0].read_bytes() != kept
    write(root / "toy" / "001", range(150, 160), loss=5.0)
    assert_read_as_it_stands(root)


def test_a_torn_line_is_no_part_of_the_cache(root: Path) -> None:
    whole = path_of(root).read_bytes()
    path_of(root).write_bytes(whole + b'{"kind":"step","step":200,"loss":{"tot')
    assert_read_as_it_stands(root)
    assert_read_as_it_stands(root)
    # A resumed run cuts it off and goes on.
    os.truncate(path_of(root), len(whole))
    write(root / "toy" / "001", range(200, 210))
    assert_read_as_it_stands(root)


def test_a_history_that_was_rewritten_is_read_anew(root: Path) -> None:
    assert_read_as_it_stands(root)
    text = path_of(root).read_text()
    path_of(root).write_text(text.replace('"lr": 0.001', '"lr": 0.002'))
    assert_read_as_it_stands(root)
    path_of(root).write_text(text[: len(text) // 2])
    assert_read_as_it_stands(root)
    path_of(root).unlink()
    write(root / "toy" / "001", range(1, 400), loss=7.0)
    assert_read_as_it_stands(root)


@pytest.mark.parametrize("cut", [0, 10, 40, 200, -8, -1])
def test_a_cache_that_is_torn_or_gone_is_made_again(root: Path, cut: int) -> None:
    assert_read_as_it_stands(root)
    content = caches(root)[0].read_bytes()
    caches(root)[0].write_bytes(content[:cut])
    assert_read_as_it_stands(root)
    assert caches(root)[0].read_bytes() == content
    caches(root)[0].unlink()
    assert_read_as_it_stands(root)


def test_a_cache_of_nonsense_is_left_aside(root: Path) -> None:
    assert_read_as_it_stands(root)
    content = caches(root)[0].read_bytes()
    for old, new in (
        (b'"lengths": [199', b'"lengths": [-19'),
        (b'"mark": {', b'"mork": {'),
        (b'"names": [', b'"names": {'),
    ):
        caches(root)[0].write_bytes(content.replace(old, new))
        assert_read_as_it_stands(root)


def test_where_nothing_can_be_written_histories_are_read_all_the_same(root: Path) -> None:
    (root / ".loopwright").write_text("in the way")
    assert_read_as_it_stands(root)
    (root / ".loopwright").unlink()
    elsewhere = root.parent / f"{root.name}-elsewhere"
    elsewhere.mkdir()
    (root / ".loopwright").symlink_to(elsewhere)
    assert_read_as_it_stands(root)
    (root / ".loopwright").unlink()
    (root / ".loopwright").mkdir()
    (root / ".loopwright" / "histories").symlink_to(elsewhere)
    assert_read_as_it_stands(root)
    assert list(elsewhere.iterdir()) == []


def test_a_run_under_no_root_is_just_read(root: Path) -> None:
    (root / "toy" / "latest").unlink()
    assert_read_as_it_stands(root)
    assert not (root / ".loopwright").exists()


def test_the_parts_of_a_study_are_kept_under_the_studys_root(root: Path) -> None:
    members = root / "toy" / "001" / "members"
    members.mkdir()
    (root / "toy" / "001").rename(root / "part")
    member = members / "part" / "001"
    member.parent.mkdir(parents=True)
    (root / "part").rename(member)
    (root / "toy" / "001" / "config.toml").write_text("")
    (member.parent / "latest").symlink_to("001")
    assert cache.cache_of(member / "logs" / "history.jsonl").parent == root / ".loopwright" / "histories"


def test_of_columns_that_some_rows_lack_the_others_have_curves() -> None:
    first = reading(b'{"kind":"step","step":1,"lr":1}\n', 100).columns()
    second = reading(b'{"kind":"step","step":2,"loss":2}\n', 100).columns()
    for columns in (first.followed_by(second), Columns().followed_by(first).followed_by(second)):
        curves = curves_of(columns)
        assert {name: (curve.steps.tolist(), curve.values.tolist()) for name, curve in curves.items()} == {
            "lr": ([1], [1]),
            "loss": ([2], [2]),
        }
