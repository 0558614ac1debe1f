from __future__ import annotations

import enum
import io
import os
import random
import zipfile
from collections import Counter, OrderedDict, namedtuple
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from loopwright.errors import CheckpointError, StoreError
from loopwright.store import read_checkpoint, write_checkpoint
from tests.store.full_disk import room_for
from tests.store.sealing import archive, seal

Point = namedtuple("Point", "x y")


class Color(str, enum.Enum):  # noqa: UP042 - the older way, whose text is not its value
    RED = "red"


def small(path: Path) -> bytes:
    write_checkpoint(path, {"weights": torch.arange(200.0), "step": 3, "names": ["a", ("b", None)]})
    return path.read_bytes()


def round_trip(path: Path, value: object) -> object:
    write_checkpoint(path, {"value": value})
    return read_checkpoint(path)["value"]


def refused(path: Path) -> bool:
    try:
        read_checkpoint(path)
    except CheckpointError as error:
        return str(path) in str(error)
    return False


def noticed(path: Path, offset: int, block: bytes) -> bool:
    """Whether the checkpoint at `path` is refused while `block` stands at `offset`; it is repaired afterwards."""
    with open(path, "r+b", buffering=0) as file:
        file.seek(offset)
        before = file.read(len(block))
        os.pwrite(file.fileno(), block, offset)
        found = refused(path)
        os.pwrite(file.fileno(), before, offset)
    return found


scalars = st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats() | st.text(max_size=300)
keys = st.text(max_size=5) | st.integers() | st.tuples(st.integers(), st.text(max_size=2))
values = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.lists(inner, max_size=4).map(tuple)
        | st.dictionaries(keys, inner, max_size=4)
        | st.dictionaries(keys, inner, max_size=4).map(OrderedDict)
    ),
    max_leaves=12,
)


@given(value=values)
@settings(max_examples=60, deadline=None)
def test_plain_values_come_back_as_they_were(tmp_path_factory, value):
    path = tmp_path_factory.getbasetemp() / "plain.pt"
    # The text tells kinds, -0.0 and NaN apart where == does not.
    assert repr(round_trip(path, value)) == repr(value)


@pytest.mark.parametrize("dtype", [torch.float64, torch.bfloat16, torch.complex64, torch.int8, torch.bool])
def test_tensors_come_back_bit_for_bit(tmp_path, dtype):
    tensor = torch.randn(3, 4, 5).mul(3).to(dtype)
    found = round_trip(tmp_path / "a.pt", [tensor, tensor[1, 2, 3], tensor[:0]])
    for one, other in zip(found, [tensor, tensor[1, 2, 3], tensor[:0]], strict=True):
        assert torch.equal(one, other)
        assert one.dtype == dtype


def test_a_parameter_comes_back_without_its_graph(tmp_path):
    found = round_trip(tmp_path / "a.pt", nn.Linear(2, 2).weight)
    assert type(found) is Tensor
    assert not found.requires_grad


def test_numbers_of_numpy_and_enums_become_plain(tmp_path):
    odd = [np.float64(0.1), np.float32(0.5), np.int32(3), np.bool_(True), np.str_("x"), Color.RED, Point(1, np.int8(2))]
    odd += [np.longdouble(0.5), torch.Size([2, 3]), {np.int64(4): 1}, Counter("aab")]
    assert repr(round_trip(tmp_path / "a.pt", odd)) == repr(
        [0.1, 0.5, 3, True, "x", "red", (1, 2), 0.5, (2, 3), {4: 1}, Counter({"a": 2, "b": 1})]
    )


def test_the_versions_of_a_models_parts_are_kept(tmp_path):
    found = round_trip(tmp_path / "a.pt", nn.BatchNorm1d(2).state_dict())
    assert found._metadata == OrderedDict({"": {"version": 2}})


@pytest.mark.parametrize(
    "value", [np.zeros(2), Path("x"), b"", {1}, 1j, object(), print, np.datetime64("2026-01-01"), torch.device("cpu")]
)
def test_what_could_not_be_read_back_is_refused_when_saving(tmp_path, value):
    before = small(tmp_path / "a.pt")
    with pytest.raises(StoreError, match=rf"extra\.0\.deep: received a {type(value).__name__}; convert it"):
        write_checkpoint(tmp_path / "a.pt", {"extra": [{"deep": value}]})
    assert (tmp_path / "a.pt").read_bytes() == before


def test_plain_pytorch_reads_our_files(tmp_path):
    path = tmp_path / "a.pt"
    small(path)
    for options in ({}, {"mmap": True}):
        found = torch.load(path, weights_only=True, **options)
        assert torch.equal(found["weights"], torch.arange(200.0))
        assert found["step"] == 3
    assert zipfile.ZipFile(path).testzip() is None


def test_every_flipped_bit_is_noticed(tmp_path):
    path = tmp_path / "a.pt"
    data, draw, missed = small(path), random.Random(0), 0
    for _ in range(2000):
        place, bit = draw.randrange(len(data)), 1 << draw.randrange(8)
        missed += not noticed(path, place, bytes([data[place] ^ bit]))
    assert missed == 0
    assert read_checkpoint(path)["step"] == 3


@pytest.mark.filterwarnings("ignore")
def test_torch_alone_misses_most_flipped_bits():
    data, draw, missed = archive({"weights": torch.arange(2000.0)}), random.Random(0), 0
    for _ in range(100):
        damaged = bytearray(data)
        damaged[draw.randrange(len(data))] ^= 1 << draw.randrange(8)
        try:
            torch.load(io.BytesIO(damaged), weights_only=True)
            missed += 1
        except Exception:
            pass
    assert missed > 80


def test_every_truncation_is_noticed(tmp_path):
    path = tmp_path / "a.pt"
    for length in reversed(range(len(small(path)))):
        os.truncate(path, length)
        assert refused(path), length


def test_every_byte_too_many_is_noticed(tmp_path):
    path = tmp_path / "a.pt"
    data = small(path)
    for changed in (data + b"\0", data + b"\n", b"\0" + data, data + data):
        path.write_bytes(changed)
        assert refused(path)


@pytest.mark.parametrize("size", [1, 16, 512])
def test_every_zeroed_block_is_noticed(tmp_path, size):
    path = tmp_path / "a.pt"
    data, zeros = small(path), bytes(size)
    for start in range(0, len(data), size):
        assert data[start : start + size] in zeros or noticed(path, start, zeros[: len(data) - start])


def test_swapped_blocks_are_noticed(tmp_path):
    data = small(tmp_path / "a.pt")
    assert noticed(tmp_path / "a.pt", 0, data[512:1024] + data[:512])


def test_a_file_of_many_blocks_is_verified_to_its_end(tmp_path):
    path = tmp_path / "a.pt"
    write_checkpoint(path, {"weights": torch.arange(600_000.0)})
    assert torch.equal(read_checkpoint(path)["weights"], torch.arange(600_000.0))
    assert noticed(path, 2_000_000, b"\x55")


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda path: None, "No such file"),
        (lambda path: path.mkdir(), "Is a directory"),
        (os.mkfifo, "not a plain file"),
        (lambda path: path.symlink_to("/dev/zero"), "not a plain file"),
        (lambda path: path.write_bytes(b""), "no digest"),
        (lambda path: path.write_bytes(archive({"a": 1})), "no digest"),
        (lambda path: seal(path, b""), "holds more than tensors"),
        (lambda path: seal(path, b"not an archive"), "holds more than tensors"),
        (lambda path: seal(path, archive([1])), "holds a list"),
        (lambda path: seal(path, archive({"a": 1})), "says no format"),
        (lambda path: seal(path, archive({"format": torch.zeros(3)})), "says no format"),
        (lambda path: seal(path, archive({"format": 2})), "format 2, this version reads 1; upgrade"),
    ],
)
def test_what_is_no_checkpoint_of_ours_is_a_clear_error(tmp_path, make, reason):
    path = tmp_path / "a.pt"
    make(path)
    with pytest.raises(CheckpointError, match=rf"a\.pt: .*{reason}") as caught:
        read_checkpoint(path)
    assert str(caught.value).count("\n") == 0


class Bomb:
    """Runs code where it is unpickled: it makes a file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self):
        return Path.touch, (self.path,)


class Shell:
    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self):
        return __import__("os").system, (f"touch {self.path}",)


@pytest.mark.parametrize("kind", [Bomb, Shell])
def test_code_inside_a_file_is_never_run(tmp_path, kind):
    data = archive({"format": 1, "weights": kind(tmp_path / "ran")})
    torch.load(io.BytesIO(data), weights_only=False)
    assert (tmp_path / "ran").exists()  # it would have run
    (tmp_path / "ran").unlink()
    with pytest.raises(CheckpointError, match=r"it wants to call (getattr|posix\.system)\), it was not read"):
        read_checkpoint(seal(tmp_path / "a.pt", data))
    assert not (tmp_path / "ran").exists()


@pytest.mark.filterwarnings("ignore")
def test_a_forged_pickle_is_read_or_refused_and_nothing_else(tmp_path):
    content = {"format": 1, "a": torch.ones(3), "b": nn.BatchNorm1d(2).state_dict()}
    zipped = zipfile.ZipFile(io.BytesIO(archive(content)))
    parts = {name: zipped.read(name) for name in zipped.namelist()}
    (name,) = [name for name in parts if name.endswith("data.pkl")]
    path, draw, num_refused = tmp_path / "a.pt", random.Random(1), 0
    for _ in range(300):
        pickle = bytearray(parts[name])
        for _ in range(draw.randrange(1, 4)):
            pickle[draw.randrange(len(pickle))] = draw.choice(b"cRbto(lt}]sueXKJGqr.)0a\x85\x86\x87\x8a\x88h\x00\xff")
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w") as forged:
            for part, data in parts.items():
                forged.writestr(part, bytes(pickle) if part == name else data)
        path.unlink(missing_ok=True)
        num_refused += refused(seal(path, buffer.getvalue()))
    assert num_refused > 150


def rezipped(data: bytes, compression: int, times: int = 1) -> bytes:
    """The archive `data` with each part compressed so, and listed so many times."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as before, zipfile.ZipFile(buffer, "w", compression) as after:
        for name in before.namelist():
            after.writestr(name, before.read(name))
        after.filelist *= times
    return buffer.getvalue()


def test_compressed_parts_are_refused_before_they_fill_the_memory(tmp_path):
    data = archive({"format": 1, "a": torch.zeros(1000)})
    read_checkpoint(seal(tmp_path / "a.pt", rezipped(data, zipfile.ZIP_STORED)))
    assert torch.load(io.BytesIO(rezipped(data, zipfile.ZIP_DEFLATED)), weights_only=True)["format"] == 1
    for forged in (rezipped(data, zipfile.ZIP_DEFLATED), rezipped(data, zipfile.ZIP_STORED, times=2)):
        with pytest.raises(CheckpointError, match=r"a\.pt: holds more than tensors"):
            read_checkpoint(seal(tmp_path / "a.pt", forged))


looped: list[object] = []
looped.append(looped)
shared = [1]


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (torch.zeros(1).expand(2**40), r"a tensor larger than its memory, \(1099511627776,\)"),
        (torch.arange(16.0).as_strided((4, 4), (1, 1), 9), "a tensor larger than its memory"),
        ([shared, shared], "a list twice or inside itself"),
        (looped, "a list twice or inside itself"),
        ({1, 2}, "a set, neither a tensor nor a plain value"),
        ({1j: 2}, "a complex, neither"),
    ],
)
def test_what_could_not_have_been_written_is_refused(tmp_path, value, reason):
    with pytest.raises(CheckpointError, match=rf"a\.pt: holds {reason}"):
        read_checkpoint(seal(tmp_path / "a.pt", archive({"format": 1, "value": value})))


def test_views_and_expanded_tensors_come_back_with_their_values(tmp_path):
    grid = torch.arange(100.0).reshape(10, 10)
    views = [grid.T, grid[:, 9:], grid[3, ::3], grid.diagonal(), torch.ones(1).expand(5), grid[2].expand(4, 10), (), ()]
    found = round_trip(tmp_path / "a.pt", views)
    assert all(torch.equal(a, b) for a, b in zip(found[:6], views[:6], strict=True))


@pytest.mark.parametrize("num_bytes", [0, 10, 700, 3000, 5000, 100_000, 399_999, 401_000])
def test_a_full_disk_leaves_the_old_checkpoint(tmp_path, num_bytes):
    before = small(tmp_path / "a.pt")
    with (
        room_for(num_bytes),
        pytest.raises(StoreError, match=r"a\.pt: cannot be written \(File too large\); make room"),
    ):
        write_checkpoint(tmp_path / "a.pt", {"weights": torch.randn(100_000)})
    assert [path.name for path in tmp_path.iterdir()] == ["a.pt"]
    assert (tmp_path / "a.pt").read_bytes() == before
    assert read_checkpoint(tmp_path / "a.pt")["step"] == 3


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs CUDA")
def test_what_a_gpu_saved_is_read_on_the_cpu(tmp_path):
    found = round_trip(tmp_path / "a.pt", torch.arange(5.0, device="cuda"))
    assert found.device.type == "cpu"
    assert torch.equal(found, torch.arange(5.0))
