"""What has been read of a long history, kept beside the runs, so that it is read once and then read on from there.

A cache is derived: it can be deleted at any time, and where it does not fit its history, it is left aside.
"""

from __future__ import annotations

import hashlib
import json
import mmap
import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from loopwright.derived import folder_of
from loopwright.errors import StoreError
from loopwright.files import write_durably
from loopwright.reading import open_plain
from loopwright.report.columns import Columns, Floats, Reading

WORTH = 4_000_000
"""Bytes of history from which a cache pays; less is read in a few hundredths of a second."""

MAGIC = b"loopwright history columns 1\n"
SAMPLES, SAMPLE_BYTES = 16, 1024
FIELDS = ("lines", "lost", "first_lost", "before")


@dataclass(frozen=True, slots=True)
class Mark:
    """Which history, and how far: its `end` bytes, and samples of them, are what they were when it had `size` bytes."""

    inode: int
    size: int
    modified: int
    end: int
    samples: str

    @staticmethod
    def of(file: BinaryIO, status: os.stat_result, end: int) -> Mark:
        """The mark at byte `end` of an open history that had this `status` before it was read."""
        return Mark(status.st_ino, status.st_size, status.st_mtime_ns, end, samples(file, end))

    def fits(self, file: BinaryIO) -> bool:
        """Whether the open history is the same, or the same with more at its end."""
        status = os.fstat(file.fileno())
        same = (status.st_size, status.st_mtime_ns) == (self.size, self.modified)
        known = status.st_ino == self.inode and (same or status.st_size > self.size >= self.end)
        return known and samples(file, self.end) == self.samples


def samples(file: BinaryIO, end: int) -> str:
    """The digest of some pieces of the first `end` bytes, the first and the last among them."""
    last = max(0, end - SAMPLE_BYTES)
    digest = hashlib.sha256()
    for number in range(SAMPLES):
        digest.update(os.pread(file.fileno(), min(SAMPLE_BYTES, end), last * number // (SAMPLES - 1)))
    return digest.hexdigest()


def cache_of(history: Path) -> Path | None:
    """Where the cache of this history lies; None where there can be none."""
    folder = folder_of(history.parent.parent)
    if folder is None:
        return None
    place = os.path.relpath(os.path.realpath(history), folder.parent)
    return folder / "histories" / f"{hashlib.sha256(place.encode('utf-8', 'surrogateescape')).hexdigest()[:24]}.columns"


def load(cache: Path, history: BinaryIO) -> tuple[Reading, int]:
    """What the cache holds of the open history, and how many bytes of it that were; nothing where it does not fit."""
    with suppress(OSError, ValueError, TypeError, KeyError, RecursionError), open_plain(cache) as file:
        mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        start = mapped.find(b"\n", len(MAGIC)) + 1
        if mapped[: len(MAGIC)] == MAGIC and start:
            size = int(mapped[len(MAGIC) : start])
            header = json.loads(mapped[start : start + size])
            mark = Mark(**header["mark"])
            if mark.fits(history):
                return restored(header, mapped, start + size), mark.end
    return Reading(), 0


def restored(header: dict[str, Any], mapped: mmap.mmap, start: int) -> Reading:
    """The reading as it was saved; its columns stay in the file until they are looked at.

    Raises ValueError, TypeError or KeyError where the file is not what was written.
    """
    found: list[Floats] = []
    for length in header["lengths"]:
        found.append(np.frombuffer(mapped, dtype="<f8", count=int(length), offset=start))
        start += 8 * int(length)
    if start != len(mapped):
        raise ValueError("torn")
    names, columns = header["names"], iter(found)
    kept = Columns(next(columns), dict(zip(names, columns, strict=False)), {})
    kept = Columns(kept.steps, kept.values, dict(zip(names, found[1 + len(names) :], strict=True)))
    reading = Reading(**{name: header[name] for name in FIELDS}, kept=kept)
    for kind, records in header["others"].items():
        reading.others[kind] = list(records)
    return reading


def save(cache: Path, reading: Reading, mark: Mark) -> None:
    """Keep what has been read; nothing happens where that cannot be written."""
    columns = reading.columns()
    arrays = [columns.steps, *columns.values.values(), *(columns.absent[name] for name in columns.values)]
    header = {
        "mark": {name: getattr(mark, name) for name in Mark.__slots__},
        **{name: getattr(reading, name) for name in FIELDS},
        "names": list(columns.values),
        "lengths": [len(array) for array in arrays],
        "others": reading.others,
    }
    text = json.dumps(header).encode()
    # The columns start at a multiple of eight bytes.
    text += b" " * (-(len(MAGIC) + 9 + len(text)) % 8)

    def write(file: BinaryIO) -> None:
        file.write(MAGIC + f"{len(text):08d}\n".encode() + text)
        for array in arrays:
            file.write(np.ascontiguousarray(array, dtype="<f8").data)

    with suppress(OSError, StoreError):
        cache.parent.mkdir(exist_ok=True)
        if not cache.parent.is_symlink():
            write_durably(cache, write)
