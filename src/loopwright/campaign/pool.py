"""Commands of ours in processes of their own, several at a time; what one of them dies of does not touch the others."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from loopwright.core.interrupt import Interrupt
from loopwright.files import make_directory, refusals
from loopwright.processes import Ended, end_session, undisturbed

PROGRAM = (sys.executable, "-P", "-m", "loopwright.cli.leashed")
POLL_SECONDS = 0.05
WATCHED_SECONDS = 0.5


@dataclass(frozen=True)
class Job:
    """The command `loopwright ARGUMENTS`, what it is called, and where its output goes: behind what is there already.

    `share` is asked how much of it is done, from 0 to 1.
    """

    name: str
    arguments: tuple[str, ...]
    log: Path
    share: Callable[[], float] = field(default=lambda: 0.0)


@dataclass(frozen=True)
class Watcher:
    """Who looks on: told of each job that has ended, and twice a second the names of those that run and how many jobs
    are done, the running ones by their shares."""

    ended: Callable[[Job, Ended], None] = field(default=lambda job, ended: None)
    going: Callable[[list[str], float], None] = field(default=lambda names, done: None)


@dataclass(frozen=True)
class Process:
    """A job that runs: since when, and from which byte of the log its words are its own."""

    job: Job
    process: subprocess.Popen[bytes]
    start: float
    offset: int

    def over(self) -> Ended:
        """How it ended, once it has."""
        end_session(self.process, 0.0)
        with suppress(OSError), open(self.job.log, "rb") as log:
            log.seek(self.offset)
            said = log.read().decode(errors="replace")
            return Ended(self.process.returncode, said, time.monotonic() - self.start)
        return Ended(self.process.returncode, "", time.monotonic() - self.start)


def begin(job: Job, running: list[Process]) -> None:
    """Start a job and note it, in a session of its own, so that a terminal's Ctrl-C reaches us alone."""
    make_directory(job.log.parent)
    with refusals(job.log), open(job.log, "ab") as log, undisturbed():
        process = subprocess.Popen(
            [*PROGRAM, *job.arguments],
            stdin=subprocess.PIPE,  # its leash
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        running.append(Process(job, process, time.monotonic(), log.tell()))


def carry_out(jobs: Sequence[Job], at_once: int, interrupt: Interrupt, watcher: Watcher) -> None:
    """Run all jobs, `at_once` at a time, in their order.

    Once `interrupt` is requested no other one begins, and those that run are told to save and stop. Whatever this is
    left by, a second Ctrl-C say, no process stays.
    """
    waiting, running, done = deque(jobs), list[Process](), 0
    told, looked = False, 0.0
    try:
        while running or (waiting and not interrupt.requested):
            while waiting and len(running) < at_once and not interrupt.requested:
                begin(waiting.popleft(), running)
            if interrupt.requested and not told:
                told = True
                for one in running:
                    one.process.send_signal(signal.SIGTERM)
            for one in [one for one in running if one.process.poll() is not None]:
                running.remove(one)
                done += 1
                watcher.ended(one.job, one.over())
            if time.monotonic() - looked > WATCHED_SECONDS:
                looked = time.monotonic()
                watcher.going([one.job.name for one in running], done + sum(one.job.share() for one in running))
            time.sleep(POLL_SECONDS)
    finally:
        for one in running:
            end_session(one.process, 0.0)
