"""A shuffled order that is computed, not stored: any position of any epoch in constant time and memory.

A Feistel network on Z_a x Z_b, a·b >= size, whose half-rounds add modulo a and b instead of XORing (so that
the domain is hardly larger than the set), and cycle walking: a value outside the set is enciphered again
until it falls inside. Black and Rogaway, "Ciphers with arbitrary finite domains", CT-RSA 2002, sections 3 and
4; NIST SP 800-38G (FF1) adds in the same way. It only has to look random: SplitMix64's finalizer, the round
function, keeps no secrets.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from loopwright.errors import DataError
from loopwright.seeding import UInt64, fold, mix, mix_array

Int64 = npt.NDArray[np.int64]

_MASK = (1 << 64) - 1
_GOLDEN = 0x9E3779B97F4A7C15
_ONE = np.uint64(1)


@dataclass(frozen=True)
class Permutation:
    """A pseudo-random permutation of range(size), chosen by the integer `key`.

    Bijective for every size from 1 to 2^62; raises DataError for a size below 1.

    >>> sorted(Permutation(5, key=1).at(position) for position in range(5))
    [0, 1, 2, 3, 4]
    """

    size: int
    key: int

    def __post_init__(self) -> None:
        if self.size < 1:
            raise DataError(f"a permutation of {self.size} samples: there must be at least 1")

    def at(self, position: int) -> int:
        """Which sample stands at `position`; raises IndexError outside range(size)."""
        if not 0 <= position < self.size:
            raise IndexError(f"position {position} is outside range({self.size})")
        a, b = _sides(self.size)
        value = position
        while True:
            left, right = divmod(value, b)
            for key_left, key_right in self._round_keys:
                left = (left + (mix((right + key_left) & _MASK) >> 1)) % a
                right = (right + (mix((left + key_right) & _MASK) >> 1)) % b
            value = left * b + right
            if value < self.size:
                return value

    def take(self, positions: Int64) -> Int64:
        """Which samples stand at `positions`, int64 (N,) to (N,); raises IndexError outside range(size)."""
        if positions.size and not 0 <= positions.min() <= positions.max() < self.size:
            raise IndexError(f"positions {positions.min()} to {positions.max()} leave range({self.size})")
        samples: Int64 = permuted(self.size, [self.key], positions)[0]
        return samples

    @cached_property
    def _round_keys(self) -> list[tuple[int, int]]:
        keys: list[tuple[int, int]] = _round_keys(self.size, [self.key])[:, :, 0].tolist()
        return keys


def permuted(size: int, keys: Sequence[int], positions: Int64) -> Int64:
    """Row k is `Permutation(size, keys[k]).take(positions)`: int64 (K, N). One call for many epochs."""
    rounds = _round_keys(size, keys)
    values = np.broadcast_to(positions.astype(np.uint64), (len(keys), len(positions)))
    values = _encipher(values, _sides(size), rounds[..., None])
    rows, columns = np.nonzero(values >= np.uint64(size))
    while rows.size:
        walked = _encipher(values[rows, columns], _sides(size), rounds[..., rows])
        values[rows, columns] = walked
        outside = walked >= np.uint64(size)
        rows, columns = rows[outside], columns[outside]
    return values.view(np.int64)


def _encipher(values: UInt64, sides: tuple[int, int], rounds: UInt64) -> UInt64:
    a, b = (np.uint64(side) for side in sides)
    left, right = np.divmod(values, b)
    for key_left, key_right in rounds:
        left = (left + (mix_array(right + key_left) >> _ONE)) % a
        right = (right + (mix_array(left + key_right) >> _ONE)) % b
    enciphered: UInt64 = left * b + right
    return enciphered


def _sides(size: int) -> tuple[int, int]:
    """(a, b), about the square root of `size`; were both odd, only even permutations would occur."""
    a = math.isqrt(size - 1) // 2 * 2 + 2
    return a, -(-size // a)


def _round_keys(size: int, keys: Sequence[int]) -> UInt64:
    """(rounds, 2, K): a stream of SplitMix64 for each of `keys`."""
    rounds = 6 if size > 256 else 12  # tiny sets need more before all their orders are equally likely
    counters = np.arange(1, 2 * rounds + 1, dtype=np.uint64) * np.uint64(_GOLDEN)
    starts = np.array([fold(key) for key in keys], dtype=np.uint64)
    return mix_array(counters[:, None] + starts).reshape(rounds, 2, -1)
