"""MNIST, 70,000 handwritten digits (LeCun, Bottou, Bengio and Haffner, Proc. IEEE 86(11), 1998)."""

from __future__ import annotations

import os
from pathlib import Path

from torch import Tensor

from loopwright.data.download import default_cache, fetch
from loopwright.data.idx import find_idx, read_idx
from loopwright.errors import DataError

_MIRRORS = ("https://ossci-datasets.s3.amazonaws.com/mnist/", "http://yann.lecun.com/exdb/mnist/")

_SHA256_UNPACKED = {
    "train-images-idx3-ubyte": "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
    "train-labels-idx1-ubyte": "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
    "t10k-images-idx3-ubyte": "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
    "t10k-labels-idx1-ubyte": "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
}


def read_mnist(directory: Path | None = None) -> dict[str, Tensor]:
    """`train_images` uint8 (N, 28, 28), `train_labels` uint8 (N,) in 0 … 9, and `test_images`, `test_labels`.

    The files, gzipped or not, lie in `directory` or in its folder `mnist`; with no directory given, in that
    of the variable LOOPWRIGHT_DATA; with neither, they are downloaded once (12 MB). Raises DataError for
    files that are missing, malformed, do not belong together, or hold labels out of range.
    """
    train_images, train_labels = _read_pair("train", directory)
    test_images, test_labels = _read_pair("t10k", directory)
    return {
        "train_images": train_images,
        "train_labels": train_labels,
        "test_images": test_images,
        "test_labels": test_labels,
    }


def _read_pair(prefix: str, directory: Path | None) -> tuple[Tensor, Tensor]:
    images_path = _locate(f"{prefix}-images-idx3-ubyte", directory)
    labels_path = _locate(f"{prefix}-labels-idx1-ubyte", directory)
    images, labels = read_idx(images_path), read_idx(labels_path)
    if images.shape[1:] != (28, 28) or labels.shape != images.shape[:1]:
        raise DataError(
            f"{images_path} has the shape {tuple(images.shape)}, {labels_path} {tuple(labels.shape)}: "
            "expected (N, 28, 28) and (N,)"
        )
    if len(labels) and int(labels.max()) > 9:
        raise DataError(f"{labels_path}: found label {int(labels.max())}, expected digits from 0 to 9")
    return images, labels


def _locate(stem: str, directory: Path | None) -> Path:
    shared = os.environ.get("LOOPWRIGHT_DATA")
    if directory is None and shared:
        directory = Path(shared)
    if directory is None:
        urls = [f"{mirror}{stem}.gz" for mirror in _MIRRORS]
        return fetch(stem, urls, _SHA256_UNPACKED[stem], default_cache() / "mnist")
    inner = directory / "mnist"
    return find_idx(inner if inner.is_dir() else directory, stem)
