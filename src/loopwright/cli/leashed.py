"""`python -m loopwright.cli.leashed VERB …`: the command line for whoever starts many of it.

Its standard input is a pipe that its starter holds. Once that is gone, however it went, the run finishes its step and
saves, as after SIGTERM: nobody is left to train without being looked after.
"""

from __future__ import annotations

import os
import signal
import sys

from loopwright.cli.main import main
from loopwright.leash import on_leash

if __name__ == "__main__":
    sys.argv[0] = "loopwright"  # what the record says was typed
    on_leash(lambda: os.kill(os.getpid(), signal.SIGTERM))
    raise SystemExit(main())
