"""Ctrl-C and SIGTERM: the step is finished and saved. A second Ctrl-C stops at once."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType, TracebackType
from typing import Any

from loopwright.core.parallel import ALONE, Workers
from loopwright.errors import Interrupted

FINISHING = "finishing the step and saving; Ctrl-C once more stops at once"


class Interrupt:
    """Notes SIGINT and SIGTERM while it is entered as a context; after each step the loop lets all workers `agree`.

    Work that changes nothing (an evaluation) runs inside `breakable()` and is left at once, by Interrupted. Exit
    codes are the shell's: 130 after SIGINT, 143 after SIGTERM. A second Ctrl-C less than `patience` seconds after the
    first is the same one: `torchrun` passes on what the terminal has sent to all of its workers already. With such a
    patience `say` is told when all have agreed, not before: the signal may be the group's end.
    """

    SIGNALS = (signal.SIGINT, signal.SIGTERM)

    def __init__(self, say: Callable[[str], None] = lambda line: None, patience: float = 0.0) -> None:
        self.say = say
        self.patience = patience
        self.requested: int | None = None
        self.pressed: float | None = None
        self.armed = False
        self.before: list[Any] = []

    def __enter__(self) -> Interrupt:
        self.before = [signal.signal(number, self.receive) for number in self.SIGNALS]
        return self

    def __exit__(self, kind: type | None, value: BaseException | None, trace: TracebackType | None) -> None:
        for number, handler in zip(self.SIGNALS, self.before, strict=True):
            signal.signal(number, handler)

    def receive(self, number: int, frame: FrameType | None) -> None:
        """The signal handler."""
        if number == signal.SIGINT:
            now = time.monotonic()
            if self.pressed is not None and now - self.pressed >= self.patience:
                raise KeyboardInterrupt
            self.pressed = self.pressed or now
        if self.requested is None:
            self.requested = number
            if not self.patience:
                self.say(FINISHING)
        if self.armed:
            self.stop_if_requested()

    def agree(self, workers: Workers) -> int | None:
        """The signal that one of the workers has received, or None: all of them stop after the same step."""
        told = workers.exchange(self.requested)
        agreed: int | None = next((number for number in told if number is not None), None)
        if agreed is not None:
            self.requested = agreed
            if self.patience:
                self.say(FINISHING)
        return agreed

    def stop_if_requested(self) -> None:
        """Raise Interrupted where a signal has come; the next one does not raise it again."""
        if self.requested is not None:
            self.armed = False
            raise Interrupted(f"stopped by {signal.Signals(self.requested).name}", self.requested)

    @contextmanager
    def breakable(self, workers: Workers = ALONE) -> Iterator[None]:
        """What runs inside may be left at any instant by Interrupted; not where strided workers would wait."""
        if workers.worker.strided:
            yield
            return
        self.armed = True
        try:
            self.stop_if_requested()
            yield
            self.stop_if_requested()  # the work may have caught the exception itself
        finally:
            self.armed = False
