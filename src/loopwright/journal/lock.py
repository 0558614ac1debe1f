"""One process at a time writes a run: a second `resume` of a run that is still training is refused."""

from __future__ import annotations

import fcntl
import os
import struct
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import IO

from loopwright.errors import RunError
from loopwright.reading import open_plain

LINUX = {"kind": "h", "whence": "h", "start": "q", "length": "q", "pid": "i"}
MACOS = {"start": "q", "length": "q", "pid": "i", "kind": "h", "whence": "h"}
TRAINING = "is training it"
FLOCK = MACOS if sys.platform == "darwin" else LINUX
"""The fields of the system's `struct flock`, in their order."""


def being_trained(run: Path) -> bool:
    """Whether some process holds the run; True too where that cannot be known. Nothing is written."""
    try:
        with open_plain(run / "logs" / ".lock") as file:
            return holder(file) is not None
    except FileNotFoundError:
        return False
    except OSError:
        return True


def in_hands(run: Path) -> bool:
    """Whether some process trains the run, or carries out the study or sweep, or trains a member of it."""
    return being_trained(run) or any(map(being_trained, run.glob("members/*/*")))


def check_unclaimed(run: Path) -> None:
    """Raise RunError where another process has claimed the run; whoever goes on has still to claim it."""
    with suppress(OSError), open_plain(run / "logs" / ".lock") as file:
        if (pid := holder(file)) is not None:
            raise taken(run, pid)


def taken(run: Path, pid: int | None, doing: str = TRAINING) -> RunError:
    """What is said of a run that another process has."""
    who = "another process" if pid is None else f"another process (PID {pid})"
    return RunError(f"{run}: {who} {doing}; wait for that one, or stop it first")


def claim_run(run: Path, lock: Callable[[IO[bytes], int], None] = fcntl.lockf, *, doing: str = TRAINING) -> IO[bytes]:
    """An open file that keeps other processes from writing `run` until it is closed or this process is gone.

    Raises RunError, with the number of the process and what it is `doing`, where another one has it, OSError where the
    file cannot be made.
    """
    # A file of its own: POSIX drops a process's locks on a file as soon as that process closes any descriptor of it.
    file = open_plain(run / "logs" / ".lock", os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW, "wb")
    try:
        lock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError) as error:
        with file:
            raise taken(run, holder(file), doing) from error
    except OSError:
        # A file system without locks: the run goes on unguarded.
        pass
    return file


def holder(file: IO[bytes]) -> int | None:
    """The number of the other process that holds the lock on `file`; None where there is none.

    The system is asked, since what a file says may be left over from a process that is gone.
    """
    layout = "".join(FLOCK.values())
    wanted = struct.pack(layout, *(fcntl.F_WRLCK if name == "kind" else 0 for name in FLOCK))
    found = dict(zip(FLOCK, struct.unpack(layout, fcntl.fcntl(file, fcntl.F_GETLK, wanted)), strict=True))
    return None if found["kind"] == fcntl.F_UNLCK else found["pid"]
