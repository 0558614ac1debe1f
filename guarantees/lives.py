"""One life of a run: a fork of this process that trains or resumes, says what it is doing, and is killed or ends.

What it does is read from Python's audit events (files opened and renamed, programs started): nothing of it is changed.
"""

from __future__ import annotations

import mmap
import os
import signal
import struct
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

from guarantees.forks import fork, wait
from guarantees.victim import origin
from loopwright.core import Experiment
from loopwright.protocols import Hook, StepReport
from loopwright.running import Watchers, resume_run, train_one_experiment

PHASES = ("creating", "restoring", "training", "evaluating", "saving", "testing", "reporting", "over")
CREATING, RESTORING, TRAINING, EVALUATING, SAVING, TESTING, REPORTING, OVER = range(len(PHASES))

LAYOUT = struct.Struct("BBBxII")


class Board(Hook):
    """Memory that a life shares with whoever watches it: its phase, a save under way, that it was named,
    its newest step, and how many steps it has done."""

    def __init__(self) -> None:
        self.memory = mmap.mmap(-1, LAYOUT.size)

    def read(self) -> tuple[int, ...]:
        """(phase, saving, named, newest step, steps of this life)."""
        return LAYOUT.unpack(self.memory)

    def clear(self, phase: int, *, named: bool) -> None:
        """Before a life begins."""
        self.memory[:] = LAYOUT.pack(phase, 0, named, 0, 0)

    @property
    def phase(self) -> int:
        """What is being done; a save goes on beside the training."""
        phase, saving, *_ = self.read()
        return SAVING if saving and phase in (TRAINING, EVALUATING) else phase

    def on_step_end(self, report: StepReport) -> None:
        """A step was done."""
        self.memory[4:] = struct.pack("II", report.step, self.read()[4] + 1)

    def say(self, line: str) -> None:
        """What is said to people."""
        if line.startswith("run "):
            self.memory[2] = True
        if line.startswith("testing "):
            self.memory[0] = TESTING

    def audit(self, event: str, arguments: tuple[Any, ...]) -> None:
        """What Python says."""
        if event == "victim.step":
            self.memory[0] = TRAINING
        elif event == "victim.evaluate" and self.memory[0] != TESTING:
            self.memory[0] = EVALUATING
        elif event == "open" and "/.step-" in str(arguments[0]):
            self.memory[1] = True
        elif event == "os.rename" and str(arguments[1]).endswith("/last.pt"):
            self.memory[1] = False
        elif event == "subprocess.Popen" and "loopwright.report" in arguments[1]:
            self.memory[0] = REPORTING


def begin(experiment: Experiment, root: Path, run: Path | None, board: Board) -> int:
    """Start a life in a process group of its own, a new run below `root` or one that goes on with `run`; its number."""
    board.clear(CREATING if run is None else RESTORING, named=run is not None)

    def live() -> None:
        os.setsid()
        sys.addaudithook(board.audit)
        watchers = Watchers(hooks=[board], say=board.say)
        try:
            if run is None:
                train_one_experiment(experiment, root, watchers, origin=origin())
            else:
                resume_run(run, watchers)
        finally:
            board.memory[0] = OVER

    return fork(live)


def kill(child: int) -> int:
    """Kill a life and whatever it has started; its exit code, -9 unless it had ended already."""
    # Before its first instruction the fork has no group of its own yet.
    for strike in (os.kill, os.killpg):
        with suppress(ProcessLookupError):
            strike(child, signal.SIGKILL)
    return wait(child)[0]
