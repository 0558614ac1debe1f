"""IDX files, the format of MNIST: a big-endian header with the shape, then the bytes; gzipped or not.

The format is described at the end of http://yann.lecun.com/exdb/mnist.
"""

from __future__ import annotations

import gzip
import math
import struct
import zlib
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from loopwright.errors import DataError

_GZIP = b"\x1f\x8b"
_UNSIGNED_BYTES = b"\x00\x00\x08"


def find_idx(directory: Path, stem: str) -> Path:
    """The file `stem` or `stem.gz` in `directory`; raises DataError, naming both, where there is neither."""
    for name in (stem, f"{stem}.gz"):
        if (directory / name).is_file():
            return directory / name
    raise DataError(
        f"{directory}: found neither {stem} nor {stem}.gz; "
        "name the directory that holds them with --task.data-dir or the variable LOOPWRIGHT_DATA"
    )


MOST_DIMENSIONS = 8
MOST_SAMPLES = 2**31


def read_idx(path: Path) -> Tensor:
    """The file's uint8 tensor; raises DataError for a missing, foreign, truncated or overlong file."""
    content = _unpacked(path)
    rank = content[3] if len(content) > 3 else 0
    if not content.startswith(_UNSIGNED_BYTES) or rank == 0:
        found = content[:4].hex(" ") or "nothing"
        raise DataError(f"{path}: found {found} at the start, expected 00 00 08 and the rank: not an IDX file of bytes")
    if rank > MOST_DIMENSIONS:
        raise DataError(
            f"{path}: claims {rank} dimensions, at most {MOST_DIMENSIONS} are read; it is damaged, get it again"
        )
    offset = 4 + 4 * rank
    if len(content) < offset:
        raise DataError(f"{path}: truncated: found {len(content)} bytes, expected a header of {offset}; get it again")
    shape = struct.unpack_from(f">{rank}I", content, 4)
    expected, found_bytes = math.prod(shape), len(content) - offset
    if found_bytes != expected or max(shape) > MOST_SAMPLES:
        problem = "truncated" if found_bytes < expected else "trailing bytes"
        raise DataError(
            f"{path}: {problem}: found {found_bytes} bytes of data, "
            f"expected {expected} for the shape {shape}; get it again"
        )
    return torch.from_numpy(np.frombuffer(content, np.uint8, offset=offset).copy().reshape(shape))


def _unpacked(path: Path) -> bytes:
    if not path.is_file():
        raise DataError(f"{path}: no such file")
    content = path.read_bytes()
    if not content.startswith(_GZIP):
        return content
    try:
        return gzip.decompress(content)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise DataError(
            f"{path}: damaged or truncated gzip file of {len(content)} bytes ({error}); get it again"
        ) from error
