"""Every exception that Loopwright raises on purpose, and the exit code that the command line gives it.

    LoopwrightError                 3   something of the run failed
    ├── UsageError                  2   the command or its input is wrong
    │   ├── ConfigError             2   an unknown field, an ill-typed value, a config from a newer version
    │   ├── DataError               2   data that is missing, malformed or too small
    │   ├── RunError                2   a directory that is not a run, or not one that can do what was asked
    │   └── CheckpointError         2   a checkpoint that is damaged, or belongs to another model
    ├── StoreError                  3   a checkpoint or a record could not be written
    ├── WorkerError                 3   another worker of the run is gone, or is not what this one is
    ├── NonFiniteError              3   a loss or a gradient is infinite or not a number
    ├── PrecisionError              3   the machine cannot compute what precision or --deterministic promises
    └── Interrupted         130 / 143   Ctrl-C or SIGTERM: the run was saved and can be resumed

A message is one or two lines: the thing, the value received, the rule, the remedy.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path


class LoopwrightError(Exception):
    """Something of the run failed; the root of the tree above. `run` is the run directory, where there is one."""

    exit_code = 3
    run: Path | None = None


class UsageError(LoopwrightError):
    """The command or its input is wrong."""

    exit_code = 2


class ConfigError(UsageError):
    """An unknown field, an ill-typed value, or a config from a newer version."""


class DataError(UsageError):
    """Data that is missing, malformed or too small."""


class RunError(UsageError):
    """A directory that is not a run, or not one that can do what was asked."""


class CheckpointError(UsageError):
    """A checkpoint that is damaged, or belongs to another model."""


class StoreError(LoopwrightError):
    """A checkpoint or a record could not be written."""


class WorkerError(LoopwrightError):
    """Another worker of the run is gone, or is not what this one is."""


class NonFiniteError(LoopwrightError):
    """A loss or a gradient is infinite or not a number, in `step`: its `losses`, the `total` first, its `grad_norm`."""

    def __init__(self, message: str, step: int, losses: Mapping[str, float], grad_norm: float) -> None:
        super().__init__(message)
        self.step, self.losses, self.grad_norm = step, losses, grad_norm


class PrecisionError(LoopwrightError):
    """The machine cannot compute what the named precision or the deterministic mode promises."""


class Interrupted(LoopwrightError):
    """Ctrl-C or SIGTERM: the run was saved and can be resumed. `exit_code` is 128 + the signal's number."""

    def __init__(self, message: str, signal_number: int) -> None:
        super().__init__(message)
        self.exit_code = 128 + signal_number


def printable(text: str, most: int = 8000) -> str:
    r"""`text` as it may be sent to a terminal: no control characters but the ends of lines, and not without end.

    >>> printable("a\x1b[2Jb")
    'a\\x1b[2Jb'
    """
    shown = "".join(
        letter if letter.isprintable() or letter in "\n\t" else letter.encode("unicode_escape", "replace").decode()
        for letter in text[:most]
    )
    return shown + "…" * (len(text) > most)


def some(items: Sequence[object], most: int = 8) -> str:
    """The first few items, and how many more there are.

    >>> some([3, 1, 2], 2)
    '3, 1 and 1 more'
    """
    rest = len(items) - most
    return ", ".join(str(item) for item in items[:most]) + (f" and {rest} more" if rest > 0 else "")


def capital(text: str) -> str:
    """With a capital letter at its beginning, unless its first word is the name of something in a program.

    >>> capital("non-finite losses"), capital("lr-too-large was seen")
    ('Non-finite losses', 'lr-too-large was seen')
    """
    return text if re.match(r"\w+([._]\w|-\w+-\w)", text) else text[:1].upper() + text[1:]


def counted(number: int, thing: str) -> str:
    """So many things.

    >>> counted(1, "step"), counted(2, "step")
    ('1 step', '2 steps')
    """
    return f"{number:,} {thing}{'s' * (number != 1)}"


def nearest(name: str, known: Iterable[str]) -> str:
    """The end of an error message: which of `known` was probably meant, or, where none is near, what there is.

    >>> nearest("digit-cnn", ["digits-cnn", "points"])
    "did you mean 'digits-cnn'?"
    """
    names = sorted(known)
    matches = difflib.get_close_matches(name, names, n=1, cutoff=0.5)
    if matches:
        return f"did you mean {matches[0]!r}?"
    return f"there is {', '.join(names)}." if names else "there is none."
