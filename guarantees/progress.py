"""How far a campaign is, on stderr: a bar on a terminal, else a line every ten seconds."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Sequence
from typing import TypeVar

from tqdm import tqdm

T = TypeVar("T")

SECONDS = 10.0


def shown(items: Sequence[T], what: str) -> Iterator[T]:
    """`items`, one after another, while it is shown how many are done."""
    if sys.stderr.isatty():
        yield from tqdm(items, desc=what, file=sys.stderr, leave=False)
        return
    told = time.monotonic()
    for number, item in enumerate(items, start=1):
        yield item
        if time.monotonic() - told > SECONDS:
            told = time.monotonic()
            print(f"  {what}: {number} of {len(items)}", file=sys.stderr, flush=True)
