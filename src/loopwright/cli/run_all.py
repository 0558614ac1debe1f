"""`loopwright run-all`: every experiment there is, and one page of results."""

from __future__ import annotations

import os
import time
from argparse import Namespace
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from signal import SIGINT, SIGTERM
from typing import get_args

from loopwright.campaign.everything import ONE_THREAD, Entry, conclusions, jobs, member_runs
from loopwright.campaign.members import wait_until_free
from loopwright.campaign.pool import Job, Watcher, carry_out
from loopwright.campaign.results import Results, check_free, row, write_results
from loopwright.campaign.sizes import Size, claims_of, flags_of
from loopwright.cli.alone import refuse_workers
from loopwright.cli.bar import Bar
from loopwright.cli.parsing import parser
from loopwright.cli.tables import table
from loopwright.cli.train import by_name, overridden
from loopwright.core.interrupt import Interrupt
from loopwright.core.study import Study
from loopwright.derived import HIDDEN, make_folder
from loopwright.errors import ConfigError, DataError, Interrupted, UsageError, counted, nearest
from loopwright.files import make_directory, try_writing
from loopwright.journal.lock import claim_run
from loopwright.processes import Ended
from loopwright.report.values import show_seconds
from loopwright.running.registry import entries

ABOUT = """\
Train every experiment of `loopwright list`, each run in a process and on a thread of its own, and write what was
claimed and what was reached to artifacts/results.md and results.html.

  loopwright run-all                  the small size: under 15 minutes on two cores
  loopwright run-all --size full      everything as it is
  loopwright run-all --only points,fsm-lengths

The runs are ordinary ones below runs/. What is finished with the same configuration is not done again, and a run that
was stopped goes on: the same command does what is left. Experiments whose data or packages are not here are left out,
with the reason. Exit code 1 where one missed its expectation.
"""
NO_FAILURE = (0, 1, 128 + SIGINT, 128 + SIGTERM, -SIGTERM)
"""Exit codes of a job that came to its end, with or without a claim that it missed, or that was told to stop."""
MISSED = "done; a claim is missed, or the doctor found an error"


def run(arguments: list[str]) -> int:
    """Train what is left, write the results, print them; 1 where one missed its expectation."""
    options = parser("run-all", ABOUT)
    options.add_argument("--size", choices=get_args(Size), default="small", help="how much of each (small)")
    options.add_argument("--jobs", type=int, metavar="N", help="runs at a time (as many as there are cores)")
    options.add_argument("--only", metavar="NAME,…", help="these experiments alone")
    options.add_argument("--run-dir", type=Path, default=Path("runs"), help="where runs are kept (runs)")
    options.add_argument("--out", type=Path, default=Path("artifacts"), help="where the results go (artifacts)")
    options.add_argument("--anew", action="store_true", help="train again what is finished, too")
    options.add_argument("--quiet", action="store_true", help="no progress on stderr")
    parsed = options.parse_all(arguments)
    at_once = os.cpu_count() or 1 if parsed.jobs is None else parsed.jobs
    if at_once < 1:
        raise UsageError(f"run-all: --jobs {parsed.jobs}: must be at least 1")
    refuse_workers("run-all")
    check_free(parsed.out)
    try_writing(parsed.out)
    found = [entry(name, parsed.size) for name in named(parsed.only)]
    results, places = carried_out(found, at_once, parsed, ("loopwright", "run-all", *arguments))
    show(results, places)
    return 0 if results.good else 1


def carried_out(
    found: Sequence[Entry], at_once: int, parsed: Namespace, command: tuple[str, ...]
) -> tuple[Results, tuple[Path, Path]]:
    """Train what is left of all entries, draw the conclusions of studies, write the results; those and their files.

    Raises Interrupted once what is done by then is written down, RunError where another run-all is at it.
    """
    root = parsed.run_dir
    make_directory(root)
    logs = (make_folder(root) or root / HIDDEN) / "run-all"
    make_directory(logs / "logs")
    with claim_run(logs, doing="trains every experiment there"):
        return trained(found, at_once, parsed, command, logs)


def trained(
    found: Sequence[Entry], at_once: int, parsed: Namespace, command: tuple[str, ...], logs: Path
) -> tuple[Results, tuple[Path, Path]]:
    """`carried_out`, once no other process is at it."""
    start, root, reasons = time.monotonic(), parsed.run_dir, dict[str, str]()
    here = [one for one in found if not one.missing]
    wait_until_free(folder for one in here for folder in folders(one, root))
    work = in_order([job for one in here for job in jobs(one, root, logs, anew=parsed.anew)], here)
    with Bar(len(work), quiet=parsed.quiet) as bar, Interrupt(bar.say) as interrupt:
        carry_out(work, at_once, interrupt, Watcher(telling(bar, reasons), bar.going))
        carry_out(conclusions(here, root, logs), at_once, interrupt, Watcher(remembering(reasons)))
        seconds = time.monotonic() - start if work and not interrupt.requested else None
        rows = tuple(row(one, None if one.missing else one.find(root), reasons) for one in found)
        results = Results(rows, parsed.size, command, seconds)
        places = write_results(results, parsed.out)
        if interrupt.requested:
            left = sum(one.verdict == "not done" for one in rows)
            message = f"stopped, {counted(left, 'experiment')} left to do; the same command goes on"
            raise Interrupted(message, interrupt.requested)
    return results, places


def named(only: str | None) -> list[str]:
    """The experiments that are meant. Raises UsageError for one that is unknown."""
    known = entries()
    wanted = [name for name in (only or "").split(",") if name]
    for name in wanted:
        if name not in known:
            raise UsageError(f"--only {name}: not known, {nearest(name, known)} `loopwright list` shows all")
    if only is not None and not wanted:
        raise UsageError(f"--only {only!r}: names no experiment; `loopwright list` shows all")
    return wanted or list(known)


def entry(name: str, size: Size) -> Entry:
    """One experiment at a size, each of its runs on one thread; with the reason where it cannot be run here."""
    made, origin = by_name(name)
    flags = flags_of(name, size)
    spoken = [*flags, *ONE_THREAD]
    if isinstance(made, Study):  # also where its members differ in what is shortened
        made = replace(made, members=tuple(overridden(member, spoken) for member in made.members))
    else:
        made = overridden(made, spoken)
    missing = ""
    try:
        for experiment in made.members if isinstance(made, Study) else [made]:
            experiment.resolved().check()
    except (ConfigError, DataError) as error:  # data that are not there, packages that are not installed
        missing = " ".join(str(error).split())
    return Entry(name, entries()[name].summary, made, origin, flags, claims_of(name, size), missing)


def in_order(work: list[Job], found: Sequence[Entry]) -> list[Job]:
    """The jobs, those with the most steps first, so that none of them is left alone at the end."""
    steps = {
        (f"{one.name}/{each.name}" if one.is_study else one.name): each.cadence().total
        for one in found
        for each in one.experiments
    }
    return sorted(work, key=lambda job: -steps[job.name])


def folders(one: Entry, root: Path) -> list[Path]:
    """Where runs of an experiment are that another process may still be saving."""
    directory = one.find(root)
    if directory is None:
        return []
    return [run.parent for run in member_runs(one, directory) if run] if one.is_study else [directory.parent]


def remembering(reasons: dict[str, str]) -> Callable[[Job, Ended], None]:
    """Notes what a job said last that did not come to its end."""

    def ended(job: Job, how: Ended) -> None:
        if how.code not in NO_FAILURE:
            reasons[job.name] = how.complaint

    return ended


def telling(bar: Bar, reasons: dict[str, str]) -> Callable[[Job, Ended], None]:
    """The same, and says it."""
    remember = remembering(reasons)

    def ended(job: Job, how: Ended) -> None:
        remember(job, how)
        stopped = "stopped" if how.code in NO_FAILURE else how.complaint
        came = "done" if how.code == 0 else MISSED if how.code == 1 else stopped
        bar.ended(f"{job.name}: {came} ({show_seconds(how.seconds)})")

    return ended


def show(results: Results, places: tuple[Path, Path]) -> None:
    """Print a line for each experiment, those that missed their expectation with the reason, and where to read on."""
    rows = [(one.name, one.verdict, one.time, ", ".join(one.findings) or one.reason[:60]) for one in results.rows]
    print(table([("experiment", "verdict", "time", ""), *rows], right=frozenset({2})))
    print(results.sentence)
    for place in places:
        print(place)
