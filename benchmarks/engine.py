"""The engine as a contestant: the full journal in a real run directory, with and without a real store."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from timing import Watch
from torch import Tensor, nn
from workloads import Workload

from loopwright import losses
from loopwright.core import Experiment, State, arithmetic, train
from loopwright.data.tensors import TensorData, Tensors
from loopwright.journal import RunJournal, create_run
from loopwright.protocols import Batch, Hook, NoStore, Split, StepReport, Store
from loopwright.store import CheckpointStore


def weigh(tensors: Tensors) -> Mapping[str, float]:
    """The number of targets: samples of the MLP, tokens of the GPT."""
    return {"cross_entropy": float(tensors["y"].numel())}


@dataclass(frozen=True)
class Problem:
    """A workload as a Task."""

    workload: Workload

    @cached_property
    def data(self) -> TensorData:
        x, y = self.workload.data()
        return TensorData({"train": {"x": x, "y": y}, "val": {"x": x[:64], "y": y[:64]}}, weigh)

    def model(self) -> nn.Module:
        return self.workload.model()

    def loss(self, model: nn.Module, batch: Batch) -> Mapping[str, Tensor]:
        return {"cross_entropy": losses.cross_entropy(model(batch["x"]), batch["y"])}

    def evaluate(self, model: nn.Module, split: Split) -> dict[str, float]:
        sums = [self.loss(model, batch)["cross_entropy"] for batch in self.data.scan(split)]
        return {"loss": float(sum(sums))}

    def artifacts(self, model: nn.Module, directory: Path) -> None:
        pass


class Timed(Hook):
    """Tells the watch."""

    def __init__(self, watch: Watch) -> None:
        self.watch = watch

    def on_step_end(self, report: StepReport) -> None:
        self.watch.step()


def run(workload: Workload, watch: Watch, *, evaluate: bool, save: bool, **changes: Any) -> None:
    """Train for the watch; without `evaluate` only at the end, with `save` into a CheckpointStore at its defaults.

    `changes` are to the experiment.
    """
    experiment = Experiment(
        name=workload.name,
        task=Problem(workload),
        steps=watch.total,
        batch_size=workload.batch_size,
        eval_every=None if evaluate else watch.total + 1,
        metric="loss",
        mode="min",
        device="cpu",
        threads=workload.threads,
    )
    trained(replace(experiment, **changes), watch, save=save)


def trained(experiment: Experiment, watch: Watch, *, save: bool = False) -> None:
    """Train `experiment` for the watch with the full journal; with `save` into a CheckpointStore at its defaults."""
    with tempfile.TemporaryDirectory(dir=Path("build")) as root, arithmetic(experiment), ExitStack() as stack:
        state = State.create(experiment)
        directory = create_run(Path(root), experiment.name)
        journal = stack.enter_context(RunJournal(directory))
        store: Store = NoStore()
        if save:
            store = stack.enter_context(CheckpointStore(directory / "checkpoints", experiment.keep))
        train(experiment, state, journal=journal, store=store, hooks=[Timed(watch)])


def journalled(workload: Workload, watch: Watch, **changes: Any) -> None:
    """Every step's loss and gradient norm in history.jsonl; nothing else, as in the other loops."""
    run(workload, watch, evaluate=False, save=False, **changes)


def complete(workload: Workload, watch: Watch) -> None:
    """A run as `loopwright train` does it: evaluated and saved after every epoch as well."""
    run(workload, watch, evaluate=True, save=True)
