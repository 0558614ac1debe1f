"""Forks of this process: each does one thing and ends, whatever happens in it."""

from __future__ import annotations

import gc
import os
import sys
import time
import traceback
from collections.abc import Callable

FINE, CRASHED, KILLED = 0, 8, -9


def fork(work: Callable[[], int | None]) -> int:
    """Carry out `work` in a fork of this process; the fork's number.

    The fork ends with the code that `work` returns or exits with, 0 for None, and with `CRASHED` and a traceback on
    stderr after an error; it never goes on with what its parent was doing.
    """
    sys.stdout.flush()
    sys.stderr.flush()
    child = os.fork()
    if child:
        return child
    gc.freeze()  # collecting the parent's objects could wait for threads that are not here
    code = CRASHED
    try:
        code = work() or FINE
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else CRASHED
    except BaseException:  # nothing may be raised into what the parent was doing
        os.write(2, traceback.format_exc().encode())
    finally:
        try:
            sys.stdout.flush()
            sys.stderr.flush()
        finally:
            os._exit(code)


def wait(*children: int) -> list[int]:
    """The exit codes of forks when all have ended; of one that was killed, the signal's number below zero."""
    return [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children]


def until(condition: Callable[[], bool], seconds: float = 300.0, *, pause: float = 0.0002) -> None:
    """Ask again and again. Raises TimeoutError where the answer is no for so many seconds."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f"nothing came of it within {seconds:g} s")
        time.sleep(pause)
