"""The promises, proved on an experiment: a short version of it is run in many ways and compared bit by bit."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from shutil import rmtree

from loopwright.auditing.checks import CHECKS, Finding
from loopwright.auditing.workspace import RunFailed, Workspace
from loopwright.core.experiment import Experiment
from loopwright.core.study import Study
from loopwright.errors import Interrupted, LoopwrightError, UsageError, nearest
from loopwright.running.config import Origin
from loopwright.running.registry import find

STEPS, EVAL_EVERY, SAVE_EVERY = 24, 7, 5
MOST_STEPS = 100
"""An epoch longer than this is not waited for."""
DELETABLE = "(may be deleted)"
BROKEN = ("DIFFERS", "FAILED")
UNPROVED = ("refused", "not applicable")

Watch = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Check:
    """One line of an audit."""

    name: str
    finding: Finding
    seconds: float


@dataclass(frozen=True)
class Audit:
    """What an audit found. `directory` holds the runs, where they were kept."""

    name: str
    steps: int
    seed: int
    checks: tuple[Check, ...]
    directory: Path

    @property
    def broken(self) -> tuple[Check, ...]:
        """The checks whose promise does not hold."""
        return tuple(check for check in self.checks if check.finding.verdict in BROKEN)

    @property
    def unproved(self) -> tuple[Check, ...]:
        """The checks that neither found a promise kept nor one broken, for a reason that they tell."""
        return tuple(check for check in self.checks if check.finding.verdict in UNPROVED)


def audit(
    experiment: Experiment,
    origin: Origin,
    *,
    only: Sequence[str] = (),
    seed: int = 0,
    keep: Path | None = None,
    search: Sequence[str] = (),
    watch: Watch = lambda name, number, total: None,
) -> Audit:
    """Prove the promises on `experiment`, as it is: `shortened` first where it is long.

    `only` are names of checks, all of them if empty. `seed` decides where runs are stopped. The runs are kept in
    `keep`, or, where something differs, in a temporary directory. `search` are more places to import the experiment
    from. `watch` is told the check or the run in it that begins, the check's number from 0 and how many there are.

    Raises UsageError for an unknown check and an experiment that is refused, LoopwrightError where it does not train.
    """
    names = known_checks(only)
    with workplace(keep) as directory:
        found: list[Check] = []

        def begins(run: str) -> None:
            watch(run, len(found), len(names))

        space = Workspace(experiment.resolved().check(), origin, directory, seed, search, begins)
        steps = space.steps
        for name in names:
            begins(name)
            found.append(carried_out(name, space))
        result = Audit(experiment.name, steps, seed, tuple(found), directory)
        if not keep and not result.broken:
            rmtree(directory)
        return result


def named(name: str, steps: int | None = None) -> tuple[Experiment, Origin]:
    """The experiment called `name`, shortened, to `steps` if that is given; and where it comes from.

    Raises UsageError where there is none of that name, or it is a study.
    """
    entry = find(name)
    made = entry.make()
    if isinstance(made, Study):
        raise UsageError(f"experiment {name!r}: is a study; name an experiment of one run")
    whole = replace(made, name=entry.name)
    short = shortened(whole) if steps is None else shortened(replace(whole, steps=steps), {"steps"})
    return short, Origin(entry.name, code_sha256=entry.sha256)


def carried_out(name: str, space: Workspace) -> Check:
    """One check; whatever of ours it fails with is its finding, unless it was stopped."""
    start = time.monotonic()
    how = (CHECKS[name].__doc__ or name).rstrip(".")
    try:
        finding = CHECKS[name](space)
    except Interrupted:
        raise
    except RunFailed as error:
        finding = Finding(how, "FAILED", str(error), further=f"log    {error.log}")
    except LoopwrightError as error:
        finding = Finding(how, "FAILED", str(error))
    return Check(name, finding, time.monotonic() - start)


def known_checks(only: Sequence[str]) -> list[str]:
    """The checks named, in the order of the table. Raises UsageError for a name that is none."""
    for name in only:
        if name not in CHECKS:
            raise UsageError(f"only {name!r}: not a check of an audit, {nearest(name, CHECKS)}")
    return [name for name in CHECKS if name in only or not only]


@contextmanager
def workplace(keep: Path | None) -> Iterator[Path]:
    """An empty directory for the runs, `keep` or a temporary one.

    A temporary one is gone after any exception but a run's failure, whose log is in it.

    Raises UsageError where `keep` holds something already.
    """
    if keep:
        keep.mkdir(parents=True, exist_ok=True)
        if any(keep.iterdir()):
            raise UsageError(f"{keep}: is not empty; keep the runs in a new directory")
        yield keep.resolve()
        return
    directory = Path(tempfile.mkdtemp(prefix="loopwright-audit-"))
    try:
        yield directory
    except BaseException as error:
        if isinstance(error, RunFailed):
            error.add_note(f"runs   {directory} {DELETABLE}")
        else:
            rmtree(directory, ignore_errors=True)
        raise


def shortened(experiment: Experiment, given: Collection[str] = ()) -> Experiment:
    """`experiment` with few steps, evaluations and checkpoints in them, and an epoch's end where that is near.

    What is `given` (fields by name) stays as it is; `epochs` decides the number of steps as well.
    """
    cadence = experiment.cadence()
    if not {"steps", "epochs"} & set(given):
        wanted = max(STEPS, cadence.epoch + 4) if cadence.epoch <= MOST_STEPS else STEPS
        experiment = replace(experiment, steps=min(wanted, cadence.total))
    total = experiment.cadence().total
    if "eval_every" not in given:
        experiment = replace(experiment, eval_every=max(1, total * EVAL_EVERY // STEPS))
    if "save_every" not in given:
        experiment = replace(experiment, save_every=max(1, total * SAVE_EVERY // STEPS))
    return experiment
