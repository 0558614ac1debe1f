"""The experiment that is checked, and what several checks need of it."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import islice

import torch
from torch import Tensor

from loopwright.core.experiment import Experiment
from loopwright.core.state import State
from loopwright.doctor.doctor import Doctor
from loopwright.protocols import Batch, Split
from loopwright.seeding import preserved_generators

MOST_ROWS = 4096
"""So many samples of a split are looked at."""


@dataclass(frozen=True, eq=False)
class Table:
    """Some samples of a split: `inputs` float (N, F) flattened, what the model is given; `labels` int64 (N,) or
    `numbers` float (N, M), what its loss asks for. None where that is not to be had."""

    inputs: Tensor | None
    labels: Tensor | None
    numbers: Tensor | None
    tensors: dict[str, Tensor]


@dataclass(frozen=True, eq=False)
class Subject:
    """An experiment, ready to run. `pristine` is a copy nobody has used: what a fresh process would have."""

    experiment: Experiment
    pristine: Experiment = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "pristine", copy.deepcopy(self.experiment))

    def state(self) -> State:
        """A fresh state."""
        return State.create(self.experiment)

    @cached_property
    def tables(self) -> dict[Split, Table]:
        """Some samples of the training and the validation split."""
        return {split: self.table(split) for split in ("train", "val")}

    def table(self, split: Split) -> Table:
        """Some samples of a split, as they are scanned."""
        batches: list[Batch] = []
        for batch in self.experiment.task.data.scan(split):
            batches.append(batch)
            if sum(map(len, batches)) >= MOST_ROWS:
                break
        tensors = {name: joined([batch[name] for batch in batches]) for name in batches[0].tensors}
        given, asked = (tensors.get(name) for name in self.roles)
        inputs = given.reshape(len(given), -1) if given is not None and given.is_floating_point() else None
        labels = asked if asked is not None and asked.dtype == torch.int64 and asked.ndim == 1 else None
        numbers = asked.reshape(len(asked), -1) if asked is not None and asked.is_floating_point() else None
        return Table(inputs, labels, numbers, tensors)

    @cached_property
    def roles(self) -> tuple[str, str]:
        """The names of the tensors that are the model's first input and the loss's target; empty where none is."""
        task, model = self.experiment.task, self.state().model
        batch = next(iter(task.data.scan("train", self.experiment.batch_size)))
        with Doctor() as doctor, preserved_generators():
            task.loss(model, batch)
            calls, losses = list(doctor.scene.calls), list(doctor.scene.loss_calls)
        given = [tensor for call in calls for tensor in call.inputs[:1]]
        asked = [loss.target for loss in losses]
        return name_of(batch, given), name_of(batch, asked)

    def steps(self, start: int = 0) -> Iterator[Sequence[Batch]]:
        """The batches of training, from step `start`."""
        return self.experiment.task.data.batches(self.experiment.plan(), start=start)

    @cached_property
    def per_epoch(self) -> int:
        """Steps in an epoch."""
        return self.experiment.plan().steps_per_epoch(self.experiment.task.data.size("train"))

    @cached_property
    def order(self) -> list[list[int]]:
        """The numbers of the samples of the first two epochs, at most 400 steps of each."""
        most = min(self.per_epoch, 400)
        return [
            [
                n
                for shards in islice(self.steps(epoch * self.per_epoch), most)
                for s in shards
                for n in s.samples.tolist()
            ]
            for epoch in (0, 1)
        ]

    def fresh(self) -> Subject:
        """The same experiment as another process would begin with it."""
        return Subject(replace(copy.deepcopy(self.pristine)))


def name_of(batch: Batch, found: Sequence[Tensor]) -> str:
    """The name under which a batch has the first of the tensors found."""
    for tensor in found:
        for name, known in batch.tensors.items():
            if known.numel() == tensor.numel() and torch.equal(known.reshape(-1), tensor.reshape(-1).to(known.dtype)):
                return name
    return ""


def joined(tensors: Sequence[Tensor]) -> Tensor:
    """Tensors (N, *) below each other; where their second dimensions differ, padded with zeros on the right."""
    if tensors[0].ndim < 2 or tensors[0].is_floating_point():
        return torch.cat(list(tensors))
    width = max(tensor.shape[1] for tensor in tensors)
    return torch.cat([pad(tensor, width) for tensor in tensors])


def pad(tensor: Tensor, width: int) -> Tensor:
    """A tensor (N, T, *) with its second dimension padded to `width`."""
    return torch.nn.functional.pad(tensor, (*(0, 0) * (tensor.ndim - 2), 0, width - tensor.shape[1]))
