"""The workers of a run: processes that share the shards of each step and hold the same state, bit for bit.

What a run computes does not depend on how many there are: shards are computed one by one wherever they are, and what
they leave is added up in a tree that is fixed by the shards' numbers (`core.tree`).
"""

from __future__ import annotations

from collections.abc import Callable, MutableMapping, Sequence
from typing import Any, Protocol, TypeVar

from torch import Tensor

from loopwright.core.tree import Node, root
from loopwright.protocols import Worker

T = TypeVar("T")
Leaf = list[Tensor | None]
Add = Callable[[Leaf, Leaf], Leaf]


class Workers(Protocol):
    """What the loop asks of the workers. All of them call the same methods in the same order."""

    worker: Worker

    def exchange(self, fact: Any) -> list[Any]:
        """What each worker tells, plain values, in the order of their ranks."""
        ...

    def in_order(self, told: Sequence[Sequence[T]]) -> list[T]:
        """What was told for each worker's shards, in the order of the shards."""
        ...

    def combine(self, nodes: MutableMapping[Node, Leaf], total: int, like: Sequence[Tensor], add: Add) -> Leaf:
        """The sum over all `total` shards, of which `nodes` are this worker's; on every worker.

        `like` has the shape, dtype and device of each tensor of a leaf. A tensor that no shard has is None.
        """
        ...

    def from_first(self, work: Callable[[], T]) -> T:
        """What `work` gives on the first worker, plain values; done there alone, told to all.

        Raises what `work` raises there, Interrupted on the others too.
        """
        ...

    def from_model(self, work: Callable[[], T]) -> T:
        """What `work`, which runs the model, gives on the first worker, plain values: done there alone, or by all where
        each holds but a part of the model."""
        ...


class Alone:
    """The only worker."""

    worker = Worker()

    def exchange(self, fact: Any) -> list[Any]:
        """There is nobody else."""
        return [fact]

    def in_order(self, told: Sequence[Sequence[T]]) -> list[T]:
        """As they are."""
        return list(told[0])

    def combine(self, nodes: MutableMapping[Node, Leaf], total: int, like: Sequence[Tensor], add: Add) -> Leaf:
        """The root of the tree."""
        return root(nodes, total, add)

    def from_first(self, work: Callable[[], T]) -> T:
        """Done here."""
        return work()

    def from_model(self, work: Callable[[], T]) -> T:
        """Done here."""
        return work()


ALONE = Alone()
