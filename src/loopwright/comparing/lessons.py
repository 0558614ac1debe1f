"""One failed run and its lesson: the sickest of the compared runs, or of those beside them."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from loopwright.comparing.subject import Subject
from loopwright.errors import RunError
from loopwright.journal.runs import check_contents, numbered
from loopwright.lines import revive
from loopwright.reading import read_at_most
from loopwright.report.values import show
from loopwright.values import Table, table, tables

SEVERITIES = {"error": 30, "warning": 10}
ENDINGS = {"failed": 40, "interrupted": 2}
MOST_BESIDE = 200
"""Runs of the same experiment whose short files are looked at, the newest of them."""


@dataclass(frozen=True)
class Lesson:
    """A run that went wrong: which, what happened, what is to be learned from it, and the command that shows more."""

    run: Path
    happened: str
    lesson: str
    command: str
    compared: bool


def lesson_of(subjects: Sequence[Subject]) -> Lesson | None:
    """From the sickest of the compared runs; where they are all well, from the sickest of those beside them."""
    ours = [(subject.path, subject.record.metrics, subject.record.findings or []) for subject in subjects]
    for compared, runs in ((True, ours), (False, beside(subjects))):
        found = [(sickness(metrics, findings), run, metrics, findings) for run, metrics, findings in runs]
        worst = max(found, key=lambda one: one[0], default=None)
        if worst is not None and worst[0] > ENDINGS["interrupted"]:
            return told(*worst[1:], compared=compared)
    return None


def sickness(metrics: Table, findings: Sequence[Table]) -> int:
    """How bad it is: a run that failed, then errors, warnings and missed claims."""
    missed = sum(claim.get("holds") is False for claim in tables(metrics.get("claims")))
    worst = max((SEVERITIES.get(str(finding.get("severity")), 0) for finding in findings), default=0)
    return ENDINGS.get(str(metrics.get("status")), 0) + worst + min(9, 3 * missed)


def told(run: Path, metrics: Table, findings: Sequence[Table], *, compared: bool) -> Lesson:
    """The lesson of one run, from what the doctor found, why it stopped, or the claim that it missed."""
    worst = max(findings, key=lambda finding: SEVERITIES.get(str(finding.get("severity")), 0), default=None)
    status, reason = str(metrics.get("status") or "unfinished"), metrics.get("reason")
    ended = f"{status} after {show(metrics.get('steps'))} steps" if "steps" in metrics else status
    happened = f"{ended}: {show(reason)}" if reason else ended
    command = f"loopwright report {shlex.quote(str(run))}"
    if worst is not None and str(worst.get("severity")) in SEVERITIES:
        happened += f"; the doctor says {show(worst.get('cause'))} ({show(worst.get('evidence'))})"
        lesson = f"{show(worst.get('wrong'))}. Remedy: {show(worst.get('fix'))}"
    elif status == "failed":
        lesson = "the doctor named no cause while it ran; its record may tell more"
        command = f"loopwright diagnose {shlex.quote(str(run))}"
    else:
        missed = next(claim for claim in tables(metrics.get("claims")) if claim.get("holds") is False)
        happened += f"; it missed its claim: {bounded(missed)}, reached {show(missed.get('reached'))}"
        lesson = "a finished run is no success by itself: what was claimed before it was not reached"
    return Lesson(run, one_line(happened), one_line(lesson), command, compared)


def bounded(claim: Table) -> str:
    """A claim in words: `test.best.accuracy at least 0.98`."""
    bounds = [f"{key.replace('_', ' ')} {show(claim[key])}" for key in ("at_least", "at_most") if key in claim]
    return f"{show(claim.get('metric'))} {' and '.join(bounds)}"


def one_line(text: str) -> str:
    """A text without its line ends."""
    return " ".join(text.split())


def beside(subjects: Sequence[Subject]) -> Iterator[tuple[Path, Table, list[Table]]]:
    """Other runs of the same experiments: their summaries and findings."""
    compared = {subject.path.resolve() for subject in subjects}
    for parent in dict.fromkeys(subject.path.parent for subject in subjects):
        runs: Iterable[Path] = ()
        with suppress(OSError):
            runs = numbered(parent)[-MOST_BESIDE:]
        for run in runs:
            with suppress(RunError):
                if run.resolve() not in compared:
                    check_contents(run)
                    findings = read(run / "findings.json")
                    listed = findings.get("findings") if isinstance(findings, dict) else findings
                    yield run, table(read(run / "metrics.json")), tables(listed)


def read(path: Path) -> Any:
    """The content of a JSON file; None where it cannot be read."""
    with suppress(OSError, ValueError, RecursionError):
        return revive(json.loads(read_at_most(path)))
    return None
