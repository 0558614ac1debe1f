"""What can be deleted of a run's checkpoints: neither its best nor its newest good one, and nothing that is a link.

Of an archived run, which nobody means to resume, the newest can go too. Its best and its record stay.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from loopwright.derived import NUMBER
from loopwright.errors import CheckpointError
from loopwright.files import refusals
from loopwright.journal.lock import claim_run
from loopwright.store.checkpoints import STEP_FILE, read_saved
from loopwright.values import read_json, table, whole


@dataclass(frozen=True)
class File:
    """A checkpoint file as it was seen: its name, its step (0 of a second name), and which file it is."""

    name: str
    step: int
    inode: int
    size: int
    names: int


@dataclass
class Plan:
    """Of one run: the files that can be deleted, and lines on what is left although it might have gone; `failed` where
    the system refused to delete."""

    run: Path
    doomed: list[File] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)
    failed: bool = False

    @property
    def directory(self) -> Path:
        """Where the files lie."""
        return self.run / "checkpoints"

    def bytes_of(self, deleted: File) -> int:
        """What becomes free with it: nothing as long as the file has another name, its size with the last of them."""
        same = [file for file in self.doomed if file.inode == deleted.inode]
        return deleted.size if same[-1] == deleted and len(same) == deleted.names else 0


def parts_of(run: Path) -> Iterator[Path]:
    """The run itself and, of a study, the runs of its members; links are not followed."""
    yield run
    for member in sorted(plain_directories(run / "members")):
        yield from (part for part in sorted(plain_directories(member)) if NUMBER.fullmatch(part.name))


def plain_directories(directory: Path) -> list[Path]:
    """The directories in a directory that is no link, none of them a link."""
    if directory.is_symlink() or not directory.is_dir():
        return []
    return [Path(each.path) for each in os.scandir(directory) if each.is_dir(follow_symlinks=False)]


def plan(run: Path, *, keep: int = 1) -> Plan:
    """What can go of the run `run` while its best and its newest `keep` good checkpoints stay.

    With `keep` 0 its best alone stays, or its newest where it has no best.
    """
    made = Plan(run)
    if made.directory.is_symlink():
        made.remarks.append(f"{made.directory}: a link, left alone")
        return made
    try:
        files = files_in(made.directory)
    except FileNotFoundError:
        return made
    except OSError as error:
        made.remarks.append(f"{made.directory}: cannot be read ({error.strerror}), left alone")
        return made
    steps = sorted((file for file in files if file.step), key=lambda file: -file.step)
    best = {file.inode for file in files if file.name == "best.pt" or file.step == (recorded_best(run) or -1)}
    candidates = [file for file in steps if file.inode not in best]
    # Nothing is read where nothing could go: all are the best, or among the newest.
    if any(file not in steps[:keep] for file in candidates):
        choose(made, files, steps, keep)
    return made


def files_in(directory: Path) -> list[File]:
    """The checkpoints in a directory that are plain files; no link is one. Raises OSError where it cannot be read."""
    found = []
    for each in os.scandir(directory):
        step = STEP_FILE.fullmatch(each.name)
        if not (step or each.name in ("last.pt", "best.pt")):
            continue
        # scandir's own status has no number of names.
        status = os.lstat(each.path)
        if stat.S_ISREG(status.st_mode):
            found.append(File(each.name, int(step[1]) if step else 0, status.st_ino, status.st_size, status.st_nlink))
    return found


def choose(made: Plan, files: list[File], steps: list[File], keep: int) -> None:
    """Put into the plan what is none of the newest good ones, nor the best, nor damaged.

    Nothing is, where it cannot be told which the best is.
    """
    good: list[File] = []
    damaged: list[File] = []
    best_steps = {recorded_best(made.run)}
    for file in steps:
        if len(good) == max(1, keep):
            break
        try:
            state = read_saved(made.directory / file.name)["state"]
        except CheckpointError as error:
            damaged.append(file)
            made.remarks.append(f"{error}; left alone")
            continue
        good.append(file)
        best_steps.add(whole(table(state, "progress").get("best_step")) or 0)
    best = [file for file in files if file.name == "best.pt" or file.step in best_steps - {0}]
    there_is_one = bool(best) or bool(best_steps - {0})
    if not good or (there_is_one and not any(is_good(made.directory / file.name) for file in best)):
        missing = "best one" if good else "newest good one"
        made.remarks.append(f"{made.directory}: its {missing} is not to be found, all are left alone")
        return
    stay = {file.inode for file in [*best, *damaged, *good[: keep if best else max(1, keep)]]}
    last = [file for file in files if file.name == "last.pt"] if keep == 0 and best else []
    made.doomed += [file for file in [*steps, *last] if file.inode not in stay]


def recorded_best(run: Path) -> int:
    """The step of the best as the summary has it; 0 where it has none."""
    return whole(table(read_json(run / "metrics.json"), "best").get("step")) or 0


def is_good(path: Path) -> bool:
    """Whether a checkpoint can be read and is what was written."""
    try:
        read_saved(path)
    except CheckpointError:
        return False
    return True


def carry_out(made: Plan) -> int:
    """Delete what is planned, while no other process can begin to train the run; how many bytes became free.

    Raises RunError where one trains it, StoreError where the system refuses.
    """
    if not made.doomed:
        return 0
    freed = 0
    with refusals(made.directory), claim_run(made.run):
        place = os.open(made.directory, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        try:
            for file in made.doomed:
                # What is gone, or no longer what was looked at, is left alone.
                with suppress(FileNotFoundError):
                    status = os.stat(file.name, dir_fd=place, follow_symlinks=False)
                    if (status.st_ino, status.st_size) == (file.inode, file.size):
                        os.unlink(file.name, dir_fd=place)
                        freed += file.size if status.st_nlink == 1 else 0
        finally:
            os.close(place)
    return freed
