"""A study: several experiments that differ in what is studied, and one table over their results."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from loopwright.core.experiment import Experiment
from loopwright.errors import UsageError, nearest

Results = Sequence[tuple[Experiment, Mapping[str, Any]]]
"""Each member and what its metrics.json says, in the study's order."""


@dataclass(frozen=True)
class Study:
    """Members are trained one after the other into runs of their own; `conclude` writes tables and pictures from the
    results.

    `conclude(results, directory)` writes into `directory` what a task's artifacts would be.
    """

    name: str
    members: tuple[Experiment, ...]
    conclude: Callable[[Results, Path], None]

    def member(self, name: str) -> Experiment:
        """The member called `name`. Raises UsageError where there is none."""
        named = {member.name: member for member in self.members}
        if name not in named:
            raise UsageError(f"study {self.name}: no member {name!r}, {nearest(name, named)}")
        return named[name]
