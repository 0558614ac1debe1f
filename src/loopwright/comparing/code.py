"""The code of two runs beside each other: commits, what was not committed, the experiment's own file."""

from __future__ import annotations

import difflib
import re
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from loopwright.comparing.subject import Subject
from loopwright.journal.environment import git
from loopwright.reading import read_at_most

MOST_LETTERS = 100_000
MOST_LINES = 4000
"""Beyond these a difference is not worked out, or is cut."""

COMMIT = re.compile("[0-9a-f]{7,64}")


@dataclass(frozen=True)
class CodeDifference:
    """One piece of code that differs; `text` is a unified diff."""

    title: str
    text: str


def code_differences(base: Subject, other: Subject) -> list[CodeDifference]:
    """What differs in the code of two runs, as far as their records tell."""
    found = [
        CodeDifference("between the commits", between_commits(base, other)),
        CodeDifference("in the experiment's own file (source.py)", between(source(base), source(other), base, other)),
        CodeDifference(*uncommitted(base, other)),
    ]
    return [difference for difference in found if difference.text]


def between_commits(base: Subject, other: Subject) -> str:
    """`git diff` of the two commits, where the current directory's repository has them both."""
    commits = [str(run.record.env.get("git_commit") or "") for run in (base, other)]
    # They come out of files: nothing but a digest may become an argument.
    if commits[0] == commits[1] or not all(COMMIT.fullmatch(commit) for commit in commits):
        return ""
    found = git(Path.cwd(), "diff", "--no-color", "--no-ext-diff", "--no-textconv", *commits, "--")
    return cut(found) if found else f"commit {commits[0]}\ncommit {commits[1]}\n(not both in the repository here)"


def uncommitted(base: Subject, other: Subject) -> tuple[str, str]:
    """What was not committed: that of one run, where the other had nothing, else how the two differ."""
    ours, theirs = base.record.patch, other.record.patch
    if ours == theirs:
        return "", ""
    for run, text, rest in ((other, theirs, ours), (base, ours, theirs)):
        if not rest.strip():
            return f"not committed in {run.name} alone (code.diff)", cut(text)
    return "in what was not committed (difference of both code.diff)", between(ours, theirs, base, other)


def between(ours: str, theirs: str, base: Subject, other: Subject) -> str:
    """A unified diff of two texts; nothing where one of them is missing, or they are equal."""
    before, after = ours.splitlines(), theirs.splitlines()
    if not ours or not theirs or ours == theirs:
        return ""
    if max(len(before), len(after)) > MOST_LINES:
        return f"both are long, {len(before):,} and {len(after):,} lines; compare them yourself"
    return cut("\n".join(difflib.unified_diff(before, after, base.name, other.name, lineterm="")))


def source(run: Subject) -> str:
    """The copy of an own experiment's file; "" where there is none."""
    with suppress(OSError):
        return read_at_most(run.path / "source.py").decode("utf-8", "replace")
    return ""


def cut(text: str) -> str:
    """A text, and where it is too long its beginning."""
    return text if len(text) <= MOST_LETTERS else f"{text[:MOST_LETTERS]}\n… cut here"
