"""What a person sees while steps of a run are done again."""

from __future__ import annotations

import time
from typing import TextIO

from loopwright.cli.console import Console
from loopwright.lines import Record
from loopwright.running.session import Watchers


class Again(Console):
    """A console for walks that are mostly short: without a terminal it is silent for the first seconds of them all."""

    def __init__(self, *, stream: TextIO | None = None, quiet: bool = False) -> None:
        super().__init__(stream=stream, quiet=quiet)
        self.said, self.first = time.monotonic(), 0

    def begin(self, total: int, evaluation: int = 0) -> None:
        """Another walk begins; the time without a sign of life goes on."""
        said = self.said
        super().begin(total, evaluation)
        self.said, self.first = said, 0

    def watching(self, title: str) -> Watchers:
        """Watchers of a run; `title` says which it is."""

        def sink(record: Record) -> None:
            self.title = f"{title} again, "
            self(record)

        return Watchers(sinks=[sink], say=self.say, begin=self.begin)
