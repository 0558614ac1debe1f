from __future__ import annotations

import faulthandler
import os
import shutil
import sys
from pathlib import Path

import pytest

from guarantees import hostile
from guarantees.corpus import corpus
from guarantees.hostile import ENTRIES, amiss, given_to, measure
from guarantees.section import Scale
from guarantees.small import unfinished_run
from guarantees.spoiling import Case, Place

CASE = Case("test", "test", lambda place: None)


@pytest.fixture
def place(tmp_path: Path) -> Place:
    run = tmp_path / "runs/points/001"
    shutil.copytree(unfinished_run(tmp_path / "good"), run)
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside/keep").write_text("mine")
    return Place(run, tmp_path / "outside")


def test_hostile_files_run_nothing_touch_nothing_and_are_refused_in_two_lines():
    section = measure(Scale.QUICK)
    assert section.violations == ()
    assert sum(row[2] for row in section.rows) == 25


def test_there_are_hundreds_of_cases():
    assert len(corpus()) > 400
    assert len({case.kind for case in corpus()}) >= 14


@pytest.mark.parametrize(
    ("do", "words"),
    [
        (lambda run: os.system(f"touch {run.parents[2]}/outside/ran"), "CODE WAS RUN"),
        (lambda run: (run.parents[2] / "outside/keep").write_text("yours"), "touched"),
        (lambda run: [0][1], "a foreign error: IndexError"),
        (lambda run: len(bytearray(os.urandom(100)) * 15_000_000), "took 1."),
        (lambda run: len(bytearray(os.urandom(100)) * 10**9), "a foreign error: MemoryError"),
        (lambda run: (faulthandler.disable(), os.abort()), "ended with -6"),
        (lambda run: print("\x1b[2J", file=sys.stderr), "sent control characters"),
        (lambda run: print("fine"), ""),
    ],
)
def test_every_violation_is_found_out(place, monkeypatch, do, words):
    monkeypatch.setitem(ENTRIES, "bad", lambda run: do(run) and None)
    found = given_to(place, CASE, "bad").violation
    assert found.startswith(words) if words else found == ""


def test_what_never_ends_is_found_out(place, monkeypatch):
    monkeypatch.setattr(hostile, "SECONDS", 0.5)
    monkeypatch.setitem(ENTRIES, "bad", lambda run: os.read(os.pipe()[0], 1))
    assert given_to(place, CASE, "bad").violation == "did not end within 0.5 s"


def test_an_error_of_more_than_two_lines_is_found_out():
    assert amiss(2, "loopwright: a\nb\n  listed\n  listed\n", "", 0) == ""
    assert amiss(2, "loopwright: a\nb\nc\n", "", 0).startswith("said 3 lines")
    assert amiss(2, "a\n", "", 0).startswith("said")
