"""What a step and a phase were made of. Tensors are kept for as long as a step is looked at, not longer."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import torch
from torch import Tensor, nn

from loopwright.doctor.measures import Stats
from loopwright.doctor.optimizers import Held

NOTHING = torch.zeros(0)


def together(norms: Iterable[float | None]) -> float:
    """The 2-norm of several tensors together, from the norm of each; None is none."""
    return math.sqrt(sum(norm**2 for norm in norms if norm))


@dataclass(eq=False)
class Call:
    """A forward pass of an outermost module.

    `inputs` and `outputs`: the tensors in its arguments and in what it returned, in order; `flowed` says which of the
    outputs a gradient came back to. `ran` has the modules inside that ran, `foreign` those that are no part of it.
    `grad`: whether gradients were recorded. `batch`: whether one of the inputs comes straight from a DataLoader.
    `rows`, `floating`, `shape`: of the first input, a number for each row, its kind, and the shape of a row. `answers`,
    of a call without gradients on what is trained on: a number for each row of the output. `wiped`: the gradients that
    came of it were cleared before the step. `touched`: of each output the places of the rows that got a gradient.
    `again`: the same input was trained on before. `entered`: what came to the first layer inside that multiplies it.
    `drew`: what was dropped in evaluation mode; `draws`: how often, in any mode. `sampled`: the kind of a part that was
    given a sample of a distribution that is learned, without a graph. `asked`: a number that is equal where the labels
    of the loader's batch are; 0 where there are none, or all of one kind.
    `profile` (B,), of a call without gradients: the mean of each row; `sums` (2, F), of rows of numbers: of each column
    the sum, and that of its squares.
    """

    module: nn.Module
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    training: bool
    grad: bool
    inputs: list[Tensor]
    outputs: list[Tensor] = field(default_factory=list)
    flowed: set[int] = field(default_factory=set)
    ran: set[int] = field(default_factory=set)
    foreign: list[nn.Module] = field(default_factory=list)
    quiet: list[str] = field(default_factory=list)
    active: list[str] = field(default_factory=list)
    half: str = ""
    hash: int = 0
    batch: bool = False
    rows: list[int] = field(default_factory=list)
    floating: bool = False
    source: int = 0
    shape: tuple[int, ...] = ()
    answers: list[int] = field(default_factory=list)
    wiped: bool = False
    touched: dict[int, set[int]] = field(default_factory=dict)
    again: bool = False
    profile: Tensor = NOTHING
    sums: Tensor = NOTHING
    entered: Stats | None = None
    drew: str = ""
    draws: int = 0
    sampled: str = ""
    asked: int = 0

    @property
    def taught(self) -> list[int]:
        """The rows that the model was trained on: those that the first of its outputs that are used got a gradient
        for."""
        places = self.touched[min(self.touched)] if self.touched else range(len(self.rows))
        return [row for place, row in enumerate(self.rows) if place in places]

    def drop(self) -> None:
        """Let go of the tensors; what was measured stays."""
        self.args, self.kwargs, self.inputs, self.outputs, self.foreign = (), {}, [], [], []


@dataclass(eq=False)
class LossCall:
    """A call of one of PyTorch's loss functions: what it was given, and what it returned.

    `asked`, of a call without gradients: a number that is equal where class labels are; 0 where they are of one kind.
    `rows`, where the model's `answers` are known: a number for each row of the prediction.
    """

    kind: str
    prediction: Tensor
    target: Tensor
    options: dict[str, Any]
    grad: bool
    value: Tensor | None = None
    chain: tuple[str, ...] = ()
    bounded: bool = False
    flowed: set[int] = field(default_factory=set)
    answers: Answers | None = None
    asked: int = 0
    rows: list[int] = field(default_factory=list)

    def drop(self) -> None:
        """Let go of the tensors."""
        self.prediction = self.target = NOTHING
        self.value = None


@dataclass(frozen=True)
class Answers:
    """Of a loss call without gradients: the classes that were predicted, those that were asked for, how many, and how
    many of them the most frequent one. `told`: how often a row of another class has less of the most frequent one than
    a row of that one; NaN unless several classes are asked for and one is predicted (the area under the ROC curve)."""

    guessed: frozenset[int]
    asked: frozenset[int]
    count: int
    top: int
    told: float = math.nan


@dataclass(frozen=True)
class Summary:
    """Of a LossCall, what is kept: the mean loss of a row that counts (`mean`), that of guessing among `classes`
    (`chance`, NaN where there are none), the rows, how many of them count, how many different labels they have, the
    share of the most frequent one, the operation that made the prediction, and whether that is `bounded`: numbers of at
    most 1, times a factor. `counts`, of a loss that weighs its classes: how many rows each has. Of a regression the
    mean `size` of the targets, their `spread`, and the `reach` of the predictions: the largest."""

    kind: str
    mean: float
    chance: float
    classes: int
    rows: int
    counted: int
    labels: int
    top: float
    label: int
    made_by: str
    value: float
    bounded: bool = False
    size: float = math.nan
    spread: float = math.nan
    reach: float = math.nan
    counts: tuple[int, ...] = ()


@dataclass(frozen=True)
class Rectified:
    """Of what a rectifier put out: the share of its units that were zero for every sample, how many units there are,
    and which were not, where these are few."""

    dead: float
    units: int
    alive: frozenset[int] = frozenset()


@dataclass(eq=False)
class Backward:
    """A backward pass; `scaled`: of a loss that a GradScaler had scaled."""

    loss: Tensor
    scaled: bool = False
    value: float = float("nan")


@dataclass(eq=False)
class Step:
    """One step of an optimizer that was looked at.

    `order` has the names of what happened since its step before. `norms`, `weights`, `moves`: the 2-norms of gradient
    (None: there was none), weight and update, by parameter name; `sizes`: how many numbers it has; `unmoved`: of those
    in half precision the share that the update left as they were. `memory`: how many steps the optimizer itself
    remembers; `values`: what went backward. `edited`: gradients are not those that the last backward pass has left.
    """

    number: int
    held: Held
    order: list[str]
    calls: list[Call]
    losses: list[LossCall]
    backwards: list[Backward]
    rates: list[float] = field(default_factory=list)
    settings: dict[str, Any] = field(default_factory=dict)
    norms: dict[str, float | None] = field(default_factory=dict)
    weights: dict[str, float] = field(default_factory=dict)
    moves: dict[str, float] = field(default_factory=dict)
    sizes: dict[str, int] = field(default_factory=dict)
    unmoved: dict[str, float] = field(default_factory=dict)
    clips: list[tuple[float, float]] = field(default_factory=list)
    whole: bool = False
    cleared: bool = True
    clip_scaled: bool = False
    edited: bool = False
    loss: float = float("nan")
    memory: float = float("nan")
    values: list[float] = field(default_factory=list)
    summaries: list[Summary] = field(default_factory=list)

    @property
    def kept(self) -> list[Call]:
        """The calls whose tensors are still there."""
        return [call for call in self.calls if call.inputs]

    @property
    def kept_losses(self) -> list[LossCall]:
        """The loss calls whose tensors are still there."""
        return [loss for loss in self.losses if loss.value is not None]

    @cached_property
    def ratio(self) -> float:
        """‖update‖ / ‖weights‖ over everything."""
        weights = together(self.weights.values())
        return together(self.moves.values()) / weights if weights else float("nan")

    @property
    def scale_free(self) -> bool:
        """Whether the optimizer divides each gradient by its usual size."""
        return "Adam" in self.held.kind or self.held.kind in ("RMSprop", "Lion", "Rprop")

    @property
    def remembers(self) -> bool:
        """Whether the optimizer has a memory that can be lost: all have but SGD without momentum."""
        return self.held.kind != "SGD" or bool(self.settings.get("momentum"))

    @cached_property
    def gradient(self) -> float:
        """The 2-norm of all gradients together."""
        return together(self.norms.values())


@dataclass(eq=False)
class Phase:
    """What ran without an update: a validation, most often. Its calls recorded no gradients, or none came back.

    `chooses`: the update that follows is made with a part of the very rows, as where the hardest are looked for.
    """

    step: int
    calls: list[Call] = field(default_factory=list)
    losses: list[LossCall] = field(default_factory=list)
    modules: frozenset[int] = frozenset()
    chooses: bool = False

    def __post_init__(self) -> None:
        self.modules = frozenset(id(call.module) for call in self.calls)

    @property
    def by_module(self) -> list[tuple[nn.Module, list[Call]]]:
        """The calls of each model, the one that was called first first."""
        each = {id(call.module): call.module for call in self.calls}
        return [(module, [call for call in self.calls if call.module is module]) for module in each.values()]
