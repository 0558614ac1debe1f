"""`python -m loopwright.cli.leashed VERB …`: the command line for whoever starts many of it.

Its standard input is a pipe that its starter holds. Once that is gone, however it went, the run finishes its step and
saves, as after SIGTERM: nobody is left to train without being looked after.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from contextlib import suppress

from loopwright.cli.main import main


def watch() -> None:
    """Wait for the end of the standard input, then stop this process as `kill` does."""
    with suppress(OSError):
        while os.read(0, 1024):
            pass
    os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    sys.argv[0] = "loopwright"  # what the record says was typed
    threading.Thread(target=watch, daemon=True).start()
    raise SystemExit(main())
