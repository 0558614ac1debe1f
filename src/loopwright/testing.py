"""For the test suites of those who use Loopwright: the promises, asserted of an experiment of one's own."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from loopwright.auditing import as_table, audit, ending, named
from loopwright.core.experiment import Experiment


def assert_same_bits(
    experiment: str | Callable[[], Experiment],
    *,
    steps: int | None = None,
    only: Sequence[str] = (),
    seed: int = 0,
    tmp_path: Path | None = None,
) -> None:
    """Audit an experiment as `loopwright audit` does; AssertionError with the table where a promise does not hold,
    or where one that `only` names cannot be proved.

    `experiment` is a name of `loopwright list`, `path/to/file.py:function`, `package.module:function`, or the function
    itself, at the top of a module that can be imported. `steps` is the length of its runs (None: 24, and an epoch where
    it is short). `only` names checks, for they take some seconds each: twice, sigterm, sigkill, silent, loader,
    workers, deterministic, evaluation. `seed` decides where runs are stopped. The runs are kept in `tmp_path`, pytest's
    say; otherwise in a temporary directory, if something differs.

    Raises UsageError where there is no such experiment or check, or it is a study.

    >>> def test_a_killed_run_goes_on_with_the_same_bits(tmp_path):
    ...     assert_same_bits("parity.py:parity", only=["sigterm", "sigkill"], tmp_path=tmp_path)
    """
    reference = experiment if isinstance(experiment, str) else f"{experiment.__module__}:{experiment.__qualname__}"
    # What this process can import, pytest's paths included, its processes can import as well.
    search = [entry for entry in sys.path if entry]
    short, origin = named(reference, steps)
    found = audit(short, origin, only=only, seed=seed, keep=tmp_path and tmp_path / "audit", search=search)
    if found.broken or (only and found.unproved):
        raise AssertionError("\n".join([*ending(found), as_table(found)]))
