"""A real run is killed at random instants, again and again, and resumed until it is finished."""

from __future__ import annotations

import random
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

from guarantees.equal import difference
from guarantees.forks import KILLED, until, wait
from guarantees.lives import OVER, PHASES, Board, begin, kill
from guarantees.scenarios import newest_asked_for
from guarantees.section import Scale, Section, shown
from guarantees.victim import idle_program, origin, victim
from loopwright.errors import LoopwrightError
from loopwright.running import train_one_experiment
from loopwright.store import newest_good

SAVE_EVERY = 3
EXPERIMENT = victim(pause=0.004, steps=60, eval_every=4, save_every=SAVE_EVERY, keep=2)
STARTING = "starting, imports"
IMPORT_SECONDS = 1.5
ENOUGH = 20
"""Violations after which no more kills are tried."""


@dataclass(frozen=True)
class Aim:
    """How often the killer waits for a phase, how many steps of a life it may let pass before, and how long then."""

    weight: int
    steps: int
    seconds: float


AIMS = {
    STARTING: Aim(1, 0, 0.0),
    "creating": Aim(2, 0, 0.2),
    "restoring": Aim(1, 0, 0.05),
    "training": Aim(3, 20, 0.01),
    "evaluating": Aim(2, 20, 0.005),
    "saving": Aim(3, 20, 0.01),
    "testing": Aim(1, 0, 0.05),
    "reporting": Aim(1, 0, 2.0),
}


@dataclass
class KillCounts:
    """What came of the kills: the steps lost by each, by the phase that was hit."""

    lost: dict[str, list[int]] = field(default_factory=lambda: {phase: [] for phase in AIMS})
    runs: int = 0
    differing: int = 0
    violations: list[str] = field(default_factory=list)

    def rows(self) -> list[tuple[object, ...]]:
        """The lines of the table."""
        everything = [lost for phase in self.lost.values() for lost in phase]
        named = [*self.lost.items(), ("all", everything)]
        return [(name, len(lost), statistics.fmean(lost or [0]), max(lost, default=0)) for name, lost in named]


class Killer:
    """Carries one run after another through its lives; every life but the last is cut off."""

    def __init__(self, scratch: Path, *, reports: bool) -> None:
        self.root, self.reports, self.python = scratch / "runs", reports, sys.executable
        # Reports are made by a process of their own, which takes seconds; nobody looks at that of the whole run.
        sys.executable = idle_program()
        self.whole = train_one_experiment(EXPERIMENT, scratch / "whole", origin=origin())
        if reports:
            sys.executable = self.python
        self.draw, self.board, self.tally = random.Random(0), Board(), KillCounts()
        self.run: Path | None = None
        self.durable = 0

    def once(self) -> None:
        """Kill one life; lives that were over before their kill do not count."""
        struck = False
        while not struck and len(self.tally.violations) < ENOUGH:
            impossible = {"creating" if self.run else STARTING, *([] if self.reports else ["reporting"])}
            possible = [name for name in AIMS if name not in impossible]
            name = self.draw.choices(possible, [AIMS[name].weight for name in possible])[0]
            struck = self.strike_imports() if name == STARTING else self.strike(name)

    def strike(self, name: str) -> bool:
        """Let a life come to the phase called `name`, wait a little, kill it; False where it was over before."""
        aim, phase = AIMS[name], PHASES.index(name)
        steps, seconds = self.draw.randint(0, aim.steps), self.draw.uniform(0, aim.seconds)
        child = begin(EXPERIMENT, self.root, self.run, self.board)
        try:
            until(lambda: self.over or (self.board.phase == phase and self.board.read()[4] >= steps))
        except TimeoutError as late:
            kill(child)
            self.conclude(f"was to be killed while {name}: {late}")
            return False
        time.sleep(seconds)
        code = wait(child)[0] if self.over else kill(child)
        if self.over or code != KILLED:
            # Hit between its last word and its end it has no exit code, but what it left is all there.
            self.conclude("" if code in (0, KILLED) else f"ended with {code}")
            return False
        # What is on the board now was done before the signal.
        hit, newest, named = PHASES[self.board.phase], self.board.read()[3], self.board.read()[2]
        if named and self.run is None:
            self.run = newest_run(self.root)
        self.tally.lost[hit].append(self.count_lost(newest))
        return True

    @property
    def over(self) -> bool:
        """Whether the life has done what it was for."""
        return self.board.read()[0] == OVER

    def strike_imports(self) -> bool:
        """Kill a whole interpreter while it imports what it needs."""
        command = [self.python, "-m", "loopwright", "resume", str(self.run), "--quiet"]
        silent = subprocess.DEVNULL
        with subprocess.Popen(command, stdout=silent, stderr=silent) as process:
            time.sleep(self.draw.uniform(0, IMPORT_SECONDS))
            process.kill()
        self.tally.lost[STARTING].append(self.count_lost(0))
        return True

    def count_lost(self, newest: int) -> int:
        """How many steps have to be done again after a kill; `newest` is the last that this life has done.

        What was durable after the kill before is so still, and at most one checkpoint of this life may be missing.
        """
        directory = (self.run or self.root) / "checkpoints"
        step = newest_step(directory)
        least = max(self.durable, newest_asked_for(newest, SAVE_EVERY) - SAVE_EVERY)
        if step < least:
            self.tally.violations.append(f"{self.run} was durable up to step {least}, but after a kill up to {step}")
        lost = max(0, newest - step, self.durable - step)
        self.durable = step if self.run else 0
        return lost

    def conclude(self, failed: str) -> None:
        """A life came to its end: its run has to equal the one that was left alone."""
        run = self.run or newest_run(self.root)
        differs = "" if failed else self.differs(run)
        self.tally.violations += [f"{run}: {what}" for what in (failed, differs) if what]
        self.tally.differing += bool(differs)
        self.tally.runs += 1
        self.run, self.durable = None, 0

    def differs(self, run: Path) -> str:
        """In what a finished run differs from the whole one; empty where it does not."""
        missing = self.reports and not (run / "report.html").is_file()
        try:
            return difference(run, self.whole) or ("there is no report" if missing else "")
        except (LoopwrightError, OSError) as error:
            return f"cannot be compared: {error}"

    def finish(self) -> None:
        """Let the last run come to its end."""
        if self.run is not None:
            (code,) = wait(begin(EXPERIMENT, self.root, self.run, self.board))
            self.conclude(f"ended with {code}" if code else "")


def newest_run(root: Path) -> Path:
    """The run that was begun last."""
    return max(root.glob("victim/[0-9]*"), key=lambda run: int(run.name), default=root)


def newest_step(directory: Path) -> int:
    """The step of the newest good checkpoint; 0 where there is none."""
    try:
        return int(newest_good(directory).content["step"])
    except LoopwrightError:
        return 0


def measure(scale: Scale) -> Section:
    """So many kills, of as many runs as that takes."""
    count = scale.pick(quick=10, full=200, nightly=1000)
    with tempfile.TemporaryDirectory() as scratch:
        killer = Killer(Path(scratch), reports=scale != Scale.QUICK)
        for _ in shown(range(count), "kills"):
            killer.once()
        killer.finish()
        tally = killer.tally
    kills = sum(map(len, tally.lost.values()))
    return Section(
        title="Killed at random instants",
        columns=("killed while", "kills", "steps lost, mean", "steps lost, most"),
        rows=tuple(tally.rows()),
        notes=(
            f"{tally.runs} runs of {EXPERIMENT.steps} steps, with dropout, BatchNorm, augmentation and a short last "
            f"batch, were killed by SIGKILL {kills} times and resumed until they were finished; "
            f"{tally.differing} differ from the run that was left alone in weights, optimizer state, history "
            f"(without the clock) or metrics, bit for bit. A checkpoint is due every {SAVE_EVERY} steps and is written "
            f"while the training goes on; the next one waits for it. So more than {SAVE_EVERY} steps, and "
            f"{2 * SAVE_EVERY} at most, are lost only where the newest checkpoint was still being written.",
        ),
        violations=tuple(tally.violations),
    )
