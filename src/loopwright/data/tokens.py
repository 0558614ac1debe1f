"""Files of tokens that are mapped into memory, never read whole: a corpus may be larger than the memory.

Layout, little-endian: 8 bytes magic, uint32 version, uint32 bytes per token (2 or 4), uint64 number of
tokens, uint32 length of a JSON object that names the tokenizer and the vocabulary's size, that JSON, zeros up
to a multiple of 64, the tokens.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Iterable
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt
import torch
from numpy.lib.stride_tricks import sliding_window_view
from torch import Tensor

from loopwright.errors import DataError
from loopwright.files import write_durably

_MAGIC = b"LWTOKENS"
_VERSION = 1
_HEADER = struct.Struct("<8sIIQI")
_ALIGNMENT = 64
_DTYPES: dict[int, np.dtype[Any]] = {2: np.dtype("<u2"), 4: np.dtype("<u4")}
_WINDOWS_PER_MAPPING = 256  # each may bring in 64 KiB, what the kernel maps around a fault


def write_tokens(path: Path, chunks: Iterable[npt.ArrayLike], vocab_size: int, tokenizer: str) -> int:
    """Write the tokens of all `chunks`, integers in range(vocab_size), and return their number.

    Two bytes a token where the vocabulary allows it, else four. An interrupted write leaves the old file, if
    any. Raises DataError for a token outside the vocabulary, StoreError where the system refuses.
    """
    dtype = _DTYPES[2 if vocab_size <= 1 << 16 else 4]
    about = json.dumps({"tokenizer": tokenizer, "vocab_size": vocab_size}).encode()
    count = 0

    def write(file: BinaryIO) -> None:
        nonlocal count
        file.seek(_data_offset(len(about)))
        for chunk in chunks:
            tokens = np.asarray(chunk)
            _check_tokens(path, tokens, count, vocab_size, tokenizer)
            file.write(tokens.astype(dtype).tobytes())
            count += tokens.size
        file.truncate()  # where there is no token at all, this fills the file up to the offset
        file.seek(0)
        file.write(_HEADER.pack(_MAGIC, _VERSION, dtype.itemsize, count, len(about)) + about)

    write_durably(path, write)
    return count


class TokenFile:
    """The tokens of a file from `write_tokens`: `len(file)` of them, `tokenizer`, `vocab_size`, `windows`.

    Raises DataError, naming the file, what was found and what was expected, where it is missing, foreign or
    damaged.
    """

    def __init__(self, path: Path) -> None:
        if not path.is_file():
            raise DataError(f"{path}: no such token file; make it with write_tokens")
        self.path = path
        with open(path, "rb") as file:
            self._dtype, self._count, self._offset, self.tokenizer, self.vocab_size = _read_header(path, file)
        expected, found = self._offset + self._count * self._dtype.itemsize, path.stat().st_size
        if found != expected:
            raise DataError(
                f"{path}: found {found} bytes, expected {expected} for {self._count} tokens; write it again"
            )
        self._map()

    def __len__(self) -> int:
        return self._count

    def __reduce__(self) -> tuple[type[TokenFile], tuple[Path]]:
        return TokenFile, (self.path,)  # a worker process maps the file itself

    def windows(self, starts: Tensor, length: int) -> Tensor:
        """The tokens from each start on: int64 (B,) to int64 (B, length + 1).

        That is `length` inputs and, shifted by one, as many targets. Raises DataError for a window that
        leaves the file.
        """
        first, last = (int(starts.min()), int(starts.max())) if len(starts) else (0, 0)
        if not 0 <= first <= last < self._count - length:
            raise DataError(
                f"{self.path}: windows of {length + 1} tokens start at {first} to {last}: "
                f"with {self._count} tokens, a start must be from 0 to {self._count - length - 1}"
            )
        self._mapped_windows += len(starts)
        if self._mapped_windows > _WINDOWS_PER_MAPPING:
            self._map()
        windows = sliding_window_view(self._tokens, length + 1)
        return torch.from_numpy(windows[starts.numpy()].astype(np.int64))

    def _map(self) -> None:
        """Map the file anew: pages that were read count as this process's memory until their mapping goes."""
        self._mapped_windows = 0
        shape = (self._count,)
        mapped = np.memmap(self.path, self._dtype, "r", self._offset, shape) if self._count else np.empty(shape)
        self._tokens = np.asarray(mapped, dtype=self._dtype)


def _check_tokens(path: Path, tokens: npt.NDArray[np.generic], count: int, vocab_size: int, tokenizer: str) -> None:
    if not tokens.size:
        return
    if not np.issubdtype(tokens.dtype, np.integer):
        raise DataError(f"{path}: found tokens of {tokens.dtype} after the first {count}: they must be integers")
    if not 0 <= tokens.min() <= tokens.max() < vocab_size:
        raise DataError(
            f"{path}: found tokens from {tokens.min()} to {tokens.max()} after the first {count}: "
            f"the vocabulary of {tokenizer} goes from 0 to {vocab_size - 1}"
        )


def _read_header(path: Path, file: BinaryIO) -> tuple[np.dtype[Any], int, int, str, int]:
    """(dtype, number of tokens, where they begin, tokenizer, vocabulary size)."""
    header = file.read(_HEADER.size)
    if len(header) < _HEADER.size or not header.startswith(_MAGIC):
        raise DataError(f"{path}: found {header[:8]!r} at the start, expected {_MAGIC!r}: not a token file")
    _, version, itemsize, count, about_bytes = _HEADER.unpack(header)
    if version != _VERSION or itemsize not in _DTYPES:
        raise DataError(
            f"{path}: found version {version} with {itemsize} bytes a token, expected version {_VERSION} with 2 or 4"
        )
    try:
        about = json.loads(file.read(about_bytes))
        return _DTYPES[itemsize], count, _data_offset(about_bytes), about["tokenizer"], about["vocab_size"]
    except (ValueError, KeyError) as error:
        raise DataError(f"{path}: the header's JSON is damaged ({error!r}); write the file again") from error


def _data_offset(about_bytes: int) -> int:
    end = _HEADER.size + about_bytes
    return end + -end % _ALIGNMENT
