"""Opening files that a stranger may have made: plain ones only, so that no read hangs, and no more than a limit."""

from __future__ import annotations

import errno
import hashlib
import os
import stat
from pathlib import Path
from typing import BinaryIO, cast

MAX_JSON_BYTES = 16_000_000
"""Of a summary or a table: parsed, it takes some thirty times as much memory. A study of a hundred runs has 300 kB."""


def open_plain(path: Path, flags: int = os.O_RDONLY, mode: str = "rb") -> BinaryIO:
    """The file at `path`, opened. Raises OSError where there is none, or something else: a pipe would be waited for,
    a device read without end.
    """
    descriptor = os.open(path, flags | os.O_NONBLOCK | os.O_CLOEXEC, 0o666)
    try:
        kind = os.fstat(descriptor).st_mode
        if stat.S_ISDIR(kind):
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
        if not stat.S_ISREG(kind):
            raise OSError(errno.EINVAL, "not a plain file", str(path))
    except OSError:
        os.close(descriptor)
        raise
    return cast(BinaryIO, open(descriptor, mode, buffering=-1 if "r" in mode else 0))


def read_at_most(path: Path, limit: int = MAX_JSON_BYTES) -> bytes:
    """The content of the plain file at `path`; OSError where it is longer than `limit` bytes, or cannot be read."""
    with open_plain(path) as file:
        content = file.read(limit + 1)
    if len(content) > limit:
        raise OSError(errno.EFBIG, f"larger than {limit} bytes", str(path))
    return content


def file_sha256(path: Path) -> str:
    """The digest of a plain file. Raises OSError as `read_at_most` does."""
    return hashlib.sha256(read_at_most(path)).hexdigest()
