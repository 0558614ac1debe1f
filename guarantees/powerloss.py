"""The power fails: every state that the disk may then be in is built and gone on from."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import torch

from guarantees.disk import Crash, TooMuchUnsynced, crashes
from guarantees.equal import difference, history, history_difference, state_bits
from guarantees.faults import in_memory, need_strace
from guarantees.recording import Event, Recording, Write, mark, record
from guarantees.scenarios import Scenarios
from guarantees.section import Scale, Section, shown
from guarantees.victim import origin, victim
from loopwright.core import State, train
from loopwright.errors import LoopwrightError
from loopwright.journal import RunJournal
from loopwright.protocols import NoStore, StepReport
from loopwright.running import Watchers, resume_run, train_one_experiment
from loopwright.store import CheckpointStore, newest_good, read_saved

MOST_STATES = 20_000
MOST_TOLD = 10
"""Violations of one kind of work that are told; the table counts all that differ in what they say."""


class Announcing(NoStore):
    """A store that says when a checkpoint is durable, and what it is."""

    def __init__(self, store: CheckpointStore) -> None:
        self.store = store

    def save(self, content: Mapping[str, object], step: int, *, best: bool) -> None:
        """Save, wait, say so."""
        self.store.save(content, step, best=best)
        self.store.wait()
        mark(f"saved {step}")
        if best:
            mark(f"best {step}")


@dataclass(frozen=True)
class RecordedWork:
    """Work that is recorded, and a check of what a crash of it leaves: raises AssertionError where a promise breaks."""

    title: str
    work: Callable[[Path], object]
    check: Callable[[Path, Crash], object]
    quick: int = 20
    """How many of the states are looked at where it has to be quick."""


class PowerFailures:
    """What is recorded, and what has to hold in every state."""

    def __init__(self, scenarios: Scenarios) -> None:
        self.scenarios = scenarios
        self.all = (
            RecordedWork("a history, flushed every three steps", self.tell, self.check_told, quick=200),
            RecordedWork("four saves, with names, retention and history", self.save, self.check_store),
            RecordedWork("a whole run: create, train, finish", self.train_one, self.check_run),
        )

    def tell(self, place: Path) -> None:
        """A journal without checkpoints: nine steps, each written by itself, flushed after every third."""
        with RunJournal(place) as journal:
            for step in range(1, 10):
                tell_step(journal, step)
                if step % 3 == 0:
                    journal.flush()
                    mark(f"flushed {step}")

    def check_told(self, place: Path, crash: Crash) -> None:
        """What was flushed is there, whole; a journal that is opened again adds the rest, and nothing twice."""
        flushed = list(range(1, newest(crash, "flushed") + 1))
        found = [record["step"] for record in history(place) if record["kind"] == "step"]
        assert found[: len(flushed)] == flushed, f"{found} are there"
        with RunJournal(place) as journal:
            for step in range(1, 10):
                tell_step(journal, step)
        for kind in ("step", "validation"):
            assert sorted(record["step"] for record in history(place) if record["kind"] == kind) == list(range(1, 10))

    def save(self, place: Path) -> None:
        """The loop with its journal and its store, from the beginning."""
        experiment = victim()
        state = State.create(experiment)
        with RunJournal(place) as journal, CheckpointStore(place / "checkpoints", experiment.keep) as store:
            train(experiment, state, journal=journal, store=Announcing(store))

    def train_one(self, place: Path) -> None:
        """As `loopwright train` does it."""
        watchers = Watchers(say=lambda line: mark("named") if line.startswith("run ") else None)
        mark(f"finished {train_one_experiment(victim(), place, watchers, origin=origin()).name}")

    def check_store(self, place: Path, crash: Crash) -> None:
        """Old or new, whole, and what was said to be durable is there; going on leads to the same bits."""
        saved, best = newest(crash, "saved"), newest(crash, "best")
        self.check_files(place / "checkpoints")
        if saved >= 0:
            found = newest_good(place / "checkpoints")
            assert found.content["step"] >= saved, f"step {found.content['step']} is loaded after {saved} was saved"
            assert not found.rejected, found.rejected
        for name, least in (("last.pt", saved), ("best.pt", best)):
            if least >= 0:
                step = read_saved(place / "checkpoints" / name)["step"]
                assert step >= least, f"{name} is of step {step} after {least} was saved"
        self.scenarios.go_on(place)
        what = history_difference(place, self.scenarios.whole, ordered=False)
        assert not what, what

    def check_run(self, place: Path, crash: Crash) -> None:
        """Every run directory goes on to the same bits, or is refused clearly if nobody was told its name."""
        named = "named" in crash.marks
        runs = sorted(place.glob("victim/[0-9]*"))
        assert runs or not named, "the run is gone"
        for run in runs:
            self.check_files(run / "checkpoints")
            try:
                resume_run(place / "victim/latest" if named else run)
            except LoopwrightError as error:
                if named:
                    raise AssertionError(f"refused: {error}") from error
            else:
                what = difference(run, self.scenarios.whole, ordered=False)
                assert not what, what

    def check_files(self, directory: Path) -> None:
        """Each checkpoint holds what some save wrote."""
        for path in directory.glob("*.pt"):
            assert state_bits(path) in self.scenarios.states, f"{path.name} holds what nobody saved"


def tell_step(journal: RunJournal, step: int) -> None:
    """A step and an evaluation."""
    loss = torch.tensor(1 / step)
    journal.step(StepReport(step=step, epoch=0, lr=0.1, samples=8, loss=loss, parts={"mse": loss}, grad_norm=loss))
    journal.validation(step, 0, {"accuracy": 0.5})


def newest(crash: Crash, what: str) -> int:
    """The step of the newest mark of a kind; -1 where there is none."""
    return max((int(text.split()[1]) for text in crash.marks if text.startswith(f"{what} ")), default=-1)


@dataclass
class CrashCounts:
    """What came of the states of one recording."""

    title: str
    events: int
    states: int
    tried: int
    violations: dict[str, str]

    def row(self) -> tuple[object, ...]:
        """One line of the table."""
        return self.title, self.events, self.states, self.tried, len(self.violations)

    def told(self) -> list[str]:
        """The first violations."""
        return list(self.violations.values())[:MOST_TOLD]


def attack(scenario: RecordedWork, scratch: Path, scale: Scale) -> CrashCounts:
    """Record the work, build the states, look at each."""
    recorded = scratch / f"recorded {scenario.title.partition(':')[0]}"
    recorded.mkdir()
    recording = record(lambda: scenario.work(recorded), recorded, scratch)
    states, too_much = enumerated(recording, cuts=scale.pick(quick=1, full=4, nightly=64))
    tried = states[:: scale.pick(quick=len(states) // scenario.quick + 1, full=1, nightly=1)]
    tally = CrashCounts(scenario.title, len(recording.events), len(states), len(tried), {})
    if too_much:
        tally.violations["too much"] = too_much
    for crash in shown(tried, scenario.title):
        place = scratch / "place"
        shutil.rmtree(place, ignore_errors=True)
        place.mkdir()
        crash.build(place, recording.inodes)
        try:
            scenario.check(place, crash)
        except (AssertionError, LoopwrightError, OSError) as broken:
            happened = describe(recording.events[crash.after - 1]) if crash.after else "nothing"
            what = str(broken).replace(str(place), "")
            tally.violations.setdefault(what, f"after {happened}: {what}; there: {listing(crash)}")
    return tally


def enumerated(recording: Recording, *, cuts: int) -> tuple[list[Crash], str]:
    """The states after a recording, and what is wrong where they are too many to try them all."""
    states: list[Crash] = []
    try:
        states.extend(islice(crashes(recording, cuts=cuts), MOST_STATES))
    except TooMuchUnsynced as error:
        return states, str(error)
    return states, f"{MOST_STATES:,} states and more, for too much is unsynced" * (len(states) == MOST_STATES)


def describe(event: Event) -> str:
    """An event without its data."""
    if isinstance(event, Write):
        return f"a write of {len(event.data or b'')} bytes at {event.offset} of inode {event.inode}"
    return str(event)


def listing(crash: Crash) -> str:
    """The names of a state and the sizes of its files."""
    sizes = {inode: len(content) for inode, content in crash.files}
    return ", ".join(f"{name} ({inode}: {sizes[inode]})" if inode in sizes else name for name, inode in crash.names)


def measure(scale: Scale) -> Section:
    """Every state at the full scale; some of them at the quick one."""
    need_strace()
    with tempfile.TemporaryDirectory(dir=in_memory()) as scratch:
        failures = PowerFailures(Scenarios(Path(scratch)))
        tallies = [attack(scenario, Path(scratch), scale) for scenario in failures.all]
    return Section(
        title="The power fails",
        columns=("work", "events recorded", "different states", "tried", "violations"),
        rows=tuple(tally.row() for tally in tallies),
        notes=NOTES,
        violations=tuple(f"{tally.title}: {text}" for tally in tallies for text in tally.told()),
    )


NOTES = (
    "The system calls of the work are recorded, and every state that a power failure at any instant may leave is "
    "built and gone on from, after ALICE (Pillai et al., OSDI 2014). The disk keeps no more than POSIX says: each "
    "write since the file's last fsync is there, absent, zeros, or cut at a sector of 512 bytes (at one, four or 64 of "
    "its sectors, by scale); each change of names since the directory's last fsync is there or not, in any "
    "combination. Files under temporary names, which nobody reads, are not cut.",
    "What is said to be saved is loaded, or something newer is; every checkpoint that has its final name is whole; a "
    "run whose name was told goes on to the same weights, optimizer state, history and metrics, and `latest` leads to "
    "it.",
)
