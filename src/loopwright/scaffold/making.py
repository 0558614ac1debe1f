"""Writing a project: all of it, or nothing; never over anything that is there."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from loopwright.errors import UsageError, some
from loopwright.files import make_directory, refusals
from loopwright.scaffold.origin import HOME, Files, Origin


def make_project(directory: Path, files: Files, origin: Origin) -> None:
    """Write `files`, and what the project is to remember, into `directory`, which is new or empty.

    Raises UsageError where there is something in it, StoreError where it cannot be written; it is then as it was.
    """
    check_empty(directory)
    pristine = {f"{HOME}/pristine/{path}": text for path, text in files.items()}
    with gathered(directory) as temporary, refusals(directory):
        for path, text in {**files, **pristine, f"{HOME}/origin.json": origin.text()}.items():
            place = temporary / path
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_text(text, encoding="utf-8")


def check_empty(directory: Path) -> None:
    """Raise UsageError unless a project may be made at `directory`."""
    if not os.path.lexists(directory):
        return
    if not directory.is_dir():
        raise UsageError(f"{directory}: there is a file of that name; name a new or an empty directory")
    with refusals(directory):
        there = sorted(entry.name for entry in directory.iterdir())
    if there:
        raise UsageError(
            f"{directory}: not empty, it has {some(there)}; name a new or an empty directory, nothing is written over"
        )


@contextmanager
def gathered(directory: Path) -> Iterator[Path]:
    """A new directory beside `directory`, which at the end becomes it; where something fails, nothing is left.

    In one that exists already, the working directory perhaps, the entries are moved instead.
    """
    exists = directory.is_dir()
    parent = directory if exists else directory.absolute().parent
    missing = [path for path in (parent, *parent.parents) if not path.is_dir()]
    make_directory(parent)
    with refusals(parent):
        temporary = Path(tempfile.mkdtemp(prefix=".loopwright-new-", dir=parent))
    moved: list[Path] = []
    try:
        yield temporary
        with refusals(directory):
            if exists:
                for entry in sorted(temporary.iterdir()):
                    place = directory / entry.name
                    os.rename(entry, place)
                    moved.append(place)
                temporary.rmdir()
            else:
                temporary.chmod(0o777 & ~umask())
                os.rename(temporary, directory)
    except BaseException:
        shutil.rmtree(temporary, ignore_errors=True)
        for place in moved:
            shutil.rmtree(place) if place.is_dir() else place.unlink()
        for path in missing:
            path.rmdir()
        raise


def umask() -> int:
    """The bits that new files of this process do not get; mkdtemp gives its directory to the owner alone."""
    mask = os.umask(0)
    os.umask(mask)
    return mask
