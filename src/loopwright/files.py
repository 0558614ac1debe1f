"""Writing a file so that a crash or a full disk leaves the old one or the new one, never a torn one."""

from __future__ import annotations

import errno
import os
import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryFile
from typing import BinaryIO

from loopwright.errors import RunError, StoreError
from loopwright.reading import open_plain

HEAD_BYTES = 2000


def write_durably(path: Path, write: Callable[[BinaryIO], object]) -> None:
    """Let `write` fill a temporary file beside `path`; flush, fsync, rename, fsync the directory.

    Raises StoreError where the system refuses (a full disk, say). Whatever is raised, `path` is then as it was.
    """
    with replacing(path) as temporary:
        fill(temporary, write)


def write_text(path: Path, text: str) -> None:
    """`write_durably` for text in UTF-8."""
    write_durably(path, lambda file: file.write(text.encode()))


def link_durably(existing: Path, name: Path, link: Callable[[Path, Path], None] = os.link) -> None:
    """Make `name` a second name of the file `existing` at once; a copy of it where `link` is refused.

    Raises StoreError where neither can be made; `name` is then as it was.
    """
    with replacing(name) as temporary:
        try:
            link(existing, temporary)
        except OSError:
            with open(existing, "rb") as source:
                fill(temporary, lambda file: shutil.copyfileobj(source, file))


def make_directory(directory: Path) -> None:
    """Make `directory` and what is missing above it, durably. Raises StoreError where the system refuses."""
    with refusals(directory):
        missing = [path for path in (directory, *directory.parents) if not path.is_dir()]
        directory.mkdir(parents=True, exist_ok=True)
        for path in missing:
            sync_directory(path.parent)


def check_folder(directory: Path) -> None:
    """Raise RunError where `directory`, or what there is of the places above it, is something else."""
    found = next(place for place in (directory, *directory.absolute().parents) if os.path.lexists(place))
    if not found.is_dir():
        raise RunError(f"{found}: not a directory; choose another --out")


def try_writing(directory: Path) -> None:
    """Make `directory`, and write into it what is gone at once: before hours are spent on what is to be kept there.

    Raises RunError where something else is in the way, StoreError where the system refuses.
    """
    check_folder(directory)
    make_directory(directory)
    with refusals(directory), TemporaryFile(dir=directory):
        pass


def mark(verb: str, kind: str) -> str:
    """The sign of `loopwright VERB` near the beginning of a file that it makes. `kind`: html, md or json."""
    maker = f"loopwright {verb}"
    signs = {"html": f'content="{maker}"', "md": f"<!-- made by {maker} -->", "json": f'"made_by": "{maker}"'}
    return signs[kind]


def check_ours(path: Path, verb: str, remedy: str = "choose another --out") -> None:
    """Raise RunError where something is at `path` that `loopwright VERB` has not made: it is not written over."""
    if not os.path.lexists(path):
        return
    head = b""
    with suppress(OSError), open_plain(path, os.O_RDONLY | os.O_NOFOLLOW) as file:
        head = file.read(HEAD_BYTES)
    if mark(verb, path.suffix[1:]).encode() not in head:
        raise RunError(f"{path}: is there already, and `loopwright {verb}` did not make it; {remedy}")


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A temporary name beside `path` for use inside; what is there at the end becomes `path` at once, durably.

    Raises StoreError where the system refuses. Whatever is raised inside, `path` is as it was and the temporary
    one is gone.
    """
    # A thread's number is unique on the machine, so no one else writes under this name.
    temporary = path.with_name(f".{path.name}.{threading.get_native_id()}.tmp")
    try:
        with refusals(path):
            # What a killed process has left may be a second name of a good file: never to be opened for writing.
            temporary.unlink(missing_ok=True)
            yield temporary
            os.replace(temporary, path)
            sync_directory(path.parent)
    finally:
        with suppress(OSError):
            temporary.unlink()


@contextmanager
def refusals(path: Path) -> Iterator[None]:
    """What the system refuses inside is raised as a StoreError about `path`."""
    try:
        yield
    except OSError as error:
        reason = error.strerror or error
        raise StoreError(f"{path}: cannot be written ({reason}); {remedy(error.errno)}") from error


def remedy(number: int | None) -> str:
    """What to do where the system refuses to write for the reason `number`."""
    if number in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return "make room there, or choose another place"
    if number in (errno.EACCES, errno.EPERM, errno.EROFS):
        return "allow writing there, or choose another place"
    return "mend that, or choose another place"


@contextmanager
def reading(path: Path) -> Iterator[None]:
    """What the system refuses inside is raised as a RunError about `path`."""
    try:
        yield
    except OSError as error:
        raise RunError(f"{path}: cannot be read ({error.strerror or error}); mend that, and try again") from error


def fill(path: Path, write: Callable[[BinaryIO], object]) -> None:
    """Let `write` fill a new file at `path`, and wait until it is on the disk."""
    with open(path, "xb") as file:
        write(file)
        file.flush()
        os.fsync(file.fileno())


def sync_directory(directory: Path, fsync: Callable[[int], None] = os.fsync) -> None:
    """Make new names inside `directory` durable, where its file system knows how. Raises OSError where that fails."""
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        fsync(descriptor)
    except OSError as error:
        # Some network and FUSE file systems have no fsync for directories.
        if error.errno not in (errno.EINVAL, errno.ENOTSUP):
            raise
    finally:
        os.close(descriptor)
