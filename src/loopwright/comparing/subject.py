"""One of the runs that are compared: what its files say, however few of them there are."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from loopwright.errors import RunError, UsageError, some
from loopwright.journal.lock import in_hands
from loopwright.journal.runs import check_contents, kind_of, located, numbered
from loopwright.labels import labels_of
from loopwright.report import curves
from loopwright.report.history import Floats, History, Series
from loopwright.report.record import Record
from loopwright.report.values import show
from loopwright.values import numbers, table, whole

FILES = ("config.toml", "env.json", "metrics.json", "logs/history.jsonl")
"""A directory with one of these is taken for a run."""

KNOTS = 1000
"""Steps at which what was spent is kept."""


@dataclass(frozen=True)
class Subject:
    """A run: its `record` without curves, its configuration `config` by dotted key, its `name` here, `points/003`.

    Of the curves what is needed stays, however long the run was: `train`, means of the training loss; `samples` and
    `seconds`, how much was spent up to a step, at validations and some steps between; `last_step` of the history.
    """

    record: Record
    name: str
    config: dict[str, Any] = field(repr=False)
    train: Series = field(repr=False)
    samples: Series = field(repr=False)
    seconds: Series = field(repr=False)
    last_step: int

    @staticmethod
    def of(record: Record, name: str = "") -> Subject:
        """From everything that was read of a run."""
        history = record.history
        measured = np.array([one["step"] for one in history.validations], dtype=np.float64)
        return Subject(
            replace(record, history=History({}, history.validations, [], history.events)),
            name,
            flat(record.config),
            curves.means(history.curve("loss")),
            spent(history.curve("samples"), measured),
            spent(history.curve("busy_seconds"), measured),
            history.last_step,
        )

    @property
    def path(self) -> Path:
        """The run directory."""
        return self.record.directory

    @property
    def seed(self) -> int | None:
        """The seed; None where neither configuration nor environment say."""
        found = whole(self.config.get("seed"))
        return whole(self.record.env.get("seed")) if found is None else found

    @property
    def status(self) -> str:
        """finished, interrupted, failed; running or killed where no end was recorded; unfinished without a summary."""
        said = str(self.record.metrics.get("status") or "")
        if said in ("", "running") and in_hands(self.path):
            return "running"
        return {"": "unfinished", "running": "killed"}.get(said, said)

    @property
    def finished(self) -> bool:
        """Whether the run came to its end."""
        return self.status == "finished"

    @property
    def steps(self) -> int:
        """How many steps were done."""
        told = whole(self.record.metrics.get("steps"))
        return self.last_step if told is None else told

    @property
    def deciding(self) -> tuple[str, str]:
        """The metric that decides, and `min` or `max`; empty where unknown."""
        return self.record.deciding

    def curve(self, metric: str) -> Series:
        """A validation metric over the steps."""
        return self.record.history.validation(metric)

    def results(self, split: str, which: str) -> dict[str, float]:
        """All metrics on `split` with the `best` or the `last` weights.

        Of a run that broke off before its summary, those of its validations: at the last, and at the best so far.
        """
        found = {weights: numbers(table(self.record.metrics, split, weights)) for weights in ("best", "last")}
        validations = self.record.history.validations
        if any(found.values()) or split != "val" or not validations:
            return found[which]
        if which == "last":
            return numbers(validations[-1].get("metrics"))
        metric, mode = self.deciding
        series = curves.finite(self.curve(metric))
        if not len(series) or mode not in ("min", "max"):
            return {}
        step = series.steps[np.argmin(series.values) if mode == "min" else np.argmax(series.values)]
        return next(numbers(one.get("metrics")) for one in validations if one["step"] == step)

    def code(self) -> str:
        """What identifies the code that was run: commit, what was not committed, the digest of an own experiment."""
        env, changed = self.record.env, hashlib.sha256(self.record.patch.encode("utf-8", "replace")).hexdigest()
        return json.dumps([env.get("git_commit"), changed, self.config.get("code_sha256"), env.get("loopwright")])

    def reason(self) -> str:
        """Why the run did not finish, in a line; "" where it did or nobody wrote it down."""
        said = self.record.metrics.get("reason")
        return " ".join(show(said).split()) if said and not self.finished else ""


def read_subjects(
    paths: Sequence[Path], baseline: Path | None = None, tell: Callable[[list[Path]], Iterable[Path]] = list
) -> tuple[list[Subject], list[str]]:
    """The runs that `paths` name, each once, the members of studies among them; and what has to be said about them.

    `baseline` is one of them, or comes to them. `tell` is given the runs and gives them back one by one, as a bar of
    progress does. Raises RunError for a path that is no run, UsageError where fewer than two runs are left.
    """
    notes: list[str] = []
    found: dict[Path, Path] = {}
    for path in (run for named in paths for run in runs_at(named, notes)):
        real = path.resolve()
        if real in found:
            notes.append(f"{path} is named twice; it counts once")
        found.setdefault(real, path)
    for path in [] if baseline is None else runs_at(baseline, notes):
        found.setdefault(path.resolve(), path)
    subjects = [subject for path in tell(list(found.values())) if (subject := load(path, notes))]
    if len(subjects) < 2:
        named = f"{subjects[0].path} alone is" if subjects else "none is"
        raise UsageError(
            f"compare: two runs at least can be compared, {named} left of {some([str(path) for path in paths], 3)}; "
            "name another, `loopwright runs` lists those there are"
        )
    names = shortest_names([subject.path for subject in subjects])
    named_subjects = [replace(subject, name=name) for subject, name in zip(subjects, names, strict=True)]
    notes += [f"{subject.name}: {note}" for subject in named_subjects for note in subject.record.notes]
    return named_subjects, notes


def load(path: Path, notes: list[str]) -> Subject | None:
    """The run at `path`; None, with a note, where it is gone by now."""
    try:
        subject = Subject.of(Record.load(path))
    except RunError:
        subject = None
    if subject is None or not path.is_dir():
        notes.append(f"{path} was deleted while it was read; it is left out")
        return None
    return subject


def spent(series: Series, measured: Floats) -> Series:
    """The sums of a quantity up to some steps, those of `measured` among them."""
    series = curves.finite(series)
    if not len(series):
        return series
    totals = np.cumsum(series.values)
    even = np.linspace(0, len(series) - 1, min(len(series), KNOTS)).astype(int)
    at = np.searchsorted(series.steps, measured, side="right") - 1
    places = np.union1d(even, at[at >= 0])
    return Series(series.steps[places], totals[places])


def is_run(directory: Path) -> bool:
    """Whether at least one of the files of a run is there."""
    return any((directory / name).is_file() for name in FILES)


def runs_at(path: Path, notes: list[str]) -> list[Path]:
    """The run at `path`; the members of a study; the numbered runs of an experiment's directory."""
    run = located(path)
    if not is_run(run):
        below = [inner for inner in numbered(run) if is_run(inner)] if run.is_dir() else []
        if not below:
            raise RunError(
                f"{path}: not a run, it has no {' and no '.join(FILES)}; `loopwright runs` lists those there are"
            )
        shown = [inner for inner in below if not labels_of(inner).archived]
        if len(shown) < len(below):
            notes.append(
                f"archived runs of {run} are left out: {some([one.name for one in below if one not in shown])}"
            )
        return [each for inner in shown for each in runs_at(inner, notes)]
    check_contents(run)
    members = run / "members"
    if not members.is_dir():
        return [run]
    begun = [numbered(member)[-1] for member in sorted(members.iterdir()) if member.is_dir() and numbered(member)]
    notes.append(f"{run} is a {kind_of(run)}; {its_members(len(begun))} compared")
    return begun


def its_members(many: int) -> str:
    """How many members, as the beginning of a clause."""
    return "its one member is" if many == 1 else f"its {many} members are"


def flat(values: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    """The leaves of nested tables by dotted key."""
    leaves: dict[str, Any] = {}
    waiting = [(prefix, values)]
    while waiting:
        before, inner = waiting.pop(0)
        for key, value in inner.items():
            if isinstance(value, dict) and value:
                waiting.append((f"{before}{key}.", value))
            else:
                leaves[f"{before}{key}"] = value
    return leaves


def shortest_names(paths: Sequence[Path]) -> list[str]:
    """For each path its last parts, two at least, as many as it takes to tell them apart.

    >>> shortest_names([Path("runs/a/001"), Path("runs/a/002")])
    ['a/001', 'a/002']
    """
    parts = [path.absolute().parts for path in paths]
    most = max(map(len, parts))
    for count in range(2, most + 1):
        names = ["/".join(each[-count:]) for each in parts]
        if len(set(names)) == len(names):
            return names
    return [str(path) for path in paths]
