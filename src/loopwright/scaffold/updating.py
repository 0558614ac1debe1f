"""A project and Loopwright's version of it, three ways: what was written, what it is now, what would be written now."""

from __future__ import annotations

import difflib
import os
import re
import shutil
import subprocess
import tempfile
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path
from typing import Literal

from loopwright import __version__
from loopwright.errors import StoreError, UsageError, some
from loopwright.files import make_directory, refusals, write_text
from loopwright.scaffold.origin import HOME, Files, Origin, free, inside, read_mine, read_pristine, text_at

Step = Literal["take", "remove", "merge", "keep", "nothing"]
MARKERS = ("<<<<<<< yours\n", ">>>>>>> loopwright\n")
"""What git writes around a conflict, with our labels."""
BLOCK = re.compile(r"(<!-- fill: (\w+)[^\n]*-->\n).*?(<!-- end -->)", re.DOTALL)
"""What the project's fill.py writes from its runs."""


@dataclass(frozen=True)
class Change:
    """A file three ways: as it was written, as it is, as it would be written now; None where there is none.

    `ending`: how lines end in the file that there is; in the texts they end in a newline.
    """

    path: str
    pristine: str | None
    mine: str | None
    upstream: str | None
    ending: str = "\n"

    @property
    def by_me(self) -> str:
        """What I have done to it: added, removed, changed, or nothing (empty)."""
        return difference(self.pristine, self.mine)

    @property
    def by_upstream(self) -> str:
        """What Loopwright has done to it since."""
        return difference(self.pristine, self.upstream)

    @property
    def step(self) -> Step:
        """What a merge does with it. What I have changed or removed is never taken away."""
        if not self.by_upstream or self.mine == self.upstream:
            return "nothing"
        if self.mine == self.pristine:
            return "remove" if self.upstream is None else "take"
        return "keep" if self.mine is None or self.upstream is None else "merge"

    def diff(self, side: Literal["mine", "upstream"]) -> str:
        """A unified diff from what was written to one of the two."""
        new, label = (self.mine, "yours") if side == "mine" else (self.upstream, "loopwright")
        lines = difflib.unified_diff(
            (self.pristine or "").splitlines(keepends=True),
            (new or "").splitlines(keepends=True),
            f"written/{self.path}",
            f"{label}/{self.path}",
        )
        return "".join(line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines)


def difference(before: str | None, after: str | None) -> str:
    """The word for what became of a text."""
    if before == after:
        return ""
    return "added" if before is None else "removed" if after is None else "changed"


def compare_project(project: Path, upstream: Files) -> list[Change]:
    """Every file that was written or would be written now, three ways. Raises UsageError where one cannot be read.

    What a project has filled in from its runs is no change of anybody's: it is the same on all three sides.
    """
    pristine = read_pristine(project)
    paths = sorted({*pristine, *upstream})
    mine = read_mine(project, paths)
    return [change_of(path, pristine.get(path), mine.get(path), upstream.get(path)) for path in paths]


def change_of(path: str, pristine: str | None, mine: str | None, upstream: str | None) -> Change:
    """A file three ways, whatever its lines end in."""
    ending = "\n"
    if mine and 0 < mine.count("\n") == mine.count("\r\n") and "\r\n" not in f"{pristine}{upstream}":
        mine, ending = mine.replace("\r\n", "\n"), "\r\n"
    return Change(path, as_filled(pristine, mine), mine, as_filled(upstream, mine), ending)


def as_filled(text: str | None, mine: str | None) -> str | None:
    """`text` with what stands in the blocks of the same names in my text."""
    if text is None or mine is None:
        return text
    filled = {found[2]: found[0] for found in BLOCK.finditer(mine)}
    return BLOCK.sub(lambda found: filled.get(found[2], found[0]), text)


@dataclass(frozen=True)
class Merged:
    """What a merge did with each file that upstream has changed, and in which files conflicts are left.

    `backup` is where the files are that were touched, as they were before; None where there was none.
    """

    done: dict[str, Step]
    conflicts: tuple[str, ...]
    backup: Path | None


def merge_project(project: Path, upstream: Files, origin: Origin) -> Merged:
    """Bring what upstream has changed into the project; what was written is then upstream's.

    Conflicts stay in the files, between markers; where git cannot merge, or there is none, the new file is laid beside
    mine as `PATH.new`. What is touched is copied first. Raises UsageError, before anything is written, where conflicts
    of an earlier merge are left or something is in the way.
    """
    changes = compare_project(project, upstream)
    left = [change.path for change in changes if change.mine and any(mark in change.mine for mark in MARKERS)]
    if left:
        raise UsageError(f"{project}: an earlier merge has left conflicts in {some(left)}; settle them first")
    writes: dict[str, str | None] = {}
    conflicts = []
    for change in changes:
        texts, conflict = outcome(change)
        writes |= texts
        conflicts += list(texts) * conflict
    remembered = {f"{HOME}/pristine/{change.path}": upstream.get(change.path) for change in changes}
    remembered[f"{HOME}/origin.json"] = replace(origin, version=__version__).text()
    places = {path: free(project, path) for path in (*writes, *remembered)}
    backup = backed_up(project, list(writes))
    try:
        for path, text in {**writes, **remembered}.items():
            write(project / path if text is None else places[path], text)  # of a link to a file, the link goes
    except StoreError as error:
        if backup:
            error.add_note(f"some files are merged, others not; as they were: {backup}")
        raise
    done: dict[str, Step] = {change.path: change.step for change in changes if change.step != "nothing"}
    return Merged(done, tuple(conflicts), backup)


def outcome(change: Change) -> tuple[dict[str, str | None], bool]:
    """What a merge writes for a file, by path (None: removed), and whether a conflict is left to the user."""
    upstream = None if change.upstream is None else change.upstream.replace("\n", change.ending)
    if change.step in ("take", "remove"):
        return {change.path: upstream}, False
    if change.step != "merge":
        return {}, False
    merged = three_way(change.mine or "", change.pristine or "", change.upstream or "")
    if merged is None:
        return {f"{change.path}.new": upstream}, True
    return {change.path: merged.replace("\n", change.ending)}, any(mark in merged for mark in MARKERS)


def three_way(mine: str, pristine: str, upstream: str, git: str | None = shutil.which("git")) -> str | None:
    """Both sides' changes in one text, conflicts between markers; None where there is no git, or it takes one of them
    for no text."""
    if git is None:
        return None
    with tempfile.TemporaryDirectory() as directory:
        texts = {"yours": mine, "written": pristine, "loopwright": upstream}
        for name, text in texts.items():
            Path(directory, name).write_bytes(text.encode())
        labels = [part for name in texts for part in ("-L", name)]
        command = [git, "merge-file", "-p", *labels, *texts]
        done = subprocess.run(command, cwd=directory, capture_output=True, check=False)
    # The exit code is the number of conflicts, at most 127.
    return done.stdout.decode() if 0 <= done.returncode <= 127 else None


def backed_up(project: Path, paths: list[str]) -> Path | None:
    """Copies of those files that are there, in a new numbered directory, durably; None where there is none."""
    there = [path for path in paths if inside(project, path).is_file()]
    if not there:
        return None
    root = f"{HOME}/backup"
    number = next(number for number in count(1) if not os.path.lexists(project / root / f"{number:03d}"))
    for path in there:
        write(free(project, f"{root}/{number:03d}/{path}"), text_at(project / path))
    return project / root / f"{number:03d}"


def write(place: Path, text: str | None) -> None:
    """Write a file durably, or remove it where `text` is None."""
    if text is not None:
        make_directory(place.parent)
        mode = place.stat().st_mode if place.exists() else None
        write_text(place, text)
        if mode is not None:
            place.chmod(mode)  # what could be executed still can
        return
    with refusals(place):
        place.unlink(missing_ok=True)
