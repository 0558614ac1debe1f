"""The fixed binary tree in which everything of a step's shards is added up, keyed by shard number.

Floating-point addition is not associative, so the order of additions is part of the experiment. It commutes, so two
workers may add the same two nodes in either order. A node is the sum of an aligned run of leaves: neighbors first, then
pairs of pairs; the last node of a level that has no neighbor goes up as it is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, MutableMapping
from typing import TypeVar

T = TypeVar("T")

Node = tuple[int, int]
"""(height, index): the sum of leaves index * 2^height up to (index + 1) * 2^height, as far as there are such."""


def join(nodes: MutableMapping[Node, T], leaf: int, value: T, add: Callable[[T, T], T]) -> None:
    """Put the next leaf among `nodes`, adding up what has become complete: a binary counter.

    Leaves that come in the order of their numbers leave at most log2(leaves) + 1 nodes alive where the first number is
    aligned, at most twice as many anywhere.
    """
    height, index = 0, leaf
    while (height, index ^ 1) in nodes:
        value = add(nodes.pop((height, index ^ 1)), value)
        height, index = height + 1, index >> 1
    nodes[height, index] = value


def forest(leaves: Iterable[int]) -> list[Node]:
    """The nodes that `join` leaves of these leaves, in the order of their leaves."""
    nodes: dict[Node, None] = {}
    for leaf in leaves:
        join(nodes, leaf, None, lambda left, right: None)
    return list(nodes)


def root(nodes: MutableMapping[Node, T], total: int, add: Callable[[T, T], T]) -> T:
    """The sum of all `total` leaves from nodes that hold each of them once; takes the nodes out."""

    def sum_of(node: Node) -> T:
        if node in nodes:
            return nodes.pop(node)
        height, index = node
        left, right = (height - 1, 2 * index), (height - 1, 2 * index + 1)
        if right[1] << right[0] >= total:
            return sum_of(left)
        return add(sum_of(left), sum_of(right))

    return sum_of(((total - 1).bit_length(), 0))
