"""What people say of a run once its result is known: tags and notes, plain files in its directory, and a mark.

notes.md    whatever one likes to write, by hand or with `loopwright note`
tags        a word a line
archived    there where the run is hidden from listings
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from loopwright.errors import UsageError
from loopwright.files import refusals, write_text
from loopwright.reading import open_plain, read_at_most

NOTES, TAGS, ARCHIVED = "notes.md", "tags", "archived"
FILES = (NOTES, TAGS, ARCHIVED)
MOST_BYTES = 1_000_000
LONGEST_TAG = 60
APPENDING = os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW


@dataclass(frozen=True, slots=True)
class Labels:
    """The tags of a run in the order they were given, its notes, whether it is archived."""

    tags: tuple[str, ...] = ()
    notes: str = ""
    archived: bool = False


def labels_of(run: Path) -> Labels:
    """The labels of the run in the directory `run`; what cannot be read, or is a link, is not there."""
    tags = dict.fromkeys(tag for line in text_of(run / TAGS).splitlines() if (tag := line.strip()))
    return Labels(tuple(tags), text_of(run / NOTES).strip(), os.path.lexists(run / ARCHIVED))


def text_of(path: Path) -> str:
    """The text of a small plain file."""
    with suppress(OSError):
        if not path.is_symlink():
            return read_at_most(path, MOST_BYTES).decode("utf-8", "replace")
    return ""


def add_note(run: Path, text: str) -> None:
    """Append `text` to the notes of a run, with the date. Raises StoreError where that cannot be written."""
    append(run / NOTES, f"{datetime.now(UTC):%Y-%m-%d} {text.strip()}\n")


def add_tags(run: Path, names: Iterable[str]) -> None:
    """Give a run tags; those it has stay. Raises UsageError where one is not a word, StoreError as `add_note` does."""
    known = labels_of(run).tags
    append(run / TAGS, "".join(f"{name}\n" for name in dict.fromkeys(map(checked, names)) if name not in known))


def remove_tags(run: Path, names: Iterable[str]) -> None:
    """Take tags away; the other lines stay. Raises UsageError where the run lacks one of them, and StoreError."""
    known, gone = labels_of(run).tags, list(names)
    missing = [name for name in gone if name not in known]
    if missing:
        has = f"it has {', '.join(known)}" if known else "it has none"
        raise UsageError(f"tag {missing[0]!r}: {run} has no such tag, {has}")
    kept = [line for line in text_of(run / TAGS).splitlines(keepends=True) if line.strip() not in gone]
    write_text(run / TAGS, "".join(kept))


def archive(run: Path, *, undo: bool = False) -> None:
    """Mark a run as archived, or no longer. Nothing is moved. Raises StoreError where that cannot be written."""
    if undo:
        with refusals(run / ARCHIVED):
            (run / ARCHIVED).unlink(missing_ok=True)
    elif not os.path.lexists(run / ARCHIVED):
        write_text(run / ARCHIVED, f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}\n")


def checked(name: str) -> str:
    """`name` if it does as a tag. Raises UsageError where not."""
    if not name or len(name) > LONGEST_TAG or not name.isprintable() or any(letter in " ," for letter in name):
        raise UsageError(f"tag {name!r}: must be a word of at most {LONGEST_TAG} letters, without space or comma")
    return name


def append(path: Path, text: str) -> None:
    """Append to a file that a person may have edited, whose last line may lack its end."""
    with refusals(path), open_plain(path, APPENDING, "ab") as file:
        size = os.fstat(file.fileno()).st_size
        torn = size > 0 and os.pread(file.fileno(), 1, size - 1) != b"\n"
        file.write((b"\n" if torn else b"") + text.encode("utf-8", "replace"))
        os.fsync(file.fileno())
