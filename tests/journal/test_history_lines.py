from __future__ import annotations

import json
import math
import struct
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loopwright.journal import comparable, read_history, revive, scan_history, to_line

numbers = st.floats() | st.integers() | st.text()
values = st.recursive(
    numbers, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3), max_leaves=8
)


def refuse(constant: str) -> None:
    raise ValueError(f"{constant} is not JSON")


def bits(value: float) -> bytes:
    return struct.pack("<d", value)


@given(record=st.dictionaries(st.text(), values, max_size=4))
@settings(max_examples=100, deadline=None)
def test_every_record_is_one_line_of_strict_json(record):
    line = to_line(record)
    assert "\n" not in line
    assert line.isascii()
    assert isinstance(json.loads(line, parse_constant=refuse), dict)


@given(value=st.floats(allow_nan=False))
def test_floats_come_back_bit_for_bit(value):
    assert bits(revive(json.loads(to_line({"x": value})))["x"]) == bits(value)


def test_non_finite_floats_are_strings_and_come_back():
    line = to_line({"loss": {"total": math.nan}, "bounds": [math.inf, (-math.inf, 1.0)]})
    assert line == '{"loss":{"total":"nan"},"bounds":["inf",["-inf",1.0]]}'
    found = revive(json.loads(line))
    assert math.isnan(found["loss"]["total"])
    assert found["bounds"] == [math.inf, [-math.inf, 1.0]]


def test_the_clock_is_not_compared():
    assert comparable({"kind": "step", "seconds": 3.5}) == {"kind": "step"}


def test_a_history_that_is_not_there_is_empty(tmp_path):
    assert read_history(tmp_path / "history.jsonl") == []
    with pytest.raises(FileNotFoundError):
        list(scan_history(tmp_path / "history.jsonl"))


def write(path: Path, *lines: bytes) -> Path:
    path.write_bytes(b"\n".join(lines))
    return path


def test_what_is_no_record_is_left_out_and_told(tmp_path):
    path = write(
        tmp_path / "a", b'{"a":1}', b"", b"[1]", b"7", b"\xff\xfe", b"[" * 100_000, b"\0" * 50, b'{"a":2}', b'{"a"'
    )
    unreadable: list[int] = []
    assert list(scan_history(path, unreadable=unreadable.append)) == [{"a": 1}, {"a": 2}]
    assert unreadable == [3, 4, 5, 6, 7, 9]  # an empty line is not a lost one
    assert read_history(path) == [{"a": 1}, {"a": 2}]


def test_a_history_is_read_with_strings_or_with_floats(tmp_path):
    path = write(tmp_path / "a", b'{"a":"nan","b":"-inf"}', b'{"a":1.5}')
    assert read_history(path) == [{"a": "nan", "b": "-inf"}, {"a": 1.5}]
    first, second = scan_history(path, revived=True)
    assert math.isnan(first["a"])
    assert (first["b"], second["a"]) == (-math.inf, 1.5)


@given(data=st.binary(max_size=200))
@settings(max_examples=60, deadline=None)
def test_no_bytes_at_all_stop_the_reader(tmp_path_factory, data):
    path = tmp_path_factory.getbasetemp() / "bytes.jsonl"
    path.write_bytes(data)
    assert all(isinstance(record, dict) for record in read_history(path))
