"""By what it is seen that a run has changed since it was looked at: times and sizes, a handful of calls a run."""

from __future__ import annotations

import os
import time
from pathlib import Path

from loopwright.labels import NOTES, TAGS

FILES = {
    "d": "",
    "c": "config.toml",
    "m": "metrics.json",
    "n": NOTES,
    "t": TAGS,
    "h": "logs/history.jsonl",
}
"""What is looked at, the directory first: a file that comes, goes or is replaced changes its time."""

ALWAYS = "dcm"
RECENT_SECONDS = 2.0
"""What changed so shortly before it was read may change once more within the same tick of the file system's clock."""


def stamp(path: str) -> str:
    """Time, size and number of a file; nothing where there is none."""
    try:
        status = os.stat(path)
    except OSError:
        return "-"
    return f"{status.st_mtime_ns}:{status.st_size}:{status.st_ino}"


def stamps(run: Path | str, letters: str) -> str:
    """The stamps of the files of a run that `letters` stand for."""
    return f"{letters} " + " ".join(stamp(f"{run}/{FILES[letter]}") for letter in letters)


def letters_of(run: Path | str, *, finished: bool) -> str:
    """Which files of a run to look at: those that are there and may be written to in their place."""
    there = "".join(letter for letter in "nt" if os.path.lexists(f"{run}/{FILES[letter]}"))
    return ALWAYS + there + "" * finished + "h" * (not finished)


def unchanged(run: Path | str, signature: str) -> bool:
    """Whether the run is what it was when it had this signature."""
    letters = signature.partition(" ")[0]
    return bool(signature) and set(letters) <= set(FILES) and stamps(run, letters) == signature


def settled(signature: str) -> bool:
    """Whether the newest change lies long enough in the past for a signature to be trusted."""
    times = [int(stamp.partition(":")[0]) for stamp in signature.split(" ")[1:] if stamp != "-"]
    return max(times, default=0) < time.time_ns() - RECENT_SECONDS * 1e9
