"""Writing a file so that a crash or a full disk leaves the old one or the new one, never a torn one."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

from loopwright.errors import StoreError


def write_durably(path: Path, write: Callable[[BinaryIO], object]) -> None:
    """Let `write` fill a temporary file beside `path`; flush, fsync, rename, fsync the directory.

    Raises StoreError where the system refuses (a full disk, say); what was at `path` is then untouched.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with open(temporary, "wb") as file:
            write(file)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
        sync_directory(path.parent)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise StoreError(f"{path}: {error.strerror}; make room or choose another --run-dir, then resume") from error


def write_text(path: Path, text: str) -> None:
    """`write_durably` for text in UTF-8."""
    write_durably(path, lambda file: file.write(text.encode()))


def link_durably(existing: Path, name: Path) -> None:
    """Make `name` a second name of the file `existing` at once (a copy where the file system has no hard links)."""
    temporary = name.with_name(f".{name.name}.{os.getpid()}.tmp")
    temporary.unlink(missing_ok=True)
    try:
        os.link(existing, temporary)
    except OSError:
        write_durably(name, lambda file: file.write(existing.read_bytes()))
        return
    os.replace(temporary, name)
    sync_directory(name.parent)


def sync_directory(directory: Path) -> None:
    """Make renames inside `directory` durable."""
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
