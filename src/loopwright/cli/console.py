"""What a person sees of a run, on stderr: one live line on a terminal, plain lines with the time elsewhere."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Self, TextIO

from tqdm import tqdm

from loopwright.errors import printable
from loopwright.journal import Record

QUIET_SECONDS = 10.0
"""Without a terminal: at most so long without a sign of life, and evaluations no oftener than a fifth of it."""


class Console:
    """A sink of the journal that shows how a run gets on; `say` prints a line for people. Use as a context."""

    def __init__(self, *, stream: TextIO | None = None, quiet: bool = False) -> None:
        # Started without a standard error (2>&-), Python has none.
        self.stream = stream or sys.stderr or open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115
        self.quiet = quiet
        self.live = self.stream.isatty() and not quiet
        self.total = 0
        self.bar: Any = None
        self.said = 0.0
        self.title = ""
        self.values: dict[str, str] = {}

    def say(self, line: str) -> None:
        """Print a line that stays."""
        if self.quiet:
            return
        with self.going_on():
            line = printable(line)
            if self.live:
                tqdm.write(line, file=self.stream)
            else:
                print(line, file=self.stream, flush=True)

    def begin(self, total: int) -> None:
        """A run of `total` steps begins; it may begin again with another number."""
        self.close()
        self.total, self.said, self.values = total, 0.0, {}

    def __call__(self, record: Record) -> None:
        """Show a record of the history."""
        if record["kind"] == "step":
            self.values |= {"loss": f"{record['loss']['total']:.4g}", "gnorm": f"{record['grad_norm']:.3g}"}
            self.values["lr"] = f"{record['lr']:.3g}"
            self.advance(record)
        elif record["kind"] == "validation":
            self.values |= {f"val {name}": f"{value:.4g}" for name, value in list(record["metrics"].items())[:2]}
            self.tell(record, QUIET_SECONDS / 5)

    def advance(self, record: Record) -> None:
        """One step further."""
        self.tell(record, QUIET_SECONDS)
        with self.going_on():
            self.draw(record["step"])

    def draw(self, step: int) -> None:
        """Draw the live line, on a terminal."""
        if self.live and self.bar is None:
            self.bar = tqdm(
                desc=self.title,
                total=self.total,
                initial=step - 1,
                unit="step",
                file=self.stream,
                dynamic_ncols=True,
                leave=False,
                bar_format="{desc}{percentage:3.0f}% |{bar:16}| {n_fmt}/{total_fmt} [{remaining}, {rate_fmt}]{postfix}",
            )
        if self.bar is not None:
            self.bar.set_description_str(self.title, refresh=False)
            self.bar.set_postfix_str(", ".join(f"{k} {v}" for k, v in self.values.items()), refresh=False)
            self.bar.update(step - self.bar.n)

    def tell(self, record: Record, seconds: float) -> None:
        """Without a terminal: a full line, if there was none for `seconds`."""
        now = time.monotonic()
        if self.live or self.quiet or now - self.said < seconds:
            return
        self.said = now
        values = "  ".join(f"{name} {value}" for name, value in self.values.items())
        share = f"{record['step'] / self.total:4.0%}" if self.total else ""
        self.say(f"{time.strftime('%H:%M:%S')}  {self.title}step {record['step']}/{self.total} {share}  {values}")

    @contextmanager
    def going_on(self) -> Iterator[None]:
        """Whoever read our lines may have gone (`2>&1 | head`): that ends the lines, not the run."""
        try:
            yield
        except OSError:
            self.quiet, self.live, self.bar = True, False, None

    def close(self) -> None:
        """Take the live line away."""
        if self.bar is not None:
            self.bar.close()
            self.bar = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()
