from __future__ import annotations

import struct

import pytest

from loopwright.data.mnist import read_mnist
from loopwright.errors import DataError


def write(directory, prefix: str, labels: bytes, images: int | None = None, side: int = 28) -> None:
    count = len(labels) if images is None else images
    pixels = bytes(count * side * side)
    header = bytes((0, 0, 8, 3)) + struct.pack(">III", count, side, side)
    directory.mkdir(exist_ok=True)
    (directory / f"{prefix}-images-idx3-ubyte").write_bytes(header + pixels)
    header = bytes((0, 0, 8, 1)) + struct.pack(">I", len(labels))
    (directory / f"{prefix}-labels-idx1-ubyte").write_bytes(header + labels)


@pytest.fixture
def small(tmp_path, monkeypatch):
    monkeypatch.delenv("LOOPWRIGHT_DATA", raising=False)
    write(tmp_path / "small", "train", b"\0\1\2\3")
    write(tmp_path / "small", "t10k", b"\x09\0")
    return tmp_path / "small"


def test_both_splits_are_read_from_a_directory(small):
    mnist = read_mnist(small)
    assert {name: tuple(tensor.shape) for name, tensor in mnist.items()} == {
        "train_images": (4, 28, 28),
        "train_labels": (4,),
        "test_images": (2, 28, 28),
        "test_labels": (2,),
    }
    assert mnist["test_labels"].tolist() == [9, 0]


def test_the_variable_names_a_directory_that_may_hold_a_folder_mnist(small, monkeypatch):
    monkeypatch.setenv("LOOPWRIGHT_DATA", str(small))
    assert len(read_mnist()["train_labels"]) == 4
    small.rename(small.parent / "mnist")
    monkeypatch.setenv("LOOPWRIGHT_DATA", str(small.parent))
    assert len(read_mnist()["train_labels"]) == 4


def test_a_directory_without_the_files_is_refused(small, tmp_path):
    (small / "t10k-labels-idx1-ubyte").unlink()
    with pytest.raises(DataError, match="found neither t10k-labels-idx1-ubyte nor"):
        read_mnist(small)


def test_labels_out_of_range_are_refused(small):
    write(small, "t10k", b"\x0a\0")
    with pytest.raises(DataError, match="t10k-labels-idx1-ubyte: found label 10, expected digits from 0 to 9"):
        read_mnist(small)


@pytest.mark.parametrize(("images", "side"), [(3, 28), (4, 27)])
def test_files_that_do_not_belong_together_are_refused(small, images, side):
    write(small, "train", b"\0\1\2\3", images, side)
    with pytest.raises(DataError, match=r"expected \(N, 28, 28\) and \(N,\)"):
        read_mnist(small)
