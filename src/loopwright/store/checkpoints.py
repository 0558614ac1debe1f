"""The checkpoints of a run: `step-XXXXXXXX.pt`, and `last.pt` and `best.pt` as second names of two of them.

A save is copied at once and written in the background. Nothing is deleted before its successor is durable.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from loopwright.errors import CheckpointError
from loopwright.files import link_durably
from loopwright.store.format import read_checkpoint, write_checkpoint
from loopwright.store.staging import Staging

STEP_FILE = re.compile(r"step-(\d{8,})\.pt")


class CheckpointStore:
    """Writes the checkpoints of one run into `directory`, keeping the newest `keep` and the best.

    Usable as a context: leaving it waits for what is still being written.
    """

    def __init__(self, directory: Path, keep: int = 2) -> None:
        self.directory = directory
        self.keep = keep
        self.staging = Staging()
        self.worker = ThreadPoolExecutor(1, thread_name_prefix="checkpoint")
        self.pending: Future[None] | None = None
        directory.mkdir(parents=True, exist_ok=True)
        for leftover in directory.glob(".*.tmp"):
            leftover.unlink()

    def save(self, content: Mapping[str, Any], step: int, *, best: bool) -> None:
        """Copy `content` and have it written as the newest checkpoint, with `best` also as the best.

        Training is held up by the copy alone, unless the save before is still being written. Raises StoreError where that
        one could not be written.
        """
        self.wait()
        copied = self.staging.copy({"step": step, "state": dict(content)})
        self.pending = self.worker.submit(self.write, copied, step, best)

    def wait(self) -> None:
        """Return when everything saved is durable; raises StoreError where it could not be written."""
        pending, self.pending = self.pending, None
        if pending is not None:
            pending.result()

    def write(self, content: Mapping[str, Any], step: int, best: bool) -> None:
        """Write one checkpoint, give it its names, and only then drop what is no longer kept."""
        path = self.directory / f"step-{step:08d}.pt"
        write_checkpoint(path, content)
        if best:
            link_durably(path, self.directory / "best.pt")
        link_durably(path, self.directory / "last.pt")
        for old in [file for file in step_files(self.directory) if file <= path][: -self.keep]:
            old.unlink()

    def __enter__(self) -> CheckpointStore:
        return self

    def __exit__(self, *exception: object) -> None:
        try:
            self.wait()
        finally:
            self.worker.shutdown()


@dataclass(frozen=True)
class Found:
    """A checkpoint that was read and verified, and what had to be passed over to find it: one line for each file."""

    path: Path
    content: dict[str, Any]
    rejected: tuple[str, ...] = ()


def newest_good(directory: Path, report: Callable[[str], None] = lambda line: None) -> Found:
    """The newest checkpoint that verifies; each damaged file passed over is reported. Raises CheckpointError if none does."""
    rejected: list[str] = []
    for path in by_age(directory):
        try:
            return Found(path, read_checkpoint(path), tuple(rejected))
        except CheckpointError as error:
            rejected.append(str(error))
            report(f"passed over: {error}")
    if rejected:
        raise CheckpointError(f"{directory}: none of {len(rejected)} checkpoints is good\n  " + "\n  ".join(rejected))
    raise CheckpointError(f"{directory}: there is no checkpoint; the run stopped before its first save, train anew")


def by_age(directory: Path) -> list[Path]:
    """The checkpoint files of a run, newest first; second names of a file that is listed already are left out."""
    numbered = step_files(directory)[::-1]
    listed = {path.stat().st_ino for path in numbered}
    named = [directory / "last.pt", directory / "best.pt"]
    return numbered + [path for path in named if path.exists() and path.stat().st_ino not in listed]


def step_files(directory: Path) -> list[Path]:
    """The files `step-XXXXXXXX.pt`, oldest first."""
    matches = [(STEP_FILE.fullmatch(path.name), path) for path in directory.glob("step-*.pt")]
    return [path for _, path in sorted((int(match[1]), path) for match, path in matches if match)]
