"""Forks of this process that strace watches: what system calls do they make, and what if one of them is their last?

Each try is a fork of a process that has imported everything already; strace attaches before the fork goes to work.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from guarantees.forks import FINE, fork, wait
from guarantees.section import Skipped
from loopwright.errors import LoopwrightError

REFUSED = 7

Work = Callable[[], object]

LINE = re.compile(r"(?:\d+ +)?(\w+)\((.*)")


@dataclass(frozen=True)
class Call:
    """The `number`-th (from 1) call of `name` that a process makes."""

    name: str
    number: int
    text: str


@dataclass(frozen=True)
class Ending:
    """How a watched process ended: its exit code, what strace saw, what it said on stderr."""

    code: int
    trace: str
    stderr: str

    @property
    def hit(self) -> bool:
        """Whether the process came as far as the call that was to be hit."""
        return "(INJECTED)" in self.trace or "killed by SIGKILL" in self.trace


def in_memory() -> str | None:
    """A directory of a file system in memory, where there is one: what is tried there waits for no disk."""
    return "/dev/shm" if os.access("/dev/shm", os.W_OK) else None


def need_strace() -> None:
    """Raise Skipped where there is no strace."""
    if shutil.which("strace") is None:
        raise Skipped("it needs strace (apt-get install strace)")


def watch(work: Work, scratch: Path, *options: str) -> Ending:
    """Carry out `work` in a fork under strace with `options`, its files in `scratch`.

    Raises Skipped where strace may not attach.
    """
    ready, start = os.pipe()

    def wait_and_work() -> int:
        os.read(ready, 1)
        return carry_out(work, scratch / "stderr")

    child = fork(wait_and_work)
    trace = scratch / "trace"
    command = ["strace", "-qq", "-p", str(child), "-o", str(trace), *options]
    with subprocess.Popen(command, stderr=subprocess.PIPE) as strace:
        while b"TracerPid:\t0\n" in Path(f"/proc/{child}/status").read_bytes():
            if strace.poll() is not None:
                os.kill(child, signal.SIGKILL)
                wait(child)
                raise Skipped("strace may not attach to processes here")
        os.write(start, b"x")
        (code,) = wait(child)
        strace.wait()
    os.close(ready)
    os.close(start)
    said = (scratch / "stderr").read_text(errors="replace")
    return Ending(code, trace.read_text(errors="replace"), said)


def carry_out(work: Work, stderr: Path) -> int:
    """What a fork does, and its exit code: an error of ours is an answer; another is left to the fork as a crash."""
    os.dup2(os.open(stderr, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), 2)
    try:
        work()
    except LoopwrightError as error:
        os.write(2, str(error).encode())
        return REFUSED
    return FINE


def calls(work: Work, place: Path, scratch: Path) -> list[Call]:
    """The system calls of `work` that touch what lies in `place`, in their order."""
    done = watch(work, scratch, "-y", "-e", "trace=%file,%desc")
    if done.code != FINE:
        sys.exit(f"the work ends with {done.code} although nothing is refused: {done.stderr}")
    counts: dict[str, int] = {}
    found = []
    for match in filter(None, map(LINE.match, done.trace.splitlines())):
        name, text = match[1], match[2]
        counts[name] = counts.get(name, 0) + 1
        if str(place) in text:
            found.append(Call(name, counts[name], text))
    return found


def inject(work: Work, scratch: Path, call: Call, fault: str) -> Ending:
    """Carry out `work` in a fork whose `call` meets `fault`, as strace names it: `signal=SIGKILL`, `error=EIO`."""
    options = ("-e", f"trace={call.name}", "-e", f"inject={call.name}:{fault}:when={call.number}")
    return watch(work, scratch, *options)
