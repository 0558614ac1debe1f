"""The doctor's own mistakes stay the doctor's: a part of it that fails is switched off, and the program goes on."""

from __future__ import annotations

from types import TracebackType

Failures = dict[str, str]


class Shield:
    """A block that swallows an exception, and notes in `failures` that the part called `name` has failed.

    What is meant for the program, an interrupt or an exit, passes through.
    """

    def __init__(self, name: str, failures: Failures) -> None:
        self.name = name
        self.failures = failures

    def __enter__(self) -> None:
        """Nothing to prepare."""

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        """Swallow an Exception."""
        if kind is None or not issubclass(kind, Exception):
            return False
        place = trace
        while place is not None and place.tb_next is not None:
            place = place.tb_next
        line = f", line {place.tb_lineno} of {place.tb_frame.f_code.co_filename}" if place else ""
        self.failures[self.name] = f"{kind.__name__}: {error}{line}"
        return True
