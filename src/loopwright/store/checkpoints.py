"""The checkpoints of a run: `step-XXXXXXXX.pt`, and `last.pt` and `best.pt` as second names of two of them.

A save is copied at once and written in the background. Nothing is deleted before its successor is durable.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from concurrent.futures import wait as wait_for
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from loopwright.errors import CheckpointError, StoreError
from loopwright.files import link_durably, make_directory, refusals
from loopwright.store.format import read_checkpoint, write_checkpoint
from loopwright.store.staging import Staging

STEP_FILE = re.compile(r"step-([0-9]{8,})\.pt")


class CheckpointStore:
    """Writes the checkpoints of one run into `directory`, keeping the newest `keep` and the best.

    Usable as a context: leaving it waits for what is still being written. Raises StoreError where `directory` cannot be
    made.
    """

    def __init__(self, directory: Path, keep: int = 2) -> None:
        self.directory = directory
        self.keep = keep
        self.staging = Staging()
        self.worker: Executor = ThreadPoolExecutor(1, thread_name_prefix="checkpoint")
        self.pending: Future[None] | None = None
        make_directory(directory)
        with refusals(directory):
            for leftover in directory.glob(".*.tmp"):
                leftover.unlink()

    def save(self, content: Mapping[str, Any], step: int, *, best: bool) -> None:
        """Copy `content` and have it written as the newest checkpoint, with `best` also as the best.

        Training is held up by the copy alone, unless the save before is still being written. Raises StoreError where
        that one could not be written, or where `content` holds more than tensors and plain values.
        """
        self.wait()
        copied = self.staging.copy({"step": step, "state": content})
        self.pending = self.worker.submit(self.write, copied, step, best)

    def check(self) -> None:
        """Raise StoreError where what was saved could not be written; never waits."""
        if self.pending is not None and self.pending.done():
            self.wait()

    def wait(self) -> None:
        """Return when everything saved is durable; raises StoreError where it could not be written."""
        if self.pending is None:
            return
        # An interrupt may end this line early: until it is passed, the buffers belong to the writer.
        wait_for([self.pending])
        done, self.pending = self.pending, None
        done.result()

    def write(self, content: Mapping[str, Any], step: int, best: bool) -> None:
        """Write one checkpoint, give it its names, and only then drop what is no longer kept."""
        path = self.directory / f"step-{step:08d}.pt"
        write_checkpoint(path, content)
        if best:
            link_durably(path, self.directory / "best.pt")
        link_durably(path, self.directory / "last.pt")
        # Later steps are left over from a run that went on from here: damaged, or still to be overwritten.
        with refusals(self.directory):
            written = [file for number, file in step_files(self.directory) if number <= step]
            for old in written[self.keep :]:
                old.unlink()

    def __enter__(self) -> CheckpointStore:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, *trace: object) -> None:
        self.worker.shutdown()
        try:
            self.wait()
        except StoreError as failure:
            # What ended the run is the news; that its last save is lost is told with it.
            if error is None:
                raise
            error.add_note(f"besides, {failure}")


@dataclass(frozen=True)
class Found:
    """A checkpoint that was read and verified, and what had to be passed over to find it: one line for each file."""

    path: Path
    content: dict[str, Any]
    rejected: tuple[str, ...] = ()


def newest_good(directory: Path, report: Callable[[str], None] = lambda line: None) -> Found:
    """The newest checkpoint of a run that verifies; each damaged file passed over is reported.

    Raises CheckpointError, which names them all, if none does.
    """
    rejected: list[str] = []
    try:
        candidates = by_age(directory)
    except OSError as error:
        raise CheckpointError(f"{directory}: cannot be read ({error.strerror}); mend that, then resume") from error
    for path in candidates:
        try:
            content = read_saved(path)
        except CheckpointError as error:
            rejected.append(str(error))
            continue
        for line in rejected:
            report(f"passed over: {line}")
        return Found(path, content, tuple(rejected))
    if rejected:
        remedy = "bring one back, or train anew"
        raise CheckpointError(
            f"{directory}: none of {len(rejected)} checkpoints is good; {remedy}\n  " + "\n  ".join(rejected)
        )
    raise CheckpointError(f"{directory}: there is no checkpoint; bring one back, or train anew")


def read_saved(path: Path) -> dict[str, Any]:
    """The content of a checkpoint of a run, `step` and `state`; raises CheckpointError where it is not a good one."""
    content = read_checkpoint(path)
    if not (isinstance(content.get("state"), dict) and isinstance(content.get("step"), int)):
        raise CheckpointError(f"{path}: holds no state of a run; what save_checkpoint wrote is read by load_checkpoint")
    return content


def by_age(directory: Path) -> list[Path]:
    """The checkpoint files of a run, newest first; second names of a file that is listed already are left out.

    In a run directory that was copied, `last.pt` is a file of its own: the newest step again, or the one before it.
    """
    steps = [file for _, file in step_files(directory)]
    ordered = [*steps[:1], directory / "last.pt", *steps[1:], directory / "best.pt"]
    listed: dict[int, Path] = {}
    for path in ordered:
        if path.is_file():
            listed.setdefault(path.stat().st_ino, path)
    return list(listed.values())


def step_files(directory: Path) -> list[tuple[int, Path]]:
    """The files `step-XXXXXXXX.pt` with their steps, newest first."""
    matches = [(STEP_FILE.fullmatch(path.name), path) for path in directory.glob("step-*.pt")]
    return sorted(((int(match[1]), path) for match, path in matches if match and path.is_file()), reverse=True)
