"""How many runs get on, on stderr: a bar over all of them on a terminal, a line for each that ends everywhere."""

from __future__ import annotations

import os
import sys
import time
from typing import NoReturn, Self

from tqdm import tqdm

from loopwright.errors import printable

FORMAT = "{percentage:3.0f}% |{bar:16}| {elapsed}<{remaining}  {desc}"


class Bar:
    """A bar over `total` runs; `say` prints a line that stays. Use as a context."""

    def __init__(self, total: int, *, quiet: bool) -> None:
        self.total, self.quiet, self.number = total, quiet, 0
        live = not quiet and sys.stderr.isatty() and os.environ.get("TERM") != "dumb"
        self.bar: tqdm[NoReturn] | None = None
        if live and total:
            self.bar = tqdm(total=total, file=sys.stderr, leave=False, dynamic_ncols=True, bar_format=FORMAT)

    def say(self, line: str) -> None:
        """Print a line that stays."""
        if not self.quiet:
            tqdm.write(printable(line, 2000), file=sys.stderr)

    def ended(self, line: str) -> None:
        """One run more is over; `line` says which, and what came of it."""
        self.number += 1
        self.say(f"{time.strftime('%H:%M:%S')}  {self.number:>{len(str(self.total))}}/{self.total}  {line}")

    def going(self, names: list[str], done: float) -> None:
        """So many runs are done, the running ones, which have `names`, by what they have done of theirs."""
        if self.bar is not None:
            self.bar.set_description_str(", ".join(names), refresh=False)
            self.bar.n = round(done, 3)
            self.bar.refresh()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        if self.bar is not None:
            self.bar.close()
