"""Whether a project is done for now: its tests pass, it has runs, and what it is to say has been said."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from loopwright.errors import LoopwrightError, UsageError, some
from loopwright.journal.runs import list_runs
from loopwright.processes import run_process
from loopwright.scaffold.origin import inside, text_at
from loopwright.values import read_json

ASKED = "(your answer)"
UNFILLED = "No runs yet"
DELIVERABLES = (
    "experiments.md",
    "report.md",
    "postmortem.md",
    "notes/theory-summary.md",
    "notes/mistakes-and-fixes.md",
    "notes/weekly-retrospective.md",
    "artifacts/results.md",
)
TESTS = ("-m", "pytest", "-q", "-p", "no:cacheprovider")
LIMIT_MINUTES = 30.0
GRACE_SECONDS = 2.0
CONFLICT = ("<<<<<<< ", ">>>>>>> ")
"""How lines begin that a merge has left."""


@dataclass(frozen=True)
class Item:
    """Something that has to be done, whether it is, and what was found."""

    what: str
    done: bool
    found: str


def check_project(project: Path, *, tests: bool = True, minutes: float = LIMIT_MINUTES) -> list[Item]:
    """Every item of a project. With `tests` its own are run, for so many minutes at most.

    Raises UsageError where there is no such directory.
    """
    if not project.is_dir():
        raise UsageError(f"{project}: no such directory; name a project that `loopwright new` made")
    said = [deliverable(project, path) for path in DELIVERABLES]
    return [*([own_tests(project, minutes)] if tests else []), finished_run(project), *said]


def own_tests(project: Path, minutes: float = LIMIT_MINUTES, command: Sequence[str] = (sys.executable, *TESTS)) -> Item:
    """The project's own tests, in a process of their own that ends with this one, and after so many minutes."""
    with tempfile.TemporaryDirectory() as place:
        output = Path(place, "tests")
        try:
            done = run_process(
                command,
                output=output,
                environment={"COLUMNS": "300"},  # so that pytest does not cut what it says
                limit=60 * minutes,
                grace=GRACE_SECONDS,
                directory=project,
                leashed=True,
            )
        except LoopwrightError as error:
            return Item("tests pass", False, str(error))
        text = output.with_suffix(".out").read_text("utf-8", "replace") + done.err
    lines = [line for line in text.splitlines() if line.strip()]
    failed = [line for line in lines if line.startswith("FAILED ")]
    return Item("tests pass", done.code == 0, [*failed, *lines[-1:], f"exit code {done.code}"][0])


def finished_run(project: Path) -> Item:
    """A run that came to its end and has a checkpoint."""
    runs = list_runs(project / "runs")
    kept = [run for run in runs if list((run / "checkpoints").glob("*.pt"))]
    finished = [run for run in kept if read_json(run / "metrics.json").get("status") == "finished"]
    found = f"{len(finished)} of {len(runs)} runs" if runs else "no run yet: make train"
    return Item("a finished run with a checkpoint", bool(finished), found)


def deliverable(project: Path, path: str) -> Item:
    """A file that is to be written: there, filled from the runs, every question answered."""
    place = inside(project, path)
    if not place.is_file():
        return Item(path, False, "missing")
    text = text_at(place)
    problems = []
    if not text.strip():
        problems.append("empty")
    if any(line.startswith(CONFLICT) for line in text.splitlines()):
        problems.append("a merge has left conflicts")
    if UNFILLED in text:
        problems.append("not filled from runs: make notes")
    if open_questions := text.count(ASKED):
        problems.append(f"{open_questions} question{'s' * (open_questions > 1)} open")
    return Item(path, not problems, some(problems) or f"{len(text.split())} words")
