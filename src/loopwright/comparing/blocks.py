"""What a section of a comparison is made of; each kind is laid out once as markdown and once as HTML."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from loopwright.comparing.overlays import Drawing


@dataclass(frozen=True)
class Text:
    """A paragraph."""

    text: str
    kind: str = "text"


@dataclass(frozen=True)
class Bullets:
    """A list of sentences."""

    lines: list[str]
    kind: str = "bullets"


@dataclass(frozen=True)
class Table:
    """Cells of text; the rows `strong` are set off. `folded`: the words under which a long one is hidden."""

    columns: list[str]
    rows: Sequence[Sequence[str]]
    strong: frozenset[int] = field(default_factory=frozenset)
    note: str = ""
    folded: str = ""
    kind: str = "table"


@dataclass(frozen=True)
class Code:
    """Commands, or a piece of a file."""

    text: str
    language: str = ""
    kind: str = "code"


@dataclass(frozen=True)
class Folded:
    """A long piece of code that is seen on demand."""

    title: str
    text: str
    language: str = ""
    kind: str = "folded"


@dataclass(frozen=True)
class Drawings:
    """Pictures that share their controls."""

    drawings: list[Drawing]
    kind: str = "drawings"


Block = Text | Bullets | Table | Code | Folded | Drawings
