"""A group of which this process is one worker and forked children are the others."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from torch import distributed as dist

from loopwright.core.group import GRACE, Group

T = TypeVar("T")


def among(rank: int, size: int, work: Callable[[Group], T], others: Callable[[Group], object] | None = None) -> T:
    """What `work` gives on worker `rank`, this process; the others do the same, or `others`, in processes of theirs."""
    with tempfile.TemporaryDirectory() as directory:
        meeting = str(Path(directory) / "meeting")
        children = [fork(meeting, other, size, others or work) for other in range(size) if other != rank]
        group = Group.join(dist.FileStore(meeting, size), rank, size)
        try:
            result = work(group)
            if others is None:
                group.leave(GRACE)
            return result
        finally:
            dist.destroy_process_group()
            for child in children:
                os.waitpid(child, 0)


def fork(meeting: str, rank: int, size: int, work: Callable[[Group], object]) -> int:
    child = os.fork()
    if child == 0:
        try:
            group = Group.join(dist.FileStore(meeting, size), rank, size)
            work(group)
            group.leave(GRACE)
        finally:
            os._exit(0)
    return child
