from __future__ import annotations

import gzip
import struct

import pytest
import torch

from loopwright.data.idx import find_idx, read_idx
from loopwright.errors import DataError


def idx(shape: tuple[int, ...], data: bytes, kind: int = 8) -> bytes:
    return bytes((0, 0, kind, len(shape))) + struct.pack(f">{len(shape)}I", *shape) + data


GOOD = idx((2, 3), bytes(range(6)))


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_a_file_is_read_packed_or_not(tmp_path, pack):
    path = tmp_path / "images"
    path.write_bytes(pack(GOOD))
    tensor = read_idx(path)
    assert tensor.dtype == torch.uint8
    assert tensor.tolist() == [[0, 1, 2], [3, 4, 5]]
    tensor.zero_()  # a copy of one's own, without a warning


def test_a_file_without_samples_is_read(tmp_path):
    (tmp_path / "images").write_bytes(idx((0, 3), b""))
    assert read_idx(tmp_path / "images").shape == (0, 3)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (GOOD[:-2], r"truncated: found 4 bytes of data, expected 6 for the shape \(2, 3\)"),
        (GOOD[:9], r"truncated: found 9 bytes, expected a header of 12"),
        (GOOD + b"x", r"trailing bytes: found 7 bytes of data, expected 6"),
        (b"\x89PNG....", r"found 89 50 4e 47 at the start, expected 00 00 08"),
        (idx((1,), b"1234", kind=0x0D), r"found 00 00 0d 01"),
        (idx((), b""), r"found 00 00 08 00"),
        (b"", r"found nothing at the start"),
        (b"\0\0\x08", r"found 00 00 08 at the start"),
        (b"\0\0\x08\x41" + b"\0\0\0\1" * 65 + b"z", r"claims 65 dimensions"),
        (b"\0\0\x08\x03" + b"\0\0\0\0" + b"\xff" * 8, r"0 bytes of data"),
        (gzip.compress(GOOD, mtime=0)[:-6], r"damaged or truncated gzip file of \d+ bytes"),
        (gzip.compress(GOOD, mtime=0)[:12] + b"\xff" * 30, r"damaged or truncated gzip file"),
        (gzip.compress(GOOD[:-2], mtime=0), r"truncated: found 4 bytes of data"),
    ],
)
def test_a_file_that_is_not_right_is_named_with_what_was_found_and_expected(tmp_path, content, message):
    path = tmp_path / "images"
    path.write_bytes(content)
    with pytest.raises(DataError, match=message) as raised:
        read_idx(path)
    assert str(path) in str(raised.value)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(DataError, match="nowhere: no such file"):
        read_idx(tmp_path / "nowhere")


def test_a_stem_finds_the_packed_file_and_prefers_the_unpacked_one(tmp_path):
    (tmp_path / "a.gz").touch()
    assert find_idx(tmp_path, "a").name == "a.gz"
    (tmp_path / "a").touch()
    assert find_idx(tmp_path, "a").name == "a"


def test_a_stem_that_is_not_there_is_named_both_ways(tmp_path):
    with pytest.raises(DataError, match=r"found neither a nor a\.gz; .*--task\.data-dir .*LOOPWRIGHT_DATA"):
        find_idx(tmp_path, "a")
