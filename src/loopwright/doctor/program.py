"""What the doctor remembers of a program: its models, optimizers and loaders."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from weakref import ref

from torch import Tensor, nn
from torch.optim import Optimizer

from loopwright.doctor.measures import Stats
from loopwright.doctor.optimizers import Built, Held, Schedule
from loopwright.doctor.records import Phase, Rectified, Step

FIRST = 4
MOST_MET = 200_000
CHOICE = 16
"""Who makes an update with one of so many rows chooses it; who has looked at more has scored a data set."""
MOSTLY = 0.9
REMEMBERED = 64
"""How many records of a kind are kept."""


@dataclass(frozen=True)
class Load:
    """Weights that were loaded into a module: the names that were missing or not used, of how many; `step` when.

    `own`: what was loaded lay in the module's own memory, so that nothing changed. `lacking`: how many were missing; of
    very many some are named.
    """

    kind: str
    missing: list[str]
    unexpected: list[str]
    total: int
    step: int
    own: bool = False
    lacking: int = 0


@dataclass(frozen=True)
class Stored:
    """The state of an optimizer in a checkpoint that was read or written: its settings and how many parameters."""

    settings: dict[str, Any]
    parameters: int


@dataclass(frozen=True)
class Scheduled:
    """The state of a schedule in a checkpoint: how many steps it had made, the last rate, what it was told."""

    steps: int
    rate: float
    told: dict[str, Any]


@dataclass(eq=False)
class Loader:
    """A DataLoader: how often it was begun, how many batches it gave in each epoch, with which of them these `began`,
    and whether steps follow it. `size`: the rows of its data set; `flat`: each of its batches is one tensor (B,), the
    `last` of which is kept; `plain`: an input and its label; `labelled`: there are labels (B,)."""

    loader: ref[Any]
    length: int | None
    sampler: str
    size: int | None = None
    drawn: list[int] = field(default_factory=list)
    began: set[int] = field(default_factory=set)
    trains: bool = False
    flat: bool = True
    plain: bool = True
    labelled: bool = False
    last: Tensor | None = None


@dataclass(eq=False)
class Order:
    """A permutation that was drawn after so many steps: its size, and a number that is equal where it is. `trains`:
    what is trained was not called without gradients between it and the next step, as for a validation."""

    at: int
    size: int
    order: int
    trains: bool = True


class Present(dict[int, ref[Any]]):
    """Objects by their ids, for as long as they are there: a later one may have the same id."""

    def note(self, thing: object) -> None:
        """Put an object in."""
        number = id(thing)
        self[number] = ref(thing, lambda _: self.pop(number, None))


@dataclass(eq=False)
class Seen:
    """What was seen of one model. Of inputs that it was trained on: `hashes` of batches, `shapes` of a row, `rows`, how
    often each was, `sizes`: how many rows batches had. `validated`: labels and inputs of the last validation, and how
    often inputs alone had changed. `answered`: what probes have told for good. `taught`: which rows of its output were
    trained on, where it is given everything at once. `feeds`: its output is another model's input; `fed`: the
    other way round. `first`: the rows of
    the FIRST batches, and how many of them came `again`. `draws`: how often a pass of
    training drops something. `met`: rows that came up without an update first; `gathers`:
    updates are made with such."""

    model: ref[nn.Module]
    hashes: set[int] = field(default_factory=set)
    shapes: set[tuple[int, ...]] = field(default_factory=set)
    rows: dict[int, int] = field(default_factory=dict)
    validated: tuple[tuple[int, ...], tuple[int, ...], int] = ((), (), 0)
    answered: set[str] = field(default_factory=set)
    taught: frozenset[int] | None = None
    feeds: bool = False
    fed: bool = False
    batches: int = 0
    first: int = 0
    again: int = 0
    sizes: set[int] = field(default_factory=set)
    met: set[int] = field(default_factory=set)
    draws: int = 0
    gathers: bool = False

    def learn(self, rows: list[int]) -> None:
        """The model was trained on these rows."""
        self.batches += bool(rows)
        if self.batches <= FIRST:
            self.first += len(rows)
            self.again += sum(row in self.rows for row in rows)
        for row in rows:
            self.rows[row] = self.rows.get(row, 0) + 1

    def gather(self, rows: set[int], then: set[int]) -> bool:
        """Note the `rows` of what ran without an update, and those that an update was made with `then`; whether updates
        are made with what came up in such passes before: the hardest rows, or what somebody has lived through, who goes
        on to meet new ones."""
        fresh = rows - self.rows.keys() - self.met
        goes_on = bool(self.rows) and bool(then & fresh)
        if len(self.met) < MOST_MET:
            self.met |= fresh
        self.gathers |= goes_on and len(then & self.met) >= MOSTLY * len(then)
        return self.gathers or (bool(then) and then < rows and len(rows) <= CHOICE * len(then))


@dataclass(eq=False)
class Notes:
    """What is gathered over the steps for the rules.

    `losses`, `tokens`, `masks`, `batches`, `clips`, `datasets`: whether some were met. `models`: what was seen of each,
    by id. Of inputs: `stats` by kind, train or phase, with step and model; of those that were trained on `bits`, at
    most how many tell them apart. `dead`: by rectifier and step, which units are zero. `linear_pairs`: layers whose
    output is another's input. `broadcast`: how often shapes made a table of pairs. `labels`: classes, lowest and
    highest label, of a loss that refused them. `scaler`: calls by name. `built`: optimizers. `restored`, `loaded`:
    optimizers, schedules and parameters whose state was loaded; `resumed`: those of them that have it from a
    file. `outside`: parameters that no optimizer holds, and their fingerprints after the first step;
    `frozen`: those that did not require gradients once. `same_answer`: validations with one answer to all.
    `classes`: a loss of classes was met. `squashed`: by the name of a distribution, what its logits were made by, where
    that makes probabilities.
    """

    losses: bool = False
    tokens: bool = False
    masks: bool = False
    batches: bool = False
    clips: bool = False
    datasets: bool = False
    models: dict[int, Seen] = field(default_factory=dict)
    stats: dict[str, list[tuple[int, Seen, Stats]]] = field(default_factory=lambda: {"train": [], "phase": []})
    bits: float = 0.0
    same_answer: int = 0
    squashed: dict[str, str] = field(default_factory=dict)
    classes: bool = False
    dead: dict[str, dict[int, Rectified]] = field(default_factory=dict)
    linear_pairs: dict[tuple[int, int], tuple[ref[nn.Linear], ref[nn.Linear]]] = field(default_factory=dict)
    broadcast: dict[tuple[Any, ...], int] = field(default_factory=dict)
    labels: tuple[int, int, int] = (0, 0, -1)
    scaler: dict[str, int] = field(default_factory=dict)
    built: list[Built] = field(default_factory=list)
    restored: Present = field(default_factory=Present)
    resumed: Present = field(default_factory=Present)
    loaded: Present = field(default_factory=Present)
    outside: dict[int, int] = field(default_factory=dict)
    frozen: Present = field(default_factory=Present)

    def of(self, model: nn.Module) -> Seen:
        """What was seen of a model."""
        number = id(model)
        seen = self.models.get(number)
        if seen is None or seen.model() is not model:
            seen = self.models[number] = Seen(ref(model, lambda _: self.models.pop(number, None)))
        return seen

    def build(self, one: Built) -> None:
        """Remember an optimizer that was built; of too many first those go whose weights are gone."""
        self.built.append(one)
        if len(self.built) > REMEMBERED:
            self.built.remove(next((each for each in self.built if not each.held.parameters), self.built[0]))


@dataclass(eq=False)
class Program:
    """All that is known of the program that is watched.

    `read`: states of optimizers in files that were loaded. `saves`: how often torch.save wrote weights, `resumable` how
    often with an optimizer's state. `scheduled`: the states of schedules that were read; `stored`: the ids of those of
    optimizers.
    """

    held: dict[int, Held] = field(default_factory=dict)
    loaders: dict[int, Loader] = field(default_factory=dict)
    steps: deque[Step] = field(default_factory=lambda: deque(maxlen=REMEMBERED))
    phases: deque[Phase] = field(default_factory=lambda: deque(maxlen=REMEMBERED))
    count: int = 0
    calls: int = 0
    backwards: int = 0
    schedules: dict[int, Schedule] = field(default_factory=dict)
    orders: list[Order] = field(default_factory=list)
    loads: list[Load] = field(default_factory=list)
    read: list[Stored] = field(default_factory=list)
    saves: int = 0
    resumable: int = 0
    scheduled: list[Scheduled] = field(default_factory=list)
    stored: set[int] = field(default_factory=set)
    scalers: bool = False
    compiled: bool = False
    notes: Notes = field(default_factory=lambda: Notes())

    @property
    def trained(self) -> frozenset[int]:
        """The ids of the weights that were moved by an optimizer and are still there."""
        return frozenset().union(*(one.held.parameters for one in self.notes.built if one.held.steps))

    @property
    def stepping(self) -> int:
        """How many optimizers make steps in turn, at least one."""
        return max(1, sum(held.steps > 0 for held, _ in self.living()))

    def schedule(self, scheduler: Any, held: Held) -> Schedule:
        """The record of a scheduler of an optimizer."""
        known = self.schedules.get(id(scheduler))
        if known is None or known.held is not held:
            self.schedules.pop(id(scheduler), None)
            known = self.schedules[id(scheduler)] = Schedule(type(scheduler).__name__, held)
            if len(self.schedules) > REMEMBERED:
                self.schedules.pop(next(iter(self.schedules)))
        return known

    def recent(self, held: Held) -> list[Step]:
        """The remembered steps of one optimizer, the oldest first."""
        return [step for step in self.steps if step.held is held]

    def living(self) -> Iterator[tuple[Held, Optimizer]]:
        """The optimizers that are still there."""
        for held in list(self.held.values()):
            optimizer = held.optimizer()
            if optimizer is not None:
                yield held, optimizer
