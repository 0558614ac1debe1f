"""`python -m loopwright.report RUN`: the report in a process of its own, so that nothing in it can harm a run."""

from __future__ import annotations

import sys
from pathlib import Path

from loopwright.errors import LoopwrightError
from loopwright.report import write_report


def main(arguments: list[str]) -> int:
    """Write the report of the run directory that is the only argument; the exit code."""
    try:
        print(write_report(Path(arguments[0])))
    except LoopwrightError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
