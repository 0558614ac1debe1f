"""For the test suites of those who use Loopwright: the promises, asserted of an experiment of one's own."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Sequence
from itertools import count
from pathlib import Path

from loopwright.auditing import as_table, audit, ending, known_checks, named
from loopwright.core.experiment import Experiment
from loopwright.errors import UsageError

RULE = "its processes need a name: give a function at the top of a module, or its name as a str"


def assert_same_bits(
    experiment: str | Callable[[], Experiment],
    *,
    steps: int | None = None,
    only: str | Sequence[str] = (),
    seed: int = 0,
    tmp_path: Path | None = None,
) -> None:
    """Audit an experiment as `loopwright audit` does; AssertionError with the table where a promise does not hold,
    or where one that `only` names cannot be proved.

    `experiment` is a name of `loopwright list`, `path/to/file.py:function`, `package.module:function`, or the function
    itself, at the top of a module that can be imported. `steps` is the length of its runs (None: 24, and an epoch where
    it is short). `only` names one check or several, for they take some seconds each: twice, sigterm, sigkill, silent,
    loader, workers, deterministic, evaluation. `seed` decides where runs are stopped. The runs are kept in `tmp_path`,
    pytest's say; otherwise in a temporary directory, if something differs.

    Raises UsageError where there is no such experiment or check, or it is a study.

    >>> def test_a_killed_run_goes_on_with_the_same_bits(tmp_path):
    ...     assert_same_bits("parity.py:parity", only=["sigterm", "sigkill"], tmp_path=tmp_path)
    """
    reference = experiment if isinstance(experiment, str) else reference_of(experiment)
    names = known_checks([only] if isinstance(only, str) else only) if only else []
    # What this process can import, pytest's paths included, its processes can import as well.
    search = [entry for entry in sys.path if entry]
    short, origin = named(reference, steps)
    found = audit(short, origin, only=names, seed=seed, keep=tmp_path and unused(tmp_path), search=search)
    if found.broken or (only and found.unproved):
        legend, verdict, *further = ending(found)
        raise AssertionError("\n".join([verdict, as_table(found), legend, *further]))


def unused(directory: Path) -> Path:
    """A directory in `directory` that is not there yet: `audit`, `audit-2` …"""
    names = ("audit" if number == 1 else f"audit-{number}" for number in count(1))
    return next(path for name in names if not (path := directory / name).exists())


def reference_of(function: object) -> str:
    """`package.module:function`, by which another process finds it. Raises UsageError where it cannot."""
    if not inspect.isfunction(function):
        made = "an Experiment" if isinstance(function, Experiment) else f"a {type(function).__name__}"
        raise UsageError(f"assert_same_bits: received {made}; {RULE}")
    if function.__qualname__ != function.__name__ or not function.__name__.isidentifier():
        raise UsageError(f"assert_same_bits: received {function.__qualname__}; {RULE}")
    return f"{function.__module__}:{function.__name__}"
