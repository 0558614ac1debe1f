"""What a campaign is asked for, a scale, and what it gives, a section: one table of docs/guarantees.md."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeVar

from tqdm import tqdm

T = TypeVar("T")

TELL_SECONDS = 10.0


class Scale(StrEnum):
    """How much a campaign does: `quick` seconds (`make test`), `full` minutes (`make guarantees`), `nightly` hours."""

    QUICK = "quick"
    FULL = "full"
    NIGHTLY = "nightly"

    def pick(self, *, quick: T, full: T, nightly: T) -> T:
        """The one of three values that belongs to this scale."""
        return {Scale.QUICK: quick, Scale.FULL: full, Scale.NIGHTLY: nightly}[self]


@dataclass(frozen=True)
class Section:
    """One table: what was tried, how often, and what came of it.

    `notes` are sentences below it. `violations` says what broke a promise, with all that is needed to see it again;
    a section that has any has failed.
    """

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[object, ...], ...]
    notes: tuple[str, ...] = ()
    violations: tuple[str, ...] = ()

    def markdown(self) -> str:
        """Heading, violations, table and notes."""
        table = [row(self.columns), row(["---"] * len(self.columns)), *map(row, self.rows)]
        broken = [f"**Violated**: {violation}" for violation in self.violations]
        return "\n\n".join([f"## {self.title}", *broken, "\n".join(table), *self.notes])


class Skipped(Exception):
    """A campaign cannot run here; the words say what it needs."""


def row(cells: Iterable[object]) -> str:
    """One line of a Markdown table; whole numbers with separators, others to four digits."""
    return "| " + " | ".join(map(cell, cells)) + " |"


def cell(value: object) -> str:
    """One cell's text."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return str(value).replace("|", "\\|").replace("\n", " ")
    return f"{value:,}" if isinstance(value, int) else f"{value:.4g}"


def shown(items: Sequence[T], what: str) -> Iterator[T]:
    """`items`, one after another; how many are done is shown on stderr by a bar on a terminal, else now and then."""
    if sys.stderr.isatty():
        yield from tqdm(items, desc=what, file=sys.stderr, leave=False)
        return
    told = time.monotonic()
    for number, item in enumerate(items, start=1):
        yield item
        if time.monotonic() - told > TELL_SECONDS:
            told = time.monotonic()
            print(f"  {what}: {number} of {len(items)}", file=sys.stderr, flush=True)
