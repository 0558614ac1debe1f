"""Several processes make runs of one experiment at once. Run as `python making_runs.py ROOT PROCESSES RUNS`."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from loopwright.journal import create_run


def main(root: Path, processes: int, runs: int) -> None:
    children = []
    for _ in range(processes):
        child = os.fork()
        if child == 0:
            for _ in range(runs):
                run = create_run(root, "points")
                (run / f"made-by-{os.getpid()}").touch()
            os._exit(0)
        children.append(child)
    sys.exit(sum(os.waitpid(child, 0)[1] for child in children) > 0)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
