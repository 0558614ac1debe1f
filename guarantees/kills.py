"""A real run is killed at random instants, again and again, and resumed until it is finished."""

from __future__ import annotations

import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

from guarantees.equal import difference
from guarantees.lives import OVER, PHASES, Board, begin, kill
from guarantees.progress import shown
from guarantees.scenarios import newest_asked_for
from guarantees.section import Scale, Section
from guarantees.victim import origin, victim
from loopwright.running import train_one_experiment
from loopwright.store import newest_good

SAVE_EVERY = 3
EXPERIMENT = victim(pause=0.004, steps=60, eval_every=4, save_every=SAVE_EVERY, keep=2)
STARTING = "starting, imports"
IMPORT_SECONDS = 1.5


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
class Tally:
    """What came of the kills: the steps lost by each, by the phase that was hit."""

    lost: dict[str, list[int]] = field(default_factory=lambda: {phase: [] for phase in AIMS})
    runs: int = 0
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
        sys.executable = shutil.which("true")
        self.whole = train_one_experiment(EXPERIMENT, scratch / "whole", origin=origin())
        if reports:
            sys.executable = self.python
        self.draw, self.board, self.tally = random.Random(0), Board(), Tally()
        self.run: Path | None = None

    def once(self) -> None:
        """Kill one life; lives that were over before their kill do not count."""
        struck = False
        while not struck:
            impossible = {"creating" if self.run else STARTING, *([] if self.reports else ["reporting"])}
            possible = [name for name in AIMS if name not in impossible]
            name = self.draw.choices(possible, [AIMS[name].weight for name in possible])[0]
            struck = self.strike_imports() if name == STARTING else self.strike(name)

    def strike(self, name: str) -> bool:
        """Let a life come to the phase called `name`, wait a little, kill it; False where it was over before."""
        aim, phase = AIMS[name], PHASES.index(name)
        steps, seconds = self.draw.randint(0, aim.steps), self.draw.uniform(0, aim.seconds)
        child = begin(EXPERIMENT, self.root, self.run, self.board)
        while not (self.board.read()[0] == OVER or (self.board.phase == phase and self.board.read()[4] >= steps)):
            time.sleep(0.0002)
        time.sleep(seconds)
        code = kill(child)
        if code != -9:
            self.conclude(code)
            return False
        # What is on the board now was done before the signal.
        hit, newest, named = PHASES[self.board.phase], self.board.read()[3], self.board.read()[2]
        if named and self.run is None:
            self.run = newest_run(self.root)
        self.tally.lost[hit].append(self.count_lost(newest))
        return True

    def strike_imports(self) -> bool:
        """Kill a whole interpreter while it imports what it needs."""
        command = [self.python, "-m", "loopwright", "resume", str(self.run), "--quiet"]
        silent = subprocess.DEVNULL
        with subprocess.Popen(command, stdout=silent, stderr=silent) as process:
            time.sleep(self.draw.uniform(0, IMPORT_SECONDS))
            process.kill()
        self.tally.lost[STARTING].append(0)
        return True

    def count_lost(self, newest: int) -> int:
        """How many steps have to be done again after a kill; at most one checkpoint may be missing."""
        directory = (self.run or self.root) / "checkpoints"
        step = int(newest_good(directory).content["step"]) if any(directory.glob("*.pt")) else 0
        if step < newest_asked_for(newest, SAVE_EVERY) - SAVE_EVERY:
            self.tally.violations.append(f"after {newest} steps the newest checkpoint of {self.run} is of step {step}")
        return max(0, newest - step)

    def conclude(self, code: int) -> None:
        """A life came to its end: its run has to equal the one that was left alone."""
        run = self.run or newest_run(self.root)
        what = f"ended with {code}" if code else difference(run, self.whole)
        if self.reports and not what and not (run / "report.html").is_file():
            what = "there is no report"
        if what:
            self.tally.violations.append(f"{run}: {what}")
        self.tally.runs += 1
        self.run = None

    def finish(self) -> None:
        """Let the last run come to its end."""
        if self.run is not None:
            child = begin(EXPERIMENT, self.root, self.run, self.board)
            while self.board.read()[0] != OVER:
                time.sleep(0.01)
            self.conclude(kill(child))


def newest_run(root: Path) -> Path:
    """The run that was begun last."""
    return max(root.glob("victim/[0-9]*"), key=lambda run: int(run.name))


def measure(scale: Scale) -> Section:
    """So many kills, of as many runs as that takes."""
    count = scale.pick(quick=10, full=200, nightly=1000)
    with tempfile.TemporaryDirectory() as scratch:
        killer = Killer(Path(scratch), reports=scale != Scale.QUICK)
        for _ in shown(range(count), "kills"):
            killer.once()
        killer.finish()
        tally = killer.tally
    return Section(
        title="Killed at random instants",
        columns=("killed while", "kills", "steps lost, mean", "steps lost, most"),
        rows=tuple(tally.rows()),
        notes=(
            f"{tally.runs} runs of {EXPERIMENT.steps} steps, with dropout, BatchNorm, augmentation and a short last "
            f"batch, were killed by SIGKILL {count} times and resumed until they were finished; "
            f"{len(tally.violations)} differ from the run that was left alone in weights, optimizer state, history "
            f"(without the clock) or metrics, bit for bit. A checkpoint is due every {SAVE_EVERY} steps and is written "
            f"while the training goes on; the next one waits for it. So more than {SAVE_EVERY} steps, and "
            f"{2 * SAVE_EVERY} at most, are lost only where the newest checkpoint was still being written.",
        ),
        violations=tuple(tally.violations),
    )
