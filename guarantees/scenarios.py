"""What is broken off at a system call: work on a run directory, and what has to hold afterwards."""

from __future__ import annotations

import mmap
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import Executor, Future
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from guarantees.equal import bits, difference, history_difference, state_bits
from guarantees.forks import KILLED, fork, until, wait
from guarantees.victim import idle_program, origin, victim
from loopwright.core import State, train
from loopwright.core.arithmetic import arithmetic
from loopwright.errors import LoopwrightError
from loopwright.files import reading
from loopwright.journal import RunJournal
from loopwright.protocols import Hook, StepReport
from loopwright.running import Watchers, resume_run, train_one_experiment
from loopwright.store import CheckpointStore, newest_good, read_saved

SAVE_EVERY = 2


class Progress(Hook):
    """Counts steps, and notes that a run was named, in memory that the killed process shares with this one."""

    def __init__(self) -> None:
        self.memory = mmap.mmap(-1, 2)

    def on_step_end(self, report: StepReport) -> None:
        """Note the step."""
        self.memory[0] = max(self.steps, report.step)

    def say(self, line: str) -> None:
        """Note that the run was named to whoever looks on."""
        self.memory[1] |= line.startswith("run ")

    @property
    def steps(self) -> int:
        """The newest step that was done."""
        return self.memory[0]

    @property
    def named(self) -> bool:
        """Whether somebody was told the name of the run."""
        return bool(self.memory[1])


class Immediately(Executor):
    """Carries out at once what is submitted: the store then does all its work in one thread, call after call."""

    def submit(self, work: Callable[..., Any], /, *arguments: Any, **named: Any) -> Future[Any]:
        """The outcome of `work`."""
        future: Future[Any] = Future()
        try:
            future.set_result(work(*arguments, **named))
        except LoopwrightError as error:
            future.set_exception(error)
        return future


@dataclass(frozen=True)
class Scenario:
    """Work in a place, how the place is prepared, and a check of what is found there afterwards.

    `check` returns how many of the steps that were done are lost; it raises AssertionError where a promise is broken.
    """

    title: str
    prepare: Callable[[Path], object]
    work: Callable[[Path], object]
    check: Callable[[Path], int]


class Scenarios:
    """The scenarios, and the run that was left alone, which all of them are compared with."""

    def __init__(self, scratch: Path) -> None:
        # The report is made by a process of its own, which takes seconds and is not what is attacked here.
        sys.executable = idle_program()
        self.progress = Progress()
        self.hooks: list[Hook] = [self.progress]
        self.whole = train_one_experiment(victim(), scratch / "whole", origin=origin())
        every = train_one_experiment(victim(keep=9), scratch / "every", origin=origin())
        self.states = [state_bits(path) for path in (every / "checkpoints").glob("step-*.pt")]
        self.all = (
            Scenario("create, train, finish", Path.mkdir, self.train_one, self.check_run),
            Scenario("resume, train, finish", self.half_a_run, self.resume, self.check_run),
            Scenario("save with its names and retention", Path.mkdir, self.go_on, self.check_store),
            Scenario("restore, go on, save", self.half_a_store, self.go_on, self.check_store),
        )

    def prepare(self, scenario: Scenario, template: Path) -> bytes:
        """Make what is there before the work of `scenario` begins, anew; the progress that goes with it."""
        subprocess.run(["rm", "-rf", str(template)], check=True)
        self.progress.memory[:] = b"\0\0"
        scenario.prepare(template)
        return bytes(self.progress.memory)

    def watchers(self) -> Watchers:
        """They note how far the run comes."""
        return Watchers(hooks=self.hooks, say=self.progress.say)

    def train_one(self, place: Path) -> None:
        """A whole run, as `loopwright train` does it."""
        train_one_experiment(victim(), place, self.watchers(), origin=origin())

    def resume(self, place: Path) -> None:
        """As `loopwright resume` does it."""
        resume_run(place / "victim/001", self.watchers())

    def go_on(self, place: Path) -> None:
        """The loop with its store and its journal, from what is there to the end; all of it in one thread."""
        experiment = victim().resolved()
        with reading(place):
            checkpoints = list((place / "checkpoints").glob("*.pt"))
        state = State.create(experiment)
        if checkpoints:
            state.load_state_dict(newest_good(place / "checkpoints").content["state"])
        with (
            arithmetic(experiment),
            RunJournal(place, resumed_at=state.step) as journal,
            CheckpointStore(place / "checkpoints", experiment.keep) as store,
        ):
            store.worker.shutdown()
            store.worker = Immediately()
            train(experiment, state, journal=journal, store=store, hooks=self.hooks)

    def half_a_run(self, place: Path) -> None:
        """A run that was killed after its third step, in the middle of a line."""
        self.kill(self.train_one, place)
        tear(place / "victim/001/logs/history.jsonl")

    def half_a_store(self, place: Path) -> None:
        """The same without a record around it."""
        self.kill(self.go_on, place)
        tear(place / "logs/history.jsonl")

    def kill(self, work: Callable[[Path], None], place: Path) -> None:
        """Carry out `work` in a fork that is killed after its third step, when the checkpoint before is written."""
        place.mkdir()

        def until_death() -> None:
            self.hooks.append(Death(place))
            work(place)

        (code,) = wait(fork(until_death))
        assert code == KILLED, f"the work to be killed ended with {code}"

    def check_run(self, place: Path) -> int:
        """Every run that has a name goes on to the same bits; one that nobody was told of may be refused, clearly."""
        lost = 0
        for run in sorted(place.glob("victim/[0-9]*")):
            lost = self.check_checkpoints(run)
            try:
                resume_run(run)
            except LoopwrightError as error:
                if self.progress.named:
                    raise AssertionError(f"refused: {error}") from error
            else:
                assert not (what := difference(run, self.whole)), what
        assert not self.progress.named or (place / "victim/001").is_dir(), "the run is gone"
        return lost

    def check_store(self, place: Path) -> int:
        """What is there is whole, and going on leads to the same state and the same history."""
        lost = self.check_checkpoints(place)
        self.go_on(place)
        for name in ("last.pt", "best.pt"):
            theirs = state_bits(self.whole / "checkpoints" / name)
            assert state_bits(place / "checkpoints" / name) == theirs, f"{name} differs in the end"
        assert not (what := history_difference(place, self.whole)), what
        return lost

    def check_checkpoints(self, run: Path) -> int:
        """Each file holds exactly what some save wrote, and the best weights are there; the number of steps lost.

        Of the checkpoints that were asked for, the newest alone may be missing: the next is not begun before it is
        written, or the run ends with its error.
        """
        directory, steps, found = run / "checkpoints", self.progress.steps, 0
        for path in directory.glob("*.pt"):
            assert state_bits(path) in self.states, f"{path.name} holds what nobody saved"
        if any(directory.glob("*.pt")):
            content = newest_good(directory).content
            assert bits(content["state"]) in self.states
            best, found = content["state"]["progress"]["best_step"], content["step"]
            assert best == 0 or holds_best(directory, best), f"the best weights, of step {best}, are gone"
        assert found >= newest_asked_for(steps, SAVE_EVERY) - SAVE_EVERY, f"step {found} is the newest after {steps}"
        return max(0, steps - int(found))


def newest_asked_for(steps: int, save_every: int) -> int:
    """The step of the newest checkpoint that was certainly asked for when so many steps were done."""
    return max(0, steps - 1) // save_every * save_every


def holds_best(directory: Path, step: int) -> bool:
    """Whether the weights of the best step are there, under either of their names."""
    paths = [path for path in (directory / "best.pt", directory / f"step-{step:08d}.pt") if path.is_file()]
    return any(read_saved(path)["step"] == step for path in paths)


class Death(Hook):
    """Kills its own process after the third step, once the second one's checkpoint is written and the first is gone."""

    def __init__(self, place: Path) -> None:
        self.place = place

    def on_step_end(self, report: StepReport) -> None:
        """Wait for what is being written, then die."""
        if report.step == SAVE_EVERY + 1:
            only = [f"step-{SAVE_EVERY:08d}.pt"]
            until(lambda: [path.name for path in self.place.rglob("step-*.pt")] == only)
            os.kill(os.getpid(), signal.SIGKILL)


def tear(path: Path) -> None:
    """Add half a line to a history."""
    with open(path, "ab") as file:
        file.write(b'{"kind":"step","step":4,"epo')


def copy(template: Path, place: Path) -> None:
    """A copy of a directory in which two names of one file are that again."""
    subprocess.run(["rm", "-rf", str(place)], check=True)
    subprocess.run(["cp", "-a", str(template), str(place)], check=True)


def leftovers(place: Path) -> list[Path]:
    """Temporary files that somebody forgot."""
    return sorted(place.rglob(".*.tmp"))
