"""One checkpoint, one file: what `torch.save` writes, and behind it a digest of every byte.

Readers of plain PyTorch can still `torch.load` such a file (the trailer stands behind the zip archive and is ignored).
Ours verify the digest first: `torch.load` alone notices about one in two hundred flipped bits. The digest is XXH3-128
(xxHash), which reads memory as fast as it can be read; it detects damage, it does not authenticate.
"""

from __future__ import annotations

import re
import struct
import zipfile
from collections.abc import Mapping
from pathlib import Path
from pickle import UnpicklingError
from typing import Any, BinaryIO, cast

import torch
import xxhash
from torch import Tensor

from loopwright.errors import CheckpointError
from loopwright.files import write_durably
from loopwright.reading import open_plain
from loopwright.store.plain import plain

FORMAT = 1
TRAILER = re.compile(rb"\nloopwright-xxh3-128 ([0-9a-f]{32}) ([0-9]{20})\n")
TRAILER_BYTES = 75
BLOCK_BYTES = 1 << 20

UNREADABLE = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    EOFError,
    LookupError,
    MemoryError,
    NotImplementedError,
    RuntimeError,
    TypeError,
    UnpicklingError,
    UserWarning,  # where warnings are errors
    ValueError,
    struct.error,
    zipfile.BadZipFile,
)
"""What torch's restricted reader raises on an archive that was not made by `torch.save` from plain content."""


class Digesting:
    """A file that is written to, with the digest and the count of what went through, and the first failure."""

    def __init__(self, file: BinaryIO) -> None:
        self.file = file
        self.hash = xxhash.xxh3_128()
        self.count = 0
        self.failure: OSError | None = None

    def write(self, block: bytes | memoryview) -> int:
        """Write all of `block`."""
        try:
            self.file.write(block)
        except OSError as error:
            self.failure = self.failure or error
            raise
        self.hash.update(block)
        self.count += len(block)
        return len(block)

    def flush(self) -> None:
        """Pass on."""
        self.file.flush()

    def trailer(self) -> bytes:
        """The line that goes behind the content."""
        return b"\nloopwright-xxh3-128 %s %020d\n" % (self.hash.hexdigest().encode(), self.count)


def write_checkpoint(path: Path, content: Mapping[str, Any]) -> None:
    """Write `content` (tensors and plain values, nested) so that `path` holds all of it or what it held before.

    Raises StoreError where the file cannot be written, or where `content` holds anything that could not be read back.
    """
    archived = plain({**content, "format": FORMAT}, lambda tensor, place: whole(tensor.detach()))

    def fill(file: BinaryIO) -> None:
        digesting = Digesting(file)
        try:
            torch.save(archived, cast(BinaryIO, digesting))
        except RuntimeError as error:
            # To a write that failed, the archive's writer in C++ adds a complaint of its own, which hides the cause.
            raise digesting.failure or error from None
        file.write(digesting.trailer())

    write_durably(path, fill)


def whole(tensor: Tensor) -> Tensor:
    """`tensor` in memory of its own size; one that was expanded is copied."""
    return tensor.contiguous() if reaches_beyond(tensor) else tensor


def reaches_beyond(tensor: Tensor) -> bool:
    """Whether as many elements, from the first one on, are more than the tensor's memory holds."""
    if tensor.layout != torch.strided:
        return False
    end = tensor.storage_offset() * tensor.element_size() + tensor.nbytes
    return end > tensor.untyped_storage().nbytes()


def read_checkpoint(path: Path) -> dict[str, Any]:
    """The content of a checkpoint, tensors on the CPU. Verified before it is parsed; never runs code of the file's.

    Raises CheckpointError where the file is missing, damaged, cut short or from a newer version.
    """
    try:
        with open_plain(path) as file:
            verify(file, path)
            content = parse(file, path)
    except OSError as error:
        raise CheckpointError(f"{path}: cannot be read ({error.strerror}); name an existing checkpoint") from error
    found = content.get("format")
    if not isinstance(found, int):
        raise CheckpointError(f"{path}: says no format; a Loopwright checkpoint is expected")
    if found != FORMAT:
        raise CheckpointError(f"{path}: written in format {found}, this version reads {FORMAT}; upgrade Loopwright")
    return content


def verify(file: BinaryIO, path: Path) -> None:
    """Raise CheckpointError unless `file` ends with the right digest of all before; leaves it at its start."""
    archive_bytes = max(0, file.seek(0, 2) - TRAILER_BYTES)
    file.seek(archive_bytes)
    match = TRAILER.fullmatch(file.read())
    if match is None:
        raise CheckpointError(f"{path}: no digest at the end, so it is cut short or not a Loopwright checkpoint")
    file.seek(0)
    digest, left = xxhash.xxh3_128(), archive_bytes
    while block := file.read(min(left, BLOCK_BYTES)):
        digest.update(block)
        left -= len(block)
    if int(match[2]) != archive_bytes or digest.hexdigest().encode() != match[1]:
        raise CheckpointError(f"{path}: damaged, its {archive_bytes} bytes do not have the digest recorded with them")
    file.seek(0)


def parse(file: BinaryIO, path: Path) -> dict[str, Any]:
    """The content of a verified file; raises CheckpointError where it holds anything but tensors and plain values."""
    try:
        check_archive(file)
        content = torch.load(file, map_location="cpu", weights_only=True)
    except UNREADABLE as error:
        wanted = re.search(r"GLOBAL ([\w.]+)", str(error))
        found = f"it wants to call {wanted[1]}" if wanted else type(error).__name__
        raise CheckpointError(f"{path}: holds more than tensors and plain values ({found}), it was not read") from error
    if not isinstance(content, dict):
        raise CheckpointError(f"{path}: holds a {type(content).__name__}; a checkpoint is a dict")
    check_values(content, path)
    return content


def check_archive(file: BinaryIO) -> None:
    """Raise ValueError unless each part of the archive is stored as it is, once; leaves `file` at its start.

    What `torch.save` writes is. A compressed part of a megabyte can fill a gigabyte of memory.
    """
    with zipfile.ZipFile(file) as archive:
        parts = archive.infolist()
    if len({part.filename for part in parts}) < len(parts):
        raise ValueError("a part occurs twice")
    if any(part.compress_type != zipfile.ZIP_STORED for part in parts):
        raise ValueError("a part is compressed")
    file.seek(0)


def check_values(content: Any, path: Path) -> None:
    """Raise CheckpointError unless `content` could have been written by `write_checkpoint`.

    What occurs in itself, or again and again, is walked through without end. A tensor larger than the memory that it
    lies in takes its whole size when it is copied, and a fused kernel would walk on behind that memory.
    """
    waiting, seen = [content], set()
    while waiting:
        value = waiting.pop()
        if isinstance(value, Tensor):
            if reaches_beyond(value):
                raise CheckpointError(f"{path}: holds a tensor larger than its memory, {tuple(value.shape)}")
        elif isinstance(value, dict | list | tuple):
            if id(value) in seen and value:
                raise CheckpointError(f"{path}: holds a {type(value).__name__} twice or inside itself")
            seen.add(id(value))
            waiting += [*value, *value.values()] if isinstance(value, dict) else value
        elif not isinstance(value, bool | int | float | str | None):
            raise CheckpointError(f"{path}: holds a {type(value).__name__}, neither a tensor nor a plain value")
