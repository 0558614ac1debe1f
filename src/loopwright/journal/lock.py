"""One process at a time writes a run: a second `resume` of a run that is still training is refused."""

from __future__ import annotations

import fcntl
from collections.abc import Callable
from pathlib import Path
from typing import IO

from loopwright.errors import RunError


def being_trained(run: Path) -> bool:
    """Whether some process holds the run; True too where that cannot be known."""
    try:
        claim_run(run).close()
    except (RunError, OSError):
        return True
    return False


def claim_run(run: Path, lock: Callable[[IO[bytes], int], None] = fcntl.lockf) -> IO[bytes]:
    """An open file that keeps other processes from writing `run` until it is closed or this process is gone.

    Raises RunError where another process has it, OSError where the file cannot be made.
    """
    # A file of its own: POSIX drops a process's locks on a file as soon as that process closes any descriptor of it.
    file = open(run / "logs" / ".lock", "ab")  # noqa: SIM115 - the caller closes it
    try:
        lock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError) as error:
        file.close()
        raise RunError(f"{run}: another process is training it; wait for that one, or stop it first") from error
    except OSError:
        # A file system without locks: the run goes on unguarded.
        pass
    return file
