"""What a post-mortem is made of: answers, each of statements that name a run, a file in it, and numbers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from loopwright.postmortem.pictures import Picture


@dataclass(frozen=True, slots=True)
class Statement:
    """One thing that a record says. `run`: the directory whose record it is; `source`: the file in it."""

    text: str
    run: str
    source: str


@dataclass(frozen=True, slots=True)
class Command:
    """A command line to be typed, and what it is for."""

    what: str
    line: str


@dataclass(frozen=True, slots=True)
class Answer:
    """A question and what is known about it.

    `name`: of letters and dashes, unique in a post-mortem. `lack`: why there is nothing to say; `commands` then has the
    one that gives the evidence.
    """

    name: str
    question: str
    statements: tuple[Statement, ...] = ()
    lack: str = ""
    commands: tuple[Command, ...] = ()
    pictures: tuple[Picture, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """Plain values, without the pictures."""
        return {
            "name": self.name,
            "question": self.question,
            "statements": [{"text": one.text, "run": one.run, "source": one.source} for one in self.statements],
            "lack": self.lack,
            "commands": [{"what": one.what, "command": one.line} for one in self.commands],
        }


def first_part(reason: str) -> str:
    """What broke, without what was done about it."""
    return reason.partition(";")[0].strip()
