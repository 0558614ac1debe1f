"""How many strings of each cell a corpus asks for: as even a share as the cells' numbers of strings allow."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from loopwright.data.permutation import Permutation
from loopwright.seeding import Purpose, fold
from loopwright.tasks.regular.categories import Cell
from loopwright.tasks.regular.counting import Paths

Quotas = dict[Cell, int]
"""How many strings of each cell; cells of which there are none are left out."""


def water_fill(total: int, capacities: Sequence[int], order: Iterable[int]) -> list[int]:
    """Shares of `total`, as even as `capacities` allow; what the small ones cannot take goes to the others.

    What is left when the large ones have got the same goes, one each, to the first of them in `order`, a permutation
    of their numbers. The shares sum to `total` or to what there is in all.

    >>> water_fill(10, [1, 9, 9], order=[2, 1, 0])
    [1, 4, 5]
    """
    shares, left = list(capacities), total
    by_size = sorted(range(len(capacities)), key=capacities.__getitem__)
    for rank, number in enumerate(by_size):
        level, extra = divmod(left, len(by_size) - rank)
        if capacities[number] > level:
            large = set(by_size[rank:])
            ahead = set([number for number in order if number in large][:extra])
            for other in large:
                shares[other] = level + (other in ahead)
            break
        left -= capacities[number]
    return shares


def quotas(paths: Paths, categories: Sequence[int], lengths: Sequence[int], total: int, seed: int) -> Quotas:
    """`total` strings evenly over categories and lengths, and each share evenly over the places of the first illegal
    symbol; fewer where there are not so many."""
    pairs = [(category, length) for category in categories for length in lengths]
    numbers = [paths.number(*pair) for pair in pairs]
    found: Quotas = {}
    shares = water_fill(total, numbers, _order(pairs, numbers, seed))
    for pair, share in zip(pairs, shares, strict=True):
        if share:
            found |= _over_places(paths, *pair, share, seed)
    return found


def _over_places(paths: Paths, category: int, length: int, share: int, seed: int) -> Quotas:
    cells = [Cell(category, length, place) for place in paths.places(category, length)]
    order = _shuffled(len(cells), fold(seed, Purpose.GENERATE, category, length))
    shares = water_fill(share, [paths.count(cell) for cell in cells], order)
    return {cell: given for cell, given in zip(cells, shares, strict=True) if given}


def _order(pairs: Sequence[tuple[int, int]], numbers: Sequence[int], seed: int) -> list[int]:
    """Pairs that have strings, the categories in turn, the lengths of each shuffled: so that few strings still have
    every category, and lengths from everywhere."""
    of_category: dict[int, list[int]] = {}
    for number, (category, _) in enumerate(pairs):
        if numbers[number]:
            of_category.setdefault(category, []).append(number)
    ranked = [
        (rank, members[position])
        for category, members in of_category.items()
        for rank, position in enumerate(_shuffled(len(members), fold(seed, Purpose.GENERATE, category)))
    ]
    return [number for _, number in sorted(ranked)]


def _shuffled(size: int, key: int) -> list[int]:
    order: list[int] = Permutation(size, key).take(np.arange(size)).tolist()
    return order
