"""What a person sees of a run, on stderr: one live line on a terminal, plain lines with the time elsewhere.

Nothing is colored, so there is nothing that NO_COLOR would have to turn off. A notebook's stream is no terminal.
"""

from __future__ import annotations

import math
import os
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Self, TextIO

from loopwright.cli.pace import Pace
from loopwright.errors import printable
from loopwright.journal import Record
from loopwright.report.values import show_metric, show_seconds

QUIET_SECONDS = 10.0
"""Without a terminal: at most so long without a sign of life, and evaluations no oftener than a fifth of it."""
FIRST_STEPS = 3
"""So many steps are told whatever the time, so that what is wrong from the start is seen at once."""
REDRAWN_SECONDS = 0.1
"""The live line is drawn no oftener."""
WORTH_TELLING_SECONDS = 10.0
"""A run that takes longer has its expected time told, once a second of steps is measured."""
ERASE = "\r\x1b[K"


class Console:
    """A sink of the journal that shows how a run gets on; `say` prints a line for people. Use as a context.

    The journal calls it for each record, in blocks; it takes numbers and looks at the clock, and writes nothing more
    until a line is due.
    """

    def __init__(self, *, stream: TextIO | None = None, quiet: bool = False) -> None:
        # Started without a standard error (2>&-), Python has none.
        self.stream = stream or sys.stderr or open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115
        self.quiet = quiet
        self.live = self.stream.isatty() and os.environ.get("TERM") != "dumb" and not quiet
        self.pace = Pace()
        self.drawn = self.said = -math.inf
        self.shown = False
        self.first = FIRST_STEPS
        self.told_time = False
        self.title = ""
        self.last: Record | None = None
        self.metrics: dict[str, float] = {}

    def say(self, line: str) -> None:
        """Print a line that stays."""
        if not self.quiet:
            self.clear()
            with self.going_on():
                print(printable(line), file=self.stream, flush=True)

    def begin(self, total: int, evaluation: int = 0) -> None:
        """A run of `total` steps begins, evaluated every `evaluation`; it may begin again with other numbers."""
        self.clear()
        self.pace, self.last, self.metrics = Pace(total, evaluation), None, {}
        self.drawn = self.said = -math.inf
        self.first, self.told_time = FIRST_STEPS, False

    def __call__(self, record: Record) -> None:
        """Show a record of the history."""
        if self.quiet:
            return
        self.pace.see(record)
        if record["kind"] == "step":
            self.last = record
            self.tell(QUIET_SECONDS)
            if not self.told_time and self.pace.seconds > 1.0:
                self.tell_time()
        elif record["kind"] == "validation":
            self.metrics = dict(list(record["metrics"].items())[:2])
            self.tell(QUIET_SECONDS / 5)

    def tell(self, seconds: float) -> None:
        """Draw the live line; without a terminal print a full one, if there was none for `seconds`."""
        now = time.monotonic()
        if self.last is None:
            return
        if self.live and now - self.drawn >= REDRAWN_SECONDS:
            self.drawn = now
            with self.going_on():
                self.stream.write(ERASE + fitting(self.columns(), self.width() - 1))
                self.stream.flush()
                self.shown = True
        elif not self.live and (now - self.said >= seconds or self.first > 0):
            self.said = now
            self.first -= 1
            self.say(f"{time.strftime('%H:%M:%S')}  {'  '.join(self.columns())}")

    def columns(self) -> list[str]:
        """What is known of the last step, the most important first."""
        record, pace, step = self.last or {}, self.pace, self.pace.step
        share = f" {step / pace.total:4.0%}" if pace.total else ""
        told = [f"{self.title}step {step}/{pace.total}{share}"]
        if pace.ahead is not None:
            told.append(f"eta {show_seconds(float(round(pace.ahead)))}{'' if pace.known else '+'}")
        told.append(f"loss {show_metric(record['loss']['total'])}")
        evaluated = [f"val {name} {show_metric(value)}" for name, value in self.metrics.items()]
        told += [*evaluated[:1], f"gnorm {record['grad_norm']:.3g}", f"lr {record['lr']:.3g}"]
        if pace.samples_per_second:
            told.append(f"{rounded(pace.samples_per_second)} samples/s")
        return told + evaluated[1:]

    def tell_time(self) -> None:
        """Say how long the run will take, once that is known; nothing where it is a matter of seconds."""
        self.told_time = True
        ahead = self.pace.ahead or 0.0
        if ahead > WORTH_TELLING_SECONDS:
            speed = f"{1 / self.pace.step_seconds:.3g} steps/s, {rounded(self.pace.samples_per_second)} samples/s"
            left = f"the {self.pace.total - self.pace.step:,} steps to come ({speed})"
            rest = "" if self.pace.known else ", without the evaluations"
            self.say(f"about {show_seconds(float(round(ahead)))} for {left}{rest}")

    def width(self) -> int:
        """Columns of the terminal, which may change at any time."""
        try:
            return os.get_terminal_size(self.stream.fileno()).columns or 80
        except OSError:
            return 80

    @contextmanager
    def going_on(self) -> Iterator[None]:
        """Whoever read our lines may have gone (`2>&1 | head`): that ends the lines, not the run."""
        try:
            yield
        except OSError:
            self.quiet, self.live, self.shown = True, False, False

    def clear(self) -> None:
        """Take the live line away; the next record draws it again."""
        if self.shown:
            self.shown, self.drawn = False, -math.inf
            with self.going_on():
                self.stream.write(ERASE)
                self.stream.flush()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.clear()


def fitting(columns: Sequence[str], width: int) -> str:
    """As many of the columns as fit into `width`, from the left; of the first at least its beginning."""
    line = columns[0][:width]
    for column in columns[1:]:
        if len(line) + 2 + len(column) > width:
            break
        line += f"  {column}"
    return printable(line).replace("\n", " ")


def rounded(value: float) -> str:
    """Three digits, thousands as k and M.

    >>> rounded(143_210.0), rounded(57.31), rounded(2_140_000.0)
    ('143k', '57.3', '2.14M')
    """
    for factor, unit in ((1e6, "M"), (1e3, "k")):
        if value >= factor:
            return f"{value / factor:.3g}{unit}"
    return f"{value:.3g}"
