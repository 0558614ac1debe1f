"""Watching a block of one's own code, and the cells of a notebook."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from loopwright.doctor.doctor import Doctor
from loopwright.watching.telling import Telling


@contextmanager
def watch(report: str | Path | None = None) -> Iterator[Doctor]:
    """Watch what is trained inside of the block: `with loopwright.watch() as doctor: …`.

    Findings are told on stderr as they arise, kept in the directory `report` where it is given, and are
    `doctor.findings`, those of `doctor.ranked` with the most probable cause first. What is trained stays the same, bit
    for bit. Optimizers built before are watched, too.
    """
    telling = Telling(Path(report) if report is not None else None, ["with loopwright.watch()"])
    doctor = Doctor(telling.finding)
    doctor.start(adopt=True)
    try:
        yield doctor
    finally:
        doctor.stop()
        telling.end(doctor)


class Notebook:
    """Watches a notebook: from `%load_ext loopwright` on, findings appear below the cell that raised them."""

    def __init__(self) -> None:
        self.doctor: Doctor | None = None
        self.telling = Telling(None, ["notebook"])

    def begin(self, *_: Any) -> None:
        """Before a cell: begin to watch, once."""
        if self.doctor is None:
            self.doctor = Doctor(self.telling.finding).start(adopt=True)

    def end(self) -> None:
        """Say what there is to say, and watch no longer."""
        if self.doctor is not None:
            self.doctor.stop()
            self.telling.end(self.doctor)
            self.doctor = None


def load_ipython_extension(shell: Any) -> Notebook:
    """`%load_ext loopwright`: watch this notebook from now on; `%unload_ext loopwright` ends it with a summary."""
    notebook = Notebook()
    notebook.begin()
    shell.loopwright = notebook
    return notebook


def unload_ipython_extension(shell: Any) -> None:
    """`%unload_ext loopwright`."""
    shell.loopwright.end()
