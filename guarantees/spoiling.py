"""What a hostile case is: a good run, spoiled; and what of the user's lies beside it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from guarantees import forging
from loopwright.store import read_checkpoint


@dataclass(frozen=True)
class Place:
    """`run` is to be spoiled; nothing in `outside` may be touched, and `touch` is a command that would."""

    run: Path
    outside: Path

    @property
    def touch(self) -> str:
        """A shell command that leaves a trace."""
        return f"touch {self.outside}/ran"


@dataclass(frozen=True)
class Case:
    """One hostile input: its kind, its name, and what makes it of a good run."""

    kind: str
    name: str
    spoil: Callable[[Place], None]


def pt_files(place: Place) -> list[Path]:
    """The checkpoints of the run."""
    return sorted((place.run / "checkpoints").glob("*.pt"))


def replace_all(place: Place, data: bytes) -> None:
    """Every checkpoint of the run, replaced by `data` with the right digest."""
    for path in pt_files(place):
        forging.written(path, data)


def content_of(place: Place) -> dict[str, Any]:
    """What the newest checkpoint holds."""
    return read_checkpoint(place.run / "checkpoints/last.pt")


def unchanged(place: Place) -> dict[str, tuple[int, int, bytes]]:
    """Everything outside the run, with times and contents."""
    paths = [path for path in place.outside.rglob("*") if path.is_file()]
    return {str(path): (path.stat().st_mtime_ns, path.stat().st_size, path.read_bytes()) for path in paths}
