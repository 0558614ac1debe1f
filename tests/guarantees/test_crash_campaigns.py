"""The campaigns themselves, at the scale that there is time for; each in processes of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from guarantees.__main__ import SKIPPED

ROOT = Path(__file__).parents[2]


def run(name: str, scale: str, out: Path) -> str:
    """The section that a campaign writes; the test is skipped, with its reason, where the campaign is."""
    command = [sys.executable, "-m", "guarantees", name, "--scale", scale, "--out", str(out)]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.stdout == ""
    if done.returncode == SKIPPED:
        pytest.skip(done.stderr.partition("skipped, ")[2].splitlines()[0])
    assert done.returncode == 0, done.stderr
    return out.read_text()


def numbers(section: str, column: int) -> list[int]:
    """The whole numbers in a column of a section's table."""
    rows = [line.strip("|").split("|") for line in section.splitlines() if line.startswith("| ")]
    cells = [row[column].strip().replace(",", "") for row in rows]
    return [int(cell) for cell in cells if cell.isdigit()]


@pytest.mark.parametrize(
    ("scale", "at_least"),
    [("quick", 5), pytest.param("full", 900, marks=pytest.mark.slow)],
)
def test_a_kill_or_a_refusal_at_any_system_call_loses_nothing(tmp_path, scale, at_least):
    section = run("syscalls", scale, tmp_path / "guarantees.md")
    assert sum(numbers(section, 2)) >= at_least


@pytest.mark.parametrize(
    ("scale", "at_least"),
    [
        ("quick", 30),
        pytest.param("full", 1000, marks=pytest.mark.slow),
        pytest.param("nightly", 1000, marks=pytest.mark.nightly),
    ],
)
def test_whatever_a_power_failure_leaves_is_gone_on_from(tmp_path, scale, at_least):
    section = run("powerloss", scale, tmp_path / "guarantees.md")
    assert sum(numbers(section, 3)) >= at_least


@pytest.mark.parametrize(
    ("scale", "count"),
    [
        ("quick", 10),
        pytest.param("full", 200, marks=pytest.mark.slow),
        pytest.param("nightly", 1000, marks=pytest.mark.nightly),
    ],
)
def test_a_run_that_is_killed_at_random_instants_equals_the_one_left_alone(tmp_path, scale, count):
    section = run("kills", scale, tmp_path / "guarantees.md")
    assert numbers(section, 1)[-1] == count


@pytest.mark.parametrize(
    ("scale", "schedules"), [("quick", 10), pytest.param("nightly", 700, marks=pytest.mark.nightly)]
)
def test_a_run_whose_number_of_workers_changes_has_the_bits_of_one_worker(tmp_path, scale, schedules):
    section = run("workers", scale, tmp_path / "guarantees.md")
    assert sum(numbers(section, 2)) == schedules
