"""Map-style datasets through PyTorch's DataLoader, with the same bits for any number of workers.

A worker is asked for a whole step: the epoch and the numbers of its samples. Before each sample the global
generators are set from `(seed, epoch, sample)`, so a random transform draws the same numbers in whichever
process, at whichever start, it runs. Samples are made on one thread, here as in the workers, because the
number of threads can change the bits of a sum.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from itertools import tee
from typing import Any, Protocol, TypeVar

import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, default_collate

from loopwright.data.digest import tensors_sha256
from loopwright.data.sampling import order, spans
from loopwright.data.splits import check_names
from loopwright.data.tensors import Tensors, Weigh
from loopwright.errors import DataError
from loopwright.protocols import Batch, Plan, Split
from loopwright.seeding import Purpose, fold, preserved_generators, seed_generators

T = TypeVar("T")
Item = Mapping[str, Any]
Request = tuple[int, list[int]]
Augment = Callable[[Item], Item]
Collate = Callable[[list[Item]], Any]


class ItemDataset(Protocol):
    """What a split may be: a `torch.utils.data.Dataset` with a length, or just a list of items."""

    def __len__(self) -> int:
        """How many items there are."""
        ...

    def __getitem__(self, index: int, /) -> Item:
        """The item with number `index`, a mapping from names to tensors or numbers."""
        ...


@dataclass(frozen=True, eq=False)
class DatasetData:
    """Splits held as map-style datasets of mappings from names to tensors or numbers; a `protocols.Data`.

    `augment` changes the items of training batches, never those of `scan`, with any of the global generators.
    `collate` makes a mapping of tensors out of a shard's items; `weigh` gives its weights. `start_method` is
    multiprocessing's ("fork", "spawn", "forkserver"; None: the platform's own); with "spawn", datasets,
    `augment` and `collate` must be picklable. Raises DataError for an unknown split and, on reading, for
    items that are not such mappings.
    """

    splits: Mapping[Split, ItemDataset]
    weigh: Weigh
    augment: Augment | None = None
    collate: Collate = default_collate
    num_workers: int = 0
    start_method: str | None = None

    def __post_init__(self) -> None:
        check_names(self.splits)

    def size(self, split: Split) -> int:
        """How many samples `split` has; 0 where there is no such split."""
        return len(self.splits[split]) if split in self.splits else 0

    def batches(self, plan: Plan, start: int) -> Iterator[Sequence[Batch]]:
        """The shards of step `start`, `start + 1`, … of the training split.

        Raises DataError for a batch larger than the split. The workers end when the iterator is dropped.
        """
        return self._read("train", plan, self.augment or _unchanged, order(plan, self.size("train"), start))

    def scan(self, split: Split, batch_size: int = 1024) -> Iterator[Batch]:
        """All samples of `split` once, in order, without `augment`; DataError where it is empty or missing.

        A dataset that is random by itself gives the same items at every scan.
        """
        steps = ((-1, torch.arange(first, end)) for first, end in spans(split, self.size(split), batch_size))
        return (batch for (batch,) in self._read(split, Plan(0, batch_size), _unchanged, steps))

    def sha256(self) -> str:
        """A digest of all that `scan` gives at its own batch size; computed once, by a pass over all."""
        return self._sha256

    @cached_property
    def _sha256(self) -> str:
        return tensors_sha256(
            (f"{split}/{name}", batch[name])
            for split in sorted(self.splits)
            if self.size(split)
            for batch in self.scan(split)
            for name in sorted(batch.tensors)
        )

    def _read(
        self, split: Split, plan: Plan, augment: Augment, steps: Iterator[tuple[int, Tensor]]
    ) -> Iterator[list[Batch]]:
        steps, asked = tee(steps)
        loaded: Iterable[list[Any]] = DataLoader(
            _Shards(self.splits[split], plan, augment, self.collate),
            batch_size=None,
            sampler=((epoch, samples.tolist()) for epoch, samples in asked),
            collate_fn=_unchanged,
            num_workers=self.num_workers,
            multiprocessing_context=self.start_method if self.num_workers else None,
            worker_init_fn=_leave_the_group,
            generator=torch.Generator(),  # without one, the loader draws from the global generator
        )
        for (_, samples), shards in zip(steps, loaded, strict=True):
            bounds = plan.cut(len(samples))
            yield [self._batch(shard, samples[first:end]) for shard, (first, end) in zip(shards, bounds, strict=True)]

    def _batch(self, tensors: Tensors, samples: Tensor) -> Batch:
        _check_collated(tensors)
        return Batch(tensors, self.weigh(tensors), samples)


@dataclass(frozen=True)
class _Shards(Dataset[list[Any]]):
    """The dataset that a worker sees: asked for a step's epoch and samples, it gives the collated shards."""

    dataset: ItemDataset
    plan: Plan
    augment: Augment
    collate: Collate

    def __getitem__(self, request: Request) -> list[Any]:
        epoch, samples = request
        with preserved_generators(), _one_thread():
            return [self._shard(epoch, samples[first:end]) for first, end in self.plan.cut(len(samples))]

    def _shard(self, epoch: int, samples: list[int]) -> Any:
        return self.collate([self._item(epoch, sample) for sample in samples])

    def _item(self, epoch: int, sample: int) -> Item:
        seed_generators(fold(self.plan.seed, Purpose.AUGMENT, epoch, sample))
        return self.augment(self.dataset[sample])


def _leave_the_group(worker: int) -> None:
    """A signal to the whole process group is the training process's: it finishes the step, then ends its workers."""
    os.setsid()


def _unchanged(value: T) -> T:
    return value


def _check_collated(tensors: object) -> None:
    found = f"a {type(tensors).__name__}"
    if isinstance(tensors, Mapping):
        kinds = {type(value).__name__ for value in tensors.values() if not isinstance(value, Tensor)}
        if not kinds:
            return
        found = f"a mapping from names to {', '.join(sorted(kinds))}"
    raise DataError(
        f"collated items are {found}: they must be a mapping from names to tensors; "
        'let the dataset give items like {"x": …, "y": …}, numbers or tensors'
    )


@contextmanager
def _one_thread() -> Iterator[None]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)
