"""Every state in which a power failure may leave the files that a recorded process was working on.

The disk of this model promises only what POSIX does. What was written to a file since its last fsync is there or not,
each write by itself: whole, cut at a sector, as zeros (the length is there, the data are not), or absent. What was done
to the names of a directory since its last fsync is there or not, each change by itself, in any combination; a rename
is there as a whole or not at all. Journalled file systems (ext4, XFS) leave fewer states, and all of those are here.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, combinations, product
from pathlib import Path

from guarantees.recording import Event, Inode, Mark, Names, Recording, Sync, Write

SECTOR = 512
MOST_FATES = 2_000
"""Combinations of what becomes of the unsynced writes of one file; where there are more, see `fates`."""

MOST_CHANGES = 8
"""Changes of names that may be pending at once; each doubles the number of states."""


class TooMuchUnsynced(Exception):
    """There are too many states to try them all."""


@dataclass(frozen=True)
class Crash:
    """A state after a power failure: the inode of each name, the content of each file, what had been said before."""

    names: tuple[tuple[str, int], ...]
    files: tuple[tuple[int, bytes], ...]
    marks: tuple[str, ...]
    after: int

    def build(self, place: Path, inodes: Sequence[Inode]) -> None:
        """Make it so in the empty directory `place`."""
        contents: dict[int, bytes] = dict(self.files)
        made: dict[int, Path] = {}
        for name, number in sorted(self.names):
            path, inode = place / name, inodes[number]
            if inode.kind == "directory":
                path.mkdir()
            elif inode.kind == "link":
                path.symlink_to(inode.target)
            elif number in made:
                os.link(made[number], path)
            else:
                path.write_bytes(contents[number])
                made[number] = path


def crashes(recording: Recording, *, cuts: int) -> Iterator[Crash]:
    """Every different state, at every instant of the recording; each write is cut at up to `cuts` of its sectors."""
    seen = set()
    for after in range(len(recording.events) + 1):
        past = recording.events[:after]
        marks = tuple(event.text for event in past if isinstance(event, Mark))
        for names in surviving_names(past):
            reachable = dict(visible(names, recording.inodes))
            files = sorted({i for i in reachable.values() if recording.inodes[i].kind == "file"})
            read = {i for name, i in reachable.items() if not name.endswith(".tmp")}
            variants = [list(fates(past, inode, cuts if inode in read else 0)) for inode in files]
            for contents in product(*variants):
                key = (tuple(sorted(reachable.items())), tuple(zip(files, contents, strict=True)), marks)
                if key not in seen:
                    seen.add(key)
                    yield Crash(*key, after=after)


def surviving_names(past: Sequence[Event]) -> Iterator[dict[str, int]]:
    """Each combination of the changes of names that may be on the disk."""
    changes: list[tuple[Names, bool]] = []
    numbers = {"": 0}
    for place, event in enumerate(past):
        if isinstance(event, Names):
            directory = numbers[os.path.dirname(event.entries[-1][0])]
            changes.append((event, Sync(directory) in past[place:]))
            apply(numbers, event)
    pending = [number for number, (_, durable) in enumerate(changes) if not durable]
    if len(pending) > MOST_CHANGES:
        raise TooMuchUnsynced(f"{len(pending)} changes of names without an fsync of their directory")
    for kept in chain.from_iterable(combinations(pending, count) for count in range(len(pending) + 1)):
        names: dict[str, int] = {}
        for number, (event, durable) in enumerate(changes):
            if durable or number in kept:
                apply(names, event)
        yield names


def apply(names: dict[str, int], change: Names) -> None:
    """Carry out one change of names."""
    for path, inode in change.entries:
        names.pop(path, None)
        if inode is not None:
            names[path] = inode


def visible(names: dict[str, int], inodes: Sequence[Inode]) -> Iterator[tuple[str, int]]:
    """The names whose directories are all there."""
    for name, inode in names.items():
        above = [parent for parent in map(str, Path(name).parents) if parent != "."]
        if all(parent in names and inodes[names[parent]].kind == "directory" for parent in above):
            yield name, inode


def fates(past: Sequence[Event], inode: int, cuts: int) -> Iterator[bytes]:
    """Each content that a file may have.

    Where its unsynced writes have too many combined fates, each write meets all of its fates while the others are
    whole, and while those before it are whole and those after it absent.
    """
    events = [event for event in past if event in (Sync(inode),) or (isinstance(event, Write) and event.inode == inode)]
    last = max((place for place, event in enumerate(events) if isinstance(event, Sync)), default=-1)
    synced = [event for event in events[: last + 1] if isinstance(event, Write)]
    pending = [event for event in events[last + 1 :] if isinstance(event, Write)]
    base = carried_out(b"", synced)
    options = [list(ends(write, cuts)) for write in pending]
    total = 1
    for option in options:
        total *= len(option)
    seen = set()
    for choice in product(*options) if total <= MOST_FATES else one_at_a_time(options):
        content = carried_out(base, [write for write in choice if write is not None])
        if content not in seen:
            seen.add(content)
            yield content


def one_at_a_time(options: Sequence[list[Write | None]]) -> Iterator[tuple[Write | None, ...]]:
    """Each end of each write, the writes before it whole, those after it all whole or all absent; whole comes first."""
    whole = [option[0] for option in options]
    for number, option in enumerate(options):
        for end in option:
            yield (*whole[:number], end, *whole[number + 1 :])
            yield (*whole[:number], end, *[None] * (len(options) - number - 1))


def ends(write: Write, cuts: int) -> Iterator[Write | None]:
    """What may become of one write: whole, absent, as zeros, cut at a sector."""
    yield write
    yield None
    if not write.data:
        return
    yield Write(write.inode, write.offset, bytes(len(write.data)))
    end = write.offset + len(write.data)
    sectors = list(range((write.offset // SECTOR + 1) * SECTOR, end, SECTOR))
    step = max(1, len(sectors) // max(1, cuts))
    for sector in sectors[::step][:cuts]:
        yield Write(write.inode, write.offset, write.data[: sector - write.offset])


def carried_out(content: bytes, writes: Sequence[Write]) -> bytes:
    """A file's content after some writes; what lies between them is zeros."""
    file = bytearray(content)
    for write in writes:
        if write.data is None:
            del file[write.offset :]
            file.extend(bytes(write.offset - len(file)))
        else:
            file.extend(bytes(max(0, write.offset - len(file))))
            file[write.offset : write.offset + len(write.data)] = write.data
    return bytes(file)
