"""`python -m loopwright.leash COMMAND …`: a command that does not outlive whoever has started it.

The standard input is a pipe that the starter holds. Once that is gone, however it went, so is the session that the
command runs in.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress


def on_leash(end: Callable[[], None]) -> None:
    """Call `end` from a thread once nobody holds the other end of the standard input."""

    def watch() -> None:
        with suppress(OSError):
            while os.read(0, 1024):
                pass
        end()

    threading.Thread(target=watch, daemon=True).start()


def run(command: Sequence[str]) -> int:
    """Run a command, whose own standard input is empty; its exit code."""
    with subprocess.Popen(command, stdin=subprocess.DEVNULL) as process:
        on_leash(lambda: os.killpg(0, signal.SIGTERM))
        code = process.wait()
    return code if code >= 0 else 128 - code


if __name__ == "__main__":
    raise SystemExit(run(sys.argv[1:]))
