"""What verbs do that are of no use on several workers."""

from __future__ import annotations

from loopwright.core.group import joined
from loopwright.errors import UsageError


def refuse_workers(verb: str) -> None:
    """Raises UsageError, in one of the workers, where `torchrun` has started several."""
    with joined() as workers:
        if (size := workers.worker.size) > 1:
            raise UsageError(f"{verb}: started by torchrun {size} times; it needs no torchrun, start it once")
