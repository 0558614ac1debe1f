"""Two histories beside each other, as streams: where they part."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from loopwright.errors import RunError
from loopwright.journal.past import identity
from loopwright.lines import Record, comparable, scan_history, to_line

KINDS = ("step", "validation", "epoch")


def history(run: Path, kind: str) -> Iterator[Record]:
    """The records of `kind`, one of KINDS, in the order of their steps, without the clock, as a stream.

    Of a step that was done again after a resume, and differed, the later record counts.
    """
    again, newest = {}, 0
    for step, record in of_kind(run, kind):
        if step <= newest:
            again[step] = record
        newest = max(newest, step)
    newest = 0
    for step, record in of_kind(run, kind):
        if step > newest:
            newest = step
            yield comparable(again.get(step, record))


def done_again(run: Path, kind: str) -> int:
    """The first step of which the history has two records, for it was done again and differed; 0 where none was."""
    newest = 0
    for step, _ in of_kind(run, kind):
        if step <= newest:
            return step
        newest = step
    return 0


def of_kind(run: Path, kind: str) -> Iterator[tuple[int, Record]]:
    """Step and record of each line that is one of `kind`; none where there is no file."""
    path = run / "logs" / "history.jsonl"
    for record in scan_history(path, revived=True) if path.is_file() else ():
        if (about := identity(record)) is not None and about[0] == kind:
            yield about[1], record


@dataclass(frozen=True)
class Resume:
    """A resume of a run: after which step, and how many of the steps done again were not what had been recorded."""

    step: int
    differing: int


def last_resume(run: Path, before: int) -> Resume | None:
    """The last resume of a run from a checkpoint of fewer than `before` steps; None where there was none."""
    found: list[Resume] = []
    path = run / "logs" / "history.jsonl"
    for record in scan_history(path) if path.is_file() else ():
        step, event = record.get("step"), record.get("event")
        if record.get("kind") == "event" and event == "resumed" and isinstance(step, int):
            found.append(Resume(step, 0))
        elif event == "differs" and found and kind_of(record.get("recorded")) == "step":
            found[-1] = Resume(found[-1].step, found[-1].differing + 1)
    return next((resume for resume in reversed(found) if 0 < resume.step < before), None)


def kind_of(record: object) -> object:
    """The kind of what may be a record."""
    return record.get("kind") if isinstance(record, dict) else None


@dataclass(frozen=True)
class Parting:
    """Where two histories part: the first step at which their records of a kind differ, and both records.

    `step` is 0 where they do not part as far as both go; `agreed` counts the equal records, `a_total` and `b_total`
    all that there are; `lone` is the first step that only one of them has, or 0.
    """

    step: int
    agreed: int
    a_total: int
    b_total: int
    lone: int = 0
    a: Record | None = None
    b: Record | None = None

    @property
    def equal(self) -> bool:
        """Whether the histories are the same from the first record to the last."""
        return self.step == 0 and self.lone == 0


def parting(a: Path, b: Path, kind: str) -> Parting:
    """Compare two histories, the records of `kind` that both have, in every bit."""
    step, agreed, a_total, b_total, lone = 0, 0, 0, 0, 0
    found: tuple[Record | None, Record | None] = (None, None)
    for left, right in beside(history(a, kind), history(b, kind)):
        a_total, b_total = a_total + (left is not None), b_total + (right is not None)
        if left is None or right is None:
            lone = lone or (left or right or {})["step"]
        elif not step and to_line(left) == to_line(right):
            agreed += 1
        elif not step:
            step, found = left["step"], (left, right)
    return Parting(step, agreed, a_total, b_total, lone, *found)


def beside(a: Iterator[Record], b: Iterator[Record]) -> Iterator[tuple[Record | None, Record | None]]:
    """The records of two histories, those of the same step together; None where one has none."""
    left, right = next(a, None), next(b, None)
    while left or right:
        ours = left is not None and (right is None or left["step"] <= right["step"])
        theirs = right is not None and (left is None or right["step"] <= left["step"])
        yield left if ours else None, right if theirs else None
        left = next(a, None) if ours else left
        right = next(b, None) if theirs else right


def recorded_step(run: Path, step: int) -> Record:
    """The record of `step`. Raises RunError, with the range there is, where the history has none."""
    record, last = find_step(run, step)
    if record is None:
        raise no_such_step(run, step, last)
    return record


def find_step(run: Path, step: int) -> tuple[Record | None, int]:
    """The record of `step`, None where the history has none, and the last step that was looked at."""
    last = 0
    for record in history(run, "step"):
        last = record["step"]
        if last == step:
            return record, last
    return None, last


def no_such_step(run: Path, step: int, most: int) -> RunError:
    """What is raised where a run has the steps from 1 to `most`, and `step` is none of them."""
    return RunError(f"{run}: step {step} is not in its history; choose --step from 1 to {most}")
