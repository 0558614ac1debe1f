"""Saves checkpoints without end in a child that is killed at a random instant, or in the middle of a file; many times.

Prints how many rounds left a half-written file. Run as `python saving_forever.py DIRECTORY ROUNDS`.
"""

from __future__ import annotations

import os
import random
import signal
import sys
import time
from pathlib import Path

import torch

from loopwright.store import CheckpointStore, newest_good, read_checkpoint


def save_forever(directory: Path, step: int) -> None:
    with CheckpointStore(directory) as store:
        assert not list(directory.glob(".*.tmp"))
        while True:
            step += 1
            store.save({"weights": torch.full((100_000,), float(step))}, step, best=step % 3 == 0)


def check(directory: Path) -> int:
    """The newest step; every file that has its final name is whole."""
    for path in directory.glob("*.pt"):
        content = read_checkpoint(path)
        assert bool((content["state"]["weights"] == content["step"]).all()), path
    found = newest_good(directory)
    assert found.rejected == ()
    return int(found.content["step"])


def main(directory: Path, rounds: int) -> None:
    draw, step, half_written = random.Random(0), 0, 0
    for number in range(rounds):
        child = os.fork()
        if child == 0:
            save_forever(directory, step)
        while max((path.name for path in directory.glob("step-*.pt")), default="") <= f"step-{step:08d}.pt":
            time.sleep(0.001)
        if number % 2:
            time.sleep(draw.uniform(0, 0.03))
        else:
            while not list(directory.glob(".step-*.tmp")):
                pass
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        half_written += bool(list(directory.glob(".*.tmp")))
        newest = check(directory)
        assert newest >= step
        step = newest
    print(half_written, step)


if __name__ == "__main__":
    torch.set_num_threads(1)
    main(Path(sys.argv[1]), int(sys.argv[2]))
