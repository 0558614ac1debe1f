"""The seams at which faults are made: an experiment with another model, loss, evaluation, data, optimizer or schedule.

Nothing in the engine knows of faults. What is wrapped here says so by its name alone; the loop runs it as it is.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from loopwright.core.experiment import Experiment
from loopwright.core.schedules import Schedule
from loopwright.data.sequences import SequenceData
from loopwright.data.tensors import TensorData
from loopwright.protocols import SPLITS, Batch, Data, Plan, Split, Task

Splits = dict[Split, dict[str, Tensor]]
LossOf = Callable[[nn.Module, Batch], Mapping[str, Tensor]]
MetricsOf = Callable[[nn.Module, Split], dict[str, float]]


@dataclass(frozen=True, eq=False)
class Altered:
    """A task with something else in place of one of its parts; each alteration is given what it replaces."""

    task: Any
    of_model: Callable[[nn.Module], nn.Module] = lambda model: model
    of_loss: Callable[[LossOf, nn.Module, Batch], Mapping[str, Tensor]] = lambda loss, model, batch: loss(model, batch)
    of_metrics: Callable[[MetricsOf, nn.Module, Split], dict[str, float]] = lambda score, model, split: score(
        model, split
    )
    of_data: Callable[[Any], Any] = lambda data: data
    copies: dict[int, Any] = field(default_factory=dict, repr=False)

    @cached_property
    def data(self) -> Data:
        """The samples."""
        data: Data = self.of_data(self.task.data)
        return data

    def model(self) -> nn.Module:
        """A new model."""
        return self.of_model(self.task.model())

    def loss(self, model: nn.Module, batch: Batch) -> Mapping[str, Tensor]:
        """The loss of a batch."""
        return self.of_loss(self.task.loss, model, batch)

    def evaluate(self, model: nn.Module, split: Split) -> dict[str, float]:
        """The metrics of a split."""
        return self.of_metrics(self.evaluated, model, split)

    @property
    def evaluated(self) -> MetricsOf:
        """The task's own evaluation, on the altered data."""
        return self.on_altered_data.evaluate

    @property
    def on_altered_data(self) -> Task:
        """The task with the altered data in place of its own."""
        if self.data is self.task.data:
            return self.task  # type: ignore[no-any-return]
        if id(self.data) not in self.copies:
            copied = copy.copy(self.task)  # with what its cached properties have made already
            vars(copied)["data"] = self.data
            self.copies[id(self.data)] = copied
        return self.copies[id(self.data)]  # type: ignore[no-any-return]

    def artifacts(self, model: nn.Module, directory: Path) -> None:
        """What the task shows."""
        self.task.artifacts(model, directory)


def with_model(experiment: Experiment, alter: Callable[[nn.Module], nn.Module]) -> Experiment:
    """The experiment with `alter` applied to each new model; it may change the model in place and return it."""
    return replace(experiment, task=Altered(experiment.task, of_model=alter))


def with_loss(experiment: Experiment, alter: Callable[[LossOf, nn.Module, Batch], Mapping[str, Tensor]]) -> Experiment:
    """The experiment with `alter(loss, model, batch)` as its loss; `loss` is the task's own."""
    return replace(experiment, task=Altered(experiment.task, of_loss=alter))


def with_metrics(
    experiment: Experiment, alter: Callable[[MetricsOf, nn.Module, Split], dict[str, float]]
) -> Experiment:
    """The experiment with `alter(evaluate, model, split)` as its evaluation; `evaluate` is the task's own."""
    return replace(experiment, task=Altered(experiment.task, of_metrics=alter))


def with_data(experiment: Experiment, alter: Callable[[Any], Any]) -> Experiment:
    """The experiment with `alter(data)` as its data."""
    return replace(experiment, task=Altered(experiment.task, of_data=alter))


def with_splits(experiment: Experiment, alter: Callable[[Splits], Splits]) -> Experiment:
    """The experiment with other tensors in its splits; `alter` gets copies of the mappings, not of the tensors."""

    def altered(data: Any) -> Any:
        return replace(data, splits=alter({split: dict(tensors) for split, tensors in data.splits.items()}))

    return with_data(experiment, altered)


def has_splits(experiment: Experiment) -> bool:
    """Whether the experiment's samples are tensors in memory."""
    return isinstance(experiment.task.data, TensorData | SequenceData)


def is_classification(experiment: Experiment) -> bool:
    """Whether each sample is one input and one label."""
    data = experiment.task.data
    return isinstance(data, TensorData) and "label" in data.splits["train"] and input_name(experiment) != ""


def is_sequences(experiment: Experiment) -> bool:
    """Whether the samples are token sequences with a target at each position."""
    return isinstance(experiment.task.data, SequenceData)


def input_name(experiment: Experiment) -> str:
    """The name of the one float tensor that a model is given; empty where there is no such thing."""
    data = experiment.task.data
    if not isinstance(data, TensorData):
        return ""
    floats = [name for name, tensor in data.splits["train"].items() if tensor.is_floating_point()]
    return floats[0] if floats else ""


@dataclass(frozen=True, eq=False)
class OtherOptimizer:
    """An optimizer's hyper-parameters with something done to what they build; `alter` is given the model, too."""

    choice: Any
    alter: Callable[[nn.Module, Optimizer], Optimizer]

    @property
    def lr(self) -> float:
        """The peak rate."""
        return float(self.choice.lr)

    def build(self, model: nn.Module) -> Optimizer:
        """The altered optimizer."""
        return self.alter(model, self.choice.build(model))


def with_optimizer(experiment: Experiment, alter: Callable[[nn.Module, Optimizer], Optimizer]) -> Experiment:
    """The experiment with `alter(model, optimizer)` in place of its optimizer. Changing it in place is fine: methods
    are looked up on the instance first, `optimizer.zero_grad = lambda set_to_none=True: None`."""
    return replace(experiment, optimizer=OtherOptimizer(experiment.optimizer, alter))  # type: ignore[arg-type]


def with_rate(experiment: Experiment, lr: float) -> Experiment:
    """The experiment with another peak rate."""
    return replace(experiment, optimizer=replace(experiment.optimizer, lr=lr))


@dataclass(frozen=True)
class OtherSchedule(Schedule):
    """A schedule called with another step."""

    schedule: Schedule
    step_of: Callable[[int, int], int]

    def __post_init__(self) -> None:
        """Nothing is checked: its parts were."""

    def __call__(self, step: int, total: int) -> float:
        """The factor of the other step."""
        return self.schedule(self.step_of(step, total), total)


@dataclass(frozen=True, eq=False)
class OtherBatches:
    """Data whose training batches are what `of_batches(data, plan, start)` gives, and whose scans are `of_scan`'s."""

    data: Any
    of_batches: Callable[[Any, Plan, int], Iterator[Sequence[Batch]]] = lambda data, plan, start: data.batches(
        plan, start
    )
    of_scan: Callable[[Any, Split, int], Iterator[Batch]] = lambda data, split, size: data.scan(split, size)

    @property
    def splits(self) -> Any:
        """The tensors."""
        return self.data.splits

    def size(self, split: Split) -> int:
        """How many samples `split` has."""
        return int(self.data.size(split))

    def batches(self, plan: Plan, start: int) -> Iterator[Sequence[Batch]]:
        """The other batches."""
        return self.of_batches(self.data, plan, start)

    def scan(self, split: Split, batch_size: int = 1024) -> Iterator[Batch]:
        """The other scan."""
        return self.of_scan(self.data, split, batch_size)

    def sha256(self) -> str:
        """A digest of the data below."""
        return str(self.data.sha256())


def last_layer(model: nn.Module) -> tuple[str, nn.Linear]:
    """The last linear layer with its name."""
    layers = [(name, part) for name, part in model.named_modules() if isinstance(part, nn.Linear)]
    return layers[-1]


def weighted_layers(model: nn.Module) -> list[tuple[str, nn.Module]]:
    """The linear and convolutional layers with their names, in the model's order."""
    kinds = nn.Linear | nn.modules.conv._ConvNd
    return [(name, part) for name, part in model.named_modules() if isinstance(part, kinds)]


def replace_modules(model: nn.Module, kind: type[nn.Module], make: Callable[[nn.Module], nn.Module]) -> nn.Module:
    """The model with each module of a kind replaced, in place."""
    for parent in list(model.modules()):
        for name, part in list(parent.named_children()):
            if isinstance(part, kind):
                setattr(parent, name, make(part))
    return model


def outputs_changed(model: nn.Module, change: Callable[[Tensor], Tensor]) -> nn.Module:
    """The model with `change` applied to every tensor it puts out."""

    def hook(module: nn.Module, given: Any, output: Any) -> Any:
        if isinstance(output, torch.Tensor):
            return change(output)
        return type(output)(*(change(each) for each in output))

    model.register_forward_hook(hook)
    return model


def with_tensor(
    experiment: Experiment, name: str, change: Callable[[Tensor], Tensor], among: Sequence[Split] = SPLITS
) -> Experiment:
    """The experiment with `change` applied to the tensor `name` of the splits `among` that there are."""

    def altered(splits: Splits) -> Splits:
        for split in among:
            if split in splits:
                splits[split][name] = change(splits[split][name])
        return splits

    return with_splits(experiment, altered)


def target_name(experiment: Experiment) -> str:
    """The name of the one float tensor that a model is to put out; empty where there is no such thing."""
    data = experiment.task.data
    if not isinstance(data, TensorData) or "label" in data.splits["train"]:
        return ""
    floats = [name for name, tensor in data.splits["train"].items() if tensor.is_floating_point()]
    return floats[1] if len(floats) == 2 else ""


def splits_of(experiment: Experiment) -> Splits:
    """The tensors of all splits, which the experiment must have in memory."""
    splits: Splits = experiment.task.data.splits  # type: ignore[attr-defined]
    return splits


def steps_in_epoch(experiment: Experiment) -> int:
    """How many batches an epoch has."""
    return experiment.plan().steps_per_epoch(experiment.task.data.size("train"))


def with_step(experiment: Experiment, act: Callable[[Optimizer, Callable[[], Any]], None]) -> Experiment:
    """The experiment with `act(optimizer, step)` in place of each optimizer step; `step` is the optimizer's own."""

    def altered(model: nn.Module, optimizer: Optimizer) -> Optimizer:
        step = optimizer.step
        optimizer.step = lambda: act(optimizer, step)  # type: ignore[assignment, method-assign]
        return optimizer

    return with_optimizer(experiment, altered)


def with_weights(experiment: Experiment, change: Callable[[nn.Module], None]) -> Experiment:
    """The experiment whose models begin with weights that `change` has changed in place. They are drawn by the layers
    themselves: a strategy would come behind it and draw them anew."""

    def changed(model: nn.Module) -> nn.Module:
        with torch.no_grad():
            change(model)
        return model

    return replace(with_model(experiment, changed), init="default")


def depth(experiment: Experiment) -> int:
    """How many linear and convolutional layers a model has."""
    return len(weighted_layers(experiment.task.model()))
