"""Dividing samples into train, val and test, so that the same input always gives the same split.

Every function here takes `fractions`, a mapping from split names to positive numbers that sum to 1, and gives
a dict from split name to int64 arrays of sample numbers, ascending, disjoint and covering all samples. They
raise DataError for unknown names, for fractions that do not sum to 1, and for a split that would be empty.
Remove duplicates first: `deduplicate`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import numpy.typing as npt

from loopwright.data.permutation import Int64, Permutation
from loopwright.errors import DataError, nearest
from loopwright.protocols import SPLITS, Split
from loopwright.seeding import Purpose, fold

Fractions = Mapping[Split, float]
Indices = dict[Split, Int64]


def by_fraction(n: int, fractions: Fractions, seed: int) -> Indices:
    """A random split of `n` samples, each part within one sample of its fraction.

    >>> parts = by_fraction(10, {"train": 0.8, "val": 0.1, "test": 0.1}, seed=0)
    >>> {name: len(part) for name, part in parts.items()}
    {'train': 8, 'val': 1, 'test': 1}
    """
    return stratified(np.zeros(n, dtype=np.int64), fractions, seed)


def stratified(labels: npt.ArrayLike, fractions: Fractions, seed: int) -> Indices:
    """A random split in which every class, and the whole, is within one sample of the fractions.

    `labels` are N integers or strings.
    """
    names, shares = _checked(fractions)
    parts: dict[Split, list[Int64]] = {name: [] for name in names}
    owed = np.zeros(len(names))
    for number, members in enumerate(_members(np.asarray(labels))):
        owed += shares * len(members)
        # What rounding down leaves goes to the splits that are owed most, which keeps the totals right too.
        counts = np.floor(shares * len(members)).astype(np.int64)
        after = owed - counts
        counts[np.argsort(-after, kind="stable")[: len(members) - counts.sum()]] += 1
        owed -= counts
        shuffled = members[Permutation(len(members), fold(seed, Purpose.SPLIT, number)).take(np.arange(len(members)))]
        for name, part in zip(names, np.split(shuffled, np.cumsum(counts)[:-1]), strict=True):
            parts[name].append(part)
    return _filled({name: np.sort(np.concatenate([_NONE, *parts[name]])) for name in names}, fractions)


def by_hash(contents: Sequence[bytes], fractions: Fractions) -> Indices:
    """A split by content alone: adding samples never moves another one, and equal samples stay together.

    The parts only come near to their fractions, by chance. The hash is BLAKE2b with 8 bytes, read as a number
    in [0, 1).
    """
    names, shares = _checked(fractions)
    points = np.array([_point(content) for content in contents], dtype=np.float64)
    parts = np.searchsorted(np.cumsum(shares)[:-1], points, side="right")
    return _filled({name: np.flatnonzero(parts == number) for number, name in enumerate(names)}, fractions)


def by_time(times: npt.ArrayLike, fractions: Fractions) -> Indices:
    """The earliest samples to train on, later ones to validate and test on.

    `times` are N numbers or datetime64. Samples of one time stay together: every split is strictly later than
    the one before.
    """
    names, shares = _checked(fractions)
    moments = np.asarray(times)
    order = np.argsort(moments, kind="stable")
    targets = np.rint(np.cumsum(shares)[:-1] * len(order)).astype(np.int64).clip(max=len(order) - 1)
    bounds = np.searchsorted(moments[order], moments[order][targets], side="left") if len(order) else targets
    parts = np.split(order, bounds)
    return _filled({name: np.sort(part) for name, part in zip(names, parts, strict=True)}, fractions)


def deduplicate(contents: Sequence[bytes]) -> Int64:
    """The numbers of the samples to keep, ascending: the first of each content.

    >>> deduplicate([b"a", b"b", b"a"]).tolist()
    [0, 1]
    """
    firsts: dict[bytes, int] = {}
    for number, content in enumerate(contents):
        firsts.setdefault(content, number)
    return np.array(list(firsts.values()), dtype=np.int64)


def check_names(names: Iterable[str]) -> None:
    """Raise DataError unless every name is one of train, val and test."""
    for name in names:
        if name not in SPLITS:
            raise DataError(f"unknown split {name!r}: {nearest(name, SPLITS)}")


_NONE: Int64 = np.empty(0, dtype=np.int64)


def _checked(fractions: Fractions) -> tuple[list[Split], npt.NDArray[np.float64]]:
    """Names and fractions in the order train, val, test, whatever the mapping's own."""
    check_names(fractions)
    names = [name for name in SPLITS if name in fractions]
    shares = np.array([fractions[name] for name in names], dtype=np.float64)
    if not (shares > 0).all() or not abs(shares.sum() - 1) < 1e-9:
        given = ", ".join(f"{name} {fractions[name]:g}" for name in names) or "none"
        raise DataError(f"split fractions {given} sum to {shares.sum():g}: they must be positive and sum to 1")
    return names, shares


def _members(labels: npt.NDArray[np.generic]) -> list[Int64]:
    """The numbers of the samples of each class, classes in sorted order."""
    _, classes = np.unique(labels, return_inverse=True)
    order = np.argsort(classes, kind="stable")
    return np.split(order, np.flatnonzero(np.diff(classes[order])) + 1) if len(order) else []


def _point(content: bytes) -> float:
    return int.from_bytes(hashlib.blake2b(content, digest_size=8).digest(), "big") / 2**64


def _filled(indices: Indices, fractions: Fractions) -> Indices:
    total = sum(map(len, indices.values()))
    for name, part in indices.items():
        if not len(part):
            raise DataError(
                f"the {name} split would be empty: a fraction of {fractions[name]:g} of {total} samples; "
                "use more samples or another fraction"
            )
    return indices
