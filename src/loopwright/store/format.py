"""One checkpoint, one file: what `torch.save` writes, and behind it a digest of every byte.

Readers of plain PyTorch can still `torch.load` such a file (the trailer stands behind the zip archive and is ignored). Ours verify
the digest first: `torch.load` alone notices about one in two hundred flipped bits. The digest is XXH3-128 (xxHash), which reads
memory as fast as it can be read; it detects damage, it does not authenticate.
"""

from __future__ import annotations

import io
import re
from collections.abc import Mapping
from pathlib import Path
from pickle import UnpicklingError
from typing import Any, BinaryIO, cast

import torch
import xxhash

from loopwright.errors import CheckpointError
from loopwright.files import write_durably

FORMAT = 1
TRAILER = re.compile(rb"\nloopwright-xxh3-128 ([0-9a-f]{32}) (\d{20})\n\Z")
TRAILER_BYTES = 75


class Digesting:
    """A file that is written to, with the digest and the count of what went through."""

    def __init__(self, file: BinaryIO) -> None:
        self.file = file
        self.hash = xxhash.xxh3_128()
        self.count = 0

    def write(self, block: bytes | memoryview) -> int:
        """Write all of `block`."""
        self.hash.update(block)
        self.count += len(block)
        self.file.write(block)
        return len(block)

    def flush(self) -> None:
        """Pass on."""
        self.file.flush()

    def trailer(self) -> bytes:
        """The line that goes behind the content."""
        return b"\nloopwright-xxh3-128 %s %020d\n" % (self.hash.hexdigest().encode(), self.count)


def write_checkpoint(path: Path, content: Mapping[str, Any]) -> None:
    """Write `content` (tensors and plain values, nested) so that `path` holds all of it or what it held before.

    Raises StoreError where the file cannot be written.
    """

    def fill(file: BinaryIO) -> None:
        digesting = Digesting(file)
        torch.save({"format": FORMAT, **content}, cast(BinaryIO, digesting))
        file.write(digesting.trailer())

    write_durably(path, fill)


def read_checkpoint(path: Path) -> dict[str, Any]:
    """The content of a checkpoint, tensors on the CPU. Verified before a byte of it is parsed; never runs code of the file's.

    Raises CheckpointError where the file is missing, damaged, cut short or from a newer version.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise CheckpointError(f"{path}: {error.strerror}; name an existing checkpoint") from error
    content = parse(verified(data, path), path)
    if content.get("format") != FORMAT:
        raise CheckpointError(
            f"{path}: written in format {content.get('format')}, this version reads {FORMAT}; upgrade Loopwright"
        )
    return content


def verified(data: bytes, path: Path) -> memoryview:
    """The archive inside `data`, if the digest behind it is right; raises CheckpointError if not."""
    match = TRAILER.search(data[-TRAILER_BYTES:])
    if match is None:
        raise CheckpointError(f"{path}: no digest at the end, so it is cut short or not a Loopwright checkpoint")
    archive = memoryview(data)[: -len(match.group())]
    if int(match[2]) != len(archive) or xxhash.xxh3_128_hexdigest(archive).encode() != match[1]:
        raise CheckpointError(f"{path}: damaged, its {len(archive)} bytes do not have the digest recorded with them")
    return archive


def parse(archive: memoryview, path: Path) -> dict[str, Any]:
    """The nested content of a verified archive; raises CheckpointError where it holds anything but tensors and plain values."""
    try:
        content = torch.load(io.BytesIO(archive), map_location="cpu", weights_only=True)
    except (
        RuntimeError,
        ValueError,
        KeyError,
        EOFError,
        UnpicklingError,
    ) as error:
        first = str(error).partition("\n")[0]
        raise CheckpointError(f"{path}: not a checkpoint of tensors and plain values ({first})") from error
    if not isinstance(content, dict):
        raise CheckpointError(f"{path}: holds a {type(content).__name__}, a checkpoint is a dict")
    return content
