from __future__ import annotations

import random

import pytest
import torch

from guarantees.damage import DAMAGES, Reader, campaign, measure
from guarantees.equal import bits
from guarantees.section import Scale
from loopwright.errors import CheckpointError


def test_no_damage_is_read_as_something_else():
    section = measure(Scale.QUICK)
    assert section.violations == ()
    rows = {row[:2]: row[3:] for row in section.rows}
    assert rows["checkpoint, read_checkpoint", "one bit flipped"] == (100, 0, 0, 0)
    assert rows["checkpoint, newest_good", "one bit flipped"] == (0, 100, 0, 0)


@pytest.mark.parametrize("damage", DAMAGES)
def test_damage_is_done_and_undone(tmp_path, damage):
    path = tmp_path / "a"
    path.write_bytes(random.Random(0).randbytes(10_000))
    before, seen = path.read_bytes(), []
    reader = Reader("bytes", path, lambda: seen.append(path.read_bytes()), ())
    campaign(reader, damage, 20)
    assert path.read_bytes() == before
    assert all(data != before for data in seen[1:])
    assert len(set(seen)) > 10


@pytest.mark.parametrize(
    ("read", "words"),
    [
        (lambda path: path.read_bytes(), "wrong"),
        (lambda path: 1 // (path.read_bytes() == b"0123456789"), "foreign: ZeroDivisionError"),
    ],
)
def test_a_reader_that_breaks_a_promise_is_found_out(tmp_path, read, words):
    path = tmp_path / "a"
    path.write_bytes(b"0123456789")
    _, broken = campaign(Reader("careless", path, lambda: read(path), (CheckpointError,)), "one bit flipped", 5)
    assert len(broken) == 5
    assert all(words in line for line in broken)


def test_a_comparison_tells_bits_apart():
    assert bits(0.0) != bits(-0.0)
    assert bits([float("nan")]) == bits([float("nan")])
    assert bits({"a": 1}) != bits({"a": True})
    assert bits({"a": torch.zeros(2)}) != bits({"a": -torch.zeros(2)})
    assert bits({"a": torch.zeros(2)}) != bits({"a": torch.zeros(2, dtype=torch.int32)})
    assert bits({"a": 1}) != bits({"a": 1, "b": 2})
