"""A group of which this process is one worker and forked children are the others."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TypeVar

from torch import distributed as dist

from guarantees.forks import fork, wait
from loopwright.core.group import GRACE, Group

T = TypeVar("T")


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
        group = Group.join(dist.FileStore(meeting, size), rank, size)
        try:
            result = work(group)
            if code == 0:
                group.leave(GRACE)
        finally:
            dist.destroy_process_group()
            codes = wait(*children)
        assert codes == [code] * (size - 1), f"the other workers ended with {codes}"
        return result


def join(meeting: str, rank: int, size: int, work: Callable[[Group], object]) -> None:
    """What another worker does."""
    group = Group.join(dist.FileStore(meeting, size), rank, size)
    work(group)
    group.leave(GRACE)
