"""What two records say about their runs: in what they differ before the first step, and where their histories part."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from loopwright.config import read_toml
from loopwright.errors import RunError
from loopwright.journal import describe_run, open_run
from loopwright.journal.past import identity
from loopwright.lines import Record, comparable, scan_history, to_line
from loopwright.reading import read_at_most
from loopwright.running.studying import is_study
from loopwright.running.summary import read_json

Part = Literal["config", "data", "first weights", "code", "versions", "hardware", "variables"]

FACTS: dict[str, Part] = {
    "data_sha256": "data",
    "init_sha256": "first weights",
    "git_commit": "code",
    "git_dirty": "code",
    "loopwright": "versions",
    "python": "versions",
    "torch": "versions",
    "cuda": "versions",
    "platform": "versions",
    "cpu": "hardware",
    "cpu_capability": "hardware",
    "gpu": "hardware",
}
"""Which keys of env.json bits may depend on."""

LISTS: dict[str, Part] = {"packages": "versions", "variables": "variables"}
"""Keys of env.json whose values are mappings."""

HEAD: dict[str, Part] = {"code_sha256": "code", "loopwright": "versions"}
"""Keys of config.toml that are no field of the experiment."""


@dataclass(frozen=True)
class Change:
    """Something that two records say differently: its part of the record and name, both values (None: not there)."""

    part: Part
    name: str
    a: Any
    b: Any


def changes(a: Path, b: Path) -> list[Change]:
    """In what the records of two runs differ, before their first step."""
    ours, theirs = dict(facts(a)), dict(facts(b))
    keys = {**ours, **theirs}
    return [Change(*key, ours.get(key), theirs.get(key)) for key in keys if ours.get(key) != theirs.get(key)]


def changes_since(run: Path) -> list[Change]:
    """In what this process differs from the record of a run: versions, hardware, variables; b is what is here."""
    then, now = dict(conditions(read_json(run / "env.json"))), dict(conditions(describe_run({})))
    return [
        Change(part, name, then.get((part, name)), now.get((part, name)))
        for part, name in {**then, **now}
        if part in ("versions", "hardware", "variables") and then.get((part, name)) != now.get((part, name))
    ]


def facts(run: Path) -> Iterator[tuple[tuple[Part, str], Any]]:
    """All that a record says which bits may depend on, by part and name."""
    for path, value in flat(read_toml(run / "config.toml").data):
        yield (HEAD.get(path, "config"), path), value
    yield ("code", "code.diff"), file_sha256(run / "code.diff")
    yield from conditions(read_json(run / "env.json"))


def conditions(environment: Mapping[str, Any]) -> Iterator[tuple[tuple[Part, str], Any]]:
    """What an env.json says which bits may depend on, by part and name."""
    for name, part in FACTS.items():
        yield (part, name), environment.get(name)
    for key, part in LISTS.items():
        listed = environment.get(key)
        for name, value in listed.items() if isinstance(listed, Mapping) else ():
            if name not in FACTS:
                yield (part, name), value


def file_sha256(path: Path) -> str | None:
    """The digest of a file; None where it cannot be read."""
    try:
        return hashlib.sha256(read_at_most(path)).hexdigest()
    except OSError:
        return None


def flat(values: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """The leaves of nested mappings by dotted path."""
    for key, value in values.items():
        if isinstance(value, Mapping):
            yield from flat(value, f"{prefix}{key}.")
        else:
            yield prefix + key, value


def run_with_history(path: Path) -> Path:
    """The run directory that `path` names. Raises RunError where it is none, or a study, or has no history."""
    run = open_run(path)
    if is_study(run):
        raise RunError(f"{run}: a study has no steps of its own; name one of the runs below {run / 'members'}")
    if next(history(run, "step"), None) is None:
        raise RunError(f"{run}: no step is in its history; name a run that has done one")
    return run


def history(run: Path, kind: str) -> Iterator[Record]:
    """The records of `kind`, "step" or "validation", in the order of their steps, without the clock, as a stream.

    Of a step that was done again after a resume, and differed, the later record counts.
    """
    path, again, newest = run / "logs" / "history.jsonl", {}, 0
    for step, record in of_kind(path, kind):
        if step <= newest:
            again[step] = record
        newest = max(newest, step)
    newest = 0
    for step, record in of_kind(path, kind):
        if step > newest:
            newest = step
            yield comparable(again.get(step, record))


def of_kind(path: Path, kind: str) -> Iterator[tuple[int, Record]]:
    """Step and record of each line that is one of `kind`; none where there is no file."""
    for record in scan_history(path, revived=True) if path.is_file() else ():
        if (about := identity(record)) is not None and about[0] == kind:
            yield about[1], record


@dataclass(frozen=True)
class Parting:
    """Where two histories part: the first step at which their records of a kind differ, and both records.

    `step` is 0 where they do not part as far as both go; `agreed` counts the equal records, `a_total` and `b_total`
    all that there are.
    """

    step: int
    agreed: int
    a_total: int
    b_total: int
    a: Record | None = None
    b: Record | None = None

    @property
    def equal(self) -> bool:
        """Whether the histories are the same from the first record to the last."""
        return self.step == 0 and self.a_total == self.b_total


def parting(a: Path, b: Path, kind: str) -> Parting:
    """Compare two histories, the records of `kind` that both have, in every bit."""
    step, agreed, a_total, b_total = 0, 0, 0, 0
    found: tuple[Record | None, Record | None] = (None, None)
    for left, right in beside(history(a, kind), history(b, kind)):
        a_total, b_total = a_total + (left is not None), b_total + (right is not None)
        if step or left is None or right is None:
            continue
        if to_line(left) == to_line(right):
            agreed += 1
        else:
            step, found = left["step"], (left, right)
    return Parting(step, agreed, a_total, b_total, *found)


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
    last = 0
    for record in history(run, "step"):
        last = record["step"]
        if last == step:
            return record
    raise RunError(f"{run}: step {step} is not in its history; choose --step from 1 to {last}")
