"""A group of which this process is one worker and forked children are the others."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import TypeVar

from torch import distributed as dist

from guarantees.forks import fork, wait
from loopwright.core.group import Group

T = TypeVar("T")

LATE = timedelta(seconds=60)
"""How late a process of a busy machine may be."""


def among(
    rank: int,
    size: int,
    work: Callable[[Group], T],
    others: Callable[[Group], object] | None = None,
    *,
    code: int = 0,
) -> T:
    """What `work` gives on worker `rank`, this process; the others do the same, or `others`, in processes of theirs.

    All have to end with `code`; of others that end with another than 0 nobody waits for the farewell.
    """
    with tempfile.TemporaryDirectory() as directory:
        meeting = str(Path(directory) / "meeting")
        children = [fork(partial(join, meeting, n, size, others or work)) for n in range(size) if n != rank]
        group = meet(meeting, rank, size)
        try:
            result = work(group)
            if code == 0:
                group.leave(LATE)
        finally:
            dist.destroy_process_group()
            codes = wait(*children)
        assert codes == [code] * (size - 1), f"the other workers ended with {codes}"
        return result


def join(meeting: str, rank: int, size: int, work: Callable[[Group], object]) -> None:
    """What another worker does."""
    group = meet(meeting, rank, size)
    work(group)
    group.leave(LATE)


def meet(meeting: str, rank: int, size: int) -> Group:
    """A group whose members have all come: one that then dies at once is missed by `work`, not while joining."""
    group = Group.join(dist.FileStore(meeting, size), rank, size)
    group.exchange("here")
    group.sent_bytes = 0
    return group
