"""What the doctor remembers of a program: its models, optimizers and loaders, and what each step was made of.

Tensors are kept for as long as a step is looked at, not longer.
"""

from __future__ import annotations

import math
import os
from collections import defaultdict, deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any
from weakref import ref

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from loopwright.doctor.measures import Stats

NOTHING = torch.zeros(0)
NO_RATE = 1e-3
"""A rate that is this share of the highest, or less, is none, where it came down in more steps than MILESTONES: three
times divided by ten is a plan."""
MILESTONES = 8
REMEMBERED = 64
"""How many records of a kind are kept."""


def patience(ended: int) -> int:
    """How many steps after a schedule's end are more than rounding its length can explain."""
    return 5 - -ended // 5


def together(norms: Iterable[float | None]) -> float:
    """The 2-norm of several tensors together, from the norm of each; None is none."""
    return math.sqrt(sum(norm**2 for norm in norms if norm))


@dataclass(eq=False)
class Call:
    """A forward pass of an outermost module.

    `inputs` and `outputs`: the tensors in its arguments and in what it returned, in order; `flowed` says which of the
    outputs a gradient came back to. `ran` has the modules inside that ran, `foreign` those that are no part of it.
    `grad`: whether gradients were recorded. `batch`: whether one of the inputs comes straight from a DataLoader.
    `rows`, `floating`, `shape`: of the first input, a number for each row, its kind, and the shape of a row.
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

    def drop(self) -> None:
        """Let go of the tensors; what was measured stays."""
        self.args, self.kwargs, self.inputs, self.outputs, self.foreign = (), {}, [], [], []


@dataclass(eq=False)
class LossCall:
    """A call of one of PyTorch's loss functions: what it was given, and what it returned.

    `asked`, of a call without gradients: a number that is equal where class labels are; 0 where they are of one kind.
    """

    kind: str
    prediction: Tensor
    target: Tensor
    options: dict[str, Any]
    grad: bool
    value: Tensor | None = None
    chain: tuple[str, ...] = ()
    flowed: set[int] = field(default_factory=set)
    answers: Answers | None = None
    asked: int = 0

    def drop(self) -> None:
        """Let go of the tensors."""
        self.prediction = self.target = NOTHING
        self.value = None


@dataclass(frozen=True)
class Answers:
    """Of a loss call without gradients: the classes that were predicted, those that were asked for, how many, and how
    many of them the most frequent one."""

    guessed: frozenset[int]
    asked: frozenset[int]
    count: int
    top: int


@dataclass(frozen=True)
class Summary:
    """Of a LossCall, what is kept: the mean loss of a row that counts (`mean`), that of guessing among `classes`
    (`chance`, NaN where there are none), the rows, how many of them count, how many different labels they have, the
    share of the most frequent one, and the operation that made the prediction."""

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


@dataclass(eq=False)
class Backward:
    """A backward pass; `scaled`: of a loss that a GradScaler had scaled."""

    loss: Tensor
    scaled: bool = False
    value: float = float("nan")


@dataclass(eq=False)
class Rate:
    """A learning rate over the steps: the last one, the highest, and how often it came down."""

    now: float = 0.0
    peak: float = 0.0
    falls: int = 0

    def down(self, rate: float) -> bool:
        """Note the next one; whether it is nothing."""
        self.falls += rate < self.now
        self.now, self.peak = rate, max(self.peak, rate)
        return rate == 0 or (rate <= NO_RATE * self.peak and self.falls > MILESTONES)


@dataclass(eq=False)
class Held:
    """An optimizer. `steps` counts its steps; `cleared`: its gradients were cleared since its last one; `fresh`: all
    that happened since then, or since it was built, was looked at. `gone`: the step since which its rate is nothing."""

    optimizer: ref[Optimizer]
    kind: str
    parameters: frozenset[int]
    steps: int = 0
    cleared: bool = True
    fresh: bool = False
    order: list[str] = field(default_factory=list)
    norms: dict[str, float | None] = field(default_factory=dict)
    clip_scaled: bool = False
    rate: Rate = field(default_factory=Rate)
    gone: int | None = None

    def rated(self, rate: float) -> bool:
        """Note the learning rate of the step that was just made; whether it has just now come down to nothing."""
        down = self.rate.down(rate)
        if down is (self.gone is not None):
            return False
        self.gone = self.steps if down else None
        return down


@dataclass(frozen=True)
class Built:
    """An optimizer that was built: after how many steps of the program, what it was told, and from where: the lines of
    all callers, the innermost first; empty where nobody saw it being built."""

    held: Held
    at: int
    told: dict[str, Any]
    place: tuple[tuple[str, int], ...] = ()

    @property
    def line(self) -> str:
        """File and line of the program that built it; empty where that is not known."""
        of_torch, own = os.path.dirname(torch.__file__), os.path.dirname(__file__)
        outside = (place for place in self.place if not place[0].startswith((of_torch, own)))
        return next((f"{os.path.basename(file)}:{line}" for file, line in outside), "")


@dataclass(eq=False)
class Step:
    """One step of an optimizer that was looked at.

    `order` has the names of what happened since its step before. `norms`, `weights`, `moves`: the 2-norms of gradient
    (None: there was none), weight and update, by parameter name; `sizes`: how many numbers it has; `unmoved`: of those
    in half precision the share that the update left as they were. `memory`: how many steps the optimizer itself
    remembers; `values`: what went backward.
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
    def remembers(self) -> bool:
        """Whether the optimizer has a memory that can be lost: all have but SGD without momentum."""
        return self.held.kind != "SGD" or bool(self.settings.get("momentum"))

    @cached_property
    def gradient(self) -> float:
        """The 2-norm of all gradients together."""
        return together(self.norms.values())


@dataclass(eq=False)
class Phase:
    """What ran without an update: a validation, most often. Its calls recorded no gradients, or none came back."""

    step: int
    calls: list[Call] = field(default_factory=list)
    losses: list[LossCall] = field(default_factory=list)
    modules: frozenset[int] = frozenset()

    def __post_init__(self) -> None:
        self.modules = frozenset(id(call.module) for call in self.calls)


@dataclass(frozen=True)
class Load:
    """Weights that were loaded into a module: the names that were missing or not used, of how many; `step` when.

    `own`: what was loaded lay in the module's own memory, so that nothing changed.
    """

    kind: str
    missing: list[str]
    unexpected: list[str]
    total: int
    step: int
    own: bool = False


@dataclass(frozen=True)
class Stored:
    """The state of an optimizer in a checkpoint that was read or written: its settings and how many parameters."""

    settings: dict[str, Any]
    parameters: int


@dataclass(eq=False)
class Loader:
    """A DataLoader: how often it was begun, how many batches it gave in each epoch, and whether steps follow it."""

    loader: ref[Any]
    length: int | None
    sampler: str
    drawn: list[int] = field(default_factory=list)
    trains: bool = False


@dataclass(eq=False)
class Notes:
    """What is gathered over the steps for the rules; modules, parameters and optimizers by their ids.

    `losses`, `tokens`, `batches`, `clips`, `datasets`: whether some were met. Of inputs: `stats` by kind, train or
    phase, with step and module; of those that were trained on `hashes` and `shapes` by module, `rows`, how often each
    was, and `bits`, at most how many tell them apart. `dead`: by rectifier and step, the share of units that are zero,
    and how many there are. `linear_pairs`: layers whose output is another's input. `broadcast`: how often shapes made
    a table of pairs. `labels`: classes, lowest and highest label, of a loss that refused them. `scaler`: calls by
    name. `built`: optimizers. `restored`, `loaded`: optimizers and parameters whose
    state was read. `validated`: by module the labels and inputs of the last validation, and how often inputs alone had
    changed. `answered`: what probes have told for good, question and module.
    """

    losses: bool = False
    tokens: bool = False
    batches: bool = False
    clips: bool = False
    datasets: bool = False
    stats: dict[str, list[tuple[int, int, Stats]]] = field(default_factory=lambda: {"train": [], "phase": []})
    hashes: defaultdict[int, set[int]] = field(default_factory=lambda: defaultdict(set))
    shapes: set[tuple[int, tuple[int, ...]]] = field(default_factory=set)
    rows: dict[int, int] = field(default_factory=dict)
    bits: float = 0.0
    dead: dict[str, dict[int, tuple[float, int]]] = field(default_factory=dict)
    linear_pairs: dict[tuple[int, int], tuple[nn.Linear, nn.Linear]] = field(default_factory=dict)
    broadcast: dict[tuple[tuple[int, ...], ...], int] = field(default_factory=dict)
    labels: tuple[int, int, int] = (0, 0, -1)
    scaler: dict[str, int] = field(default_factory=dict)
    built: list[Built] = field(default_factory=list)
    restored: set[int] = field(default_factory=set)
    loaded: set[int] = field(default_factory=set)
    validated: dict[int, tuple[tuple[int, ...], tuple[int, ...], int]] = field(default_factory=dict)
    answered: set[tuple[str, int]] = field(default_factory=set)


@dataclass(eq=False)
class Program:
    """All that is known of the program that is watched.

    `read`: states of optimizers in files that were loaded. `saves`: how often torch.save wrote weights, `resumable` how
    often with an optimizer's state.
    """

    held: dict[int, Held] = field(default_factory=dict)
    loaders: dict[int, Loader] = field(default_factory=dict)
    steps: deque[Step] = field(default_factory=lambda: deque(maxlen=REMEMBERED))
    phases: deque[Phase] = field(default_factory=lambda: deque(maxlen=REMEMBERED))
    count: int = 0
    calls: int = 0
    backwards: int = 0
    schedules: dict[int, Schedule] = field(default_factory=dict)
    orders: list[tuple[int, int, int]] = field(default_factory=list)
    loads: list[Load] = field(default_factory=list)
    read: list[Stored] = field(default_factory=list)
    saves: int = 0
    resumable: int = 0
    scalers: bool = False
    compiled: bool = False
    trained: set[int] = field(default_factory=set)
    notes: Notes = field(default_factory=lambda: Notes())

    def recent(self, held: Held) -> list[Step]:
        """The remembered steps of one optimizer, the oldest first."""
        return [step for step in self.steps if step.held is held]

    def living(self) -> Iterator[tuple[Held, Optimizer]]:
        """The optimizers that are still there."""
        for held in list(self.held.values()):
            optimizer = held.optimizer()
            if optimizer is not None:
                yield held, optimizer


@dataclass(eq=False)
class Schedule:
    """A learning-rate scheduler: its kind, its steps, and the rates it has seen."""

    kind: str
    steps: int = 0
    before: bool = False
    rate: Rate = field(default_factory=Rate)
    ended_at: int | None = None
