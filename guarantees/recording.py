"""What a process does to the files below a directory: its system calls, read from strace, as events.

Only this process and its threads count, not the programs that it starts.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from guarantees.faults import Work, watch
from guarantees.forks import FINE

CALLS = "openat,close,write,lseek,ftruncate,truncate,fsync,fdatasync,rename,link,linkat,unlink,symlink,mkdir,access"
THREADS = "clone,clone3"
MARK = "/marked/"

CALL = re.compile(r"(\d+) +(\w+)\((.*)\) += (-?\d+)", re.DOTALL)
UNFINISHED = re.compile(r"(\d+) +(\w+\(.*?),? *<unfinished \.\.\.>")
RESUMED = re.compile(r"(\d+) +<\.\.\. \w+ resumed>(.*)")
TEXT = re.compile(r'"((?:\\x[0-9a-f]{2})*)"')


@dataclass(frozen=True)
class Write:
    """`data` at `offset` of a file, or with `data` None its new length `offset`."""

    inode: int
    offset: int
    data: bytes | None


@dataclass(frozen=True)
class Names:
    """Entries of directories that change together: path to inode, None for one that is gone."""

    entries: tuple[tuple[str, int | None], ...]


@dataclass(frozen=True)
class Sync:
    """An inode, a file's or a directory's, is on the disk."""

    inode: int


@dataclass(frozen=True)
class Mark:
    """The work said something."""

    text: str


Event = Write | Names | Sync | Mark


@dataclass(frozen=True)
class Inode:
    """What a number stands for: a file, a directory, or a symbolic link to `target`."""

    kind: str
    target: str = ""


def mark(text: str) -> None:
    """Let a recording hold `text` at this place."""
    os.access(MARK + text, os.F_OK)


@dataclass
class Recording:
    """The events of some work on an empty directory, and its inodes; the directory itself is number 0."""

    events: list[Event]
    inodes: list[Inode]


def record(work: Work, place: Path, scratch: Path) -> Recording:
    """Carry out `work`, which fills the empty directory `place`, and note what it does."""
    options = ("-f", "-xx", "-s", "100000000", "-e", f"trace={CALLS},{THREADS}")
    done = watch(work, scratch, *options)
    assert done.code == FINE, done.stderr
    reader = TraceReader(str(place))
    for process, name, arguments, result in finished_calls(done.trace):
        reader.read(process, name, arguments, result)
    return Recording(reader.events, reader.inodes)


def finished_calls(trace: str) -> Iterator[tuple[int, str, str, int]]:
    """(thread, name, arguments, result) of each call in the order in which they ended."""
    begun: dict[str, str] = {}
    for line in trace.splitlines():
        if match := UNFINISHED.match(line):
            begun[match[1]] = f"{match[1]} {match[2]}"
            continue
        if match := RESUMED.match(line):
            line = begun.pop(match[1]) + match[2]
        if match := CALL.match(line):
            yield int(match[1]), match[2], match[3], int(match[4])


class TraceReader:
    """Follows descriptors, positions and names through the calls of one process."""

    def __init__(self, place: str) -> None:
        self.place = place
        self.events: list[Event] = []
        self.inodes = [Inode("directory")]
        self.names: dict[str, int] = {"": 0}
        self.sizes: dict[int, int] = {}
        self.opened: dict[int, tuple[int, bool]] = {}
        self.positions: dict[int, int] = {}
        self.threads: set[int] = set()

    def read(self, process: int, name: str, arguments: str, result: int) -> None:
        """One call."""
        if not self.threads:
            self.threads.add(process)
        if process not in self.threads or (result < 0 and name != "access"):
            return
        texts = [bytes.fromhex(text.replace("\\x", "")) for text in TEXT.findall(arguments)]
        getattr(self, f"_on_{name}")(arguments, texts, result)

    def below(self, text: bytes) -> str | None:
        """The path below the place, "" for itself; None for one elsewhere."""
        path = os.path.normpath(text.decode())
        return path[len(self.place) :].lstrip("/") if (path + "/").startswith(self.place + "/") else None

    def new(self, path: str, inode: Inode) -> int:
        """A new inode with a name."""
        self.inodes.append(inode)
        self.change((path, len(self.inodes) - 1))
        return len(self.inodes) - 1

    def change(self, *entries: tuple[str, int | None]) -> None:
        """Names that change at once."""
        for path, inode in entries:
            self.names.pop(path, None)
            if inode is not None:
                self.names[path] = inode
        self.events.append(Names(entries))

    def _on_clone(self, arguments: str, texts: list[bytes], result: int) -> None:
        if "CLONE_THREAD" in arguments:
            self.threads.add(result)

    _on_clone3 = _on_clone

    def _on_access(self, arguments: str, texts: list[bytes], result: int) -> None:
        if texts and texts[0].startswith(MARK.encode()):
            self.events.append(Mark(texts[0].decode().removeprefix(MARK)))

    def _on_openat(self, arguments: str, texts: list[bytes], result: int) -> None:
        path = self.below(texts[0])
        if path is None:
            return
        if path not in self.names and "O_CREAT" in arguments:
            self.new(path, Inode("file"))
        inode = self.names[path]
        if "O_TRUNC" in arguments and self.sizes.get(inode, 0):
            self.cut(inode, 0)
        self.opened[result], self.positions[result] = (inode, "O_APPEND" in arguments), 0

    def _on_close(self, arguments: str, texts: list[bytes], result: int) -> None:
        self.opened.pop(int(arguments), None)

    def _on_lseek(self, arguments: str, texts: list[bytes], result: int) -> None:
        self.positions[int(arguments.split(",")[0])] = result

    def _on_write(self, arguments: str, texts: list[bytes], result: int) -> None:
        descriptor = int(arguments.split(",")[0])
        if descriptor not in self.opened:
            return
        inode, append = self.opened[descriptor]
        size = self.sizes.get(inode, 0)
        offset = size if append else self.positions[descriptor]
        self.events.append(Write(inode, offset, texts[0][:result]))
        self.positions[descriptor] = offset + result
        self.sizes[inode] = max(size, offset + result)

    def cut(self, inode: int, size: int) -> None:
        """A file has a new length."""
        self.events.append(Write(inode, size, None))
        self.sizes[inode] = size

    def _on_ftruncate(self, arguments: str, texts: list[bytes], result: int) -> None:
        descriptor, size = arguments.split(",")
        if int(descriptor) in self.opened:
            self.cut(self.opened[int(descriptor)][0], int(size))

    def _on_truncate(self, arguments: str, texts: list[bytes], result: int) -> None:
        if (path := self.below(texts[0])) is not None:
            self.cut(self.names[path], int(arguments.rpartition(",")[2]))

    def _on_fsync(self, arguments: str, texts: list[bytes], result: int) -> None:
        if int(arguments) in self.opened:
            self.events.append(Sync(self.opened[int(arguments)][0]))

    _on_fdatasync = _on_fsync

    def _on_rename(self, arguments: str, texts: list[bytes], result: int) -> None:
        source, target = map(self.below, texts)
        if source is not None and target is not None:
            self.change((source, None), (target, self.names[source]))

    def _on_link(self, arguments: str, texts: list[bytes], result: int) -> None:
        source, target = map(self.below, texts)
        if source is not None and target is not None:
            self.change((target, self.names[source]))

    _on_linkat = _on_link

    def _on_unlink(self, arguments: str, texts: list[bytes], result: int) -> None:
        if (path := self.below(texts[0])) is not None:
            self.change((path, None))

    def _on_symlink(self, arguments: str, texts: list[bytes], result: int) -> None:
        if (path := self.below(texts[1])) is not None:
            self.new(path, Inode("link", texts[0].decode()))

    def _on_mkdir(self, arguments: str, texts: list[bytes], result: int) -> None:
        if (path := self.below(texts[0])) is not None:
            self.new(path, Inode("directory"))
