"""`loopwright audit NAME`: prove the promises on an experiment of one's own."""

from __future__ import annotations

import os
import shutil
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from secrets import randbelow
from types import FrameType
from typing import NoReturn

from tqdm import tqdm

from loopwright.auditing import CHECKS, as_table, audit, ending, known_checks, shortened
from loopwright.cli.alone import refuse_workers
from loopwright.cli.parsing import parser
from loopwright.cli.train import AMP, by_name, overridden, reachable
from loopwright.config import parse_flags
from loopwright.core.experiment import Experiment
from loopwright.core.study import Study
from loopwright.errors import Interrupted, UsageError, counted
from loopwright.running.config import Origin

ABOUT = """\
Prove the promises on an experiment: a short version of it is run in many ways, each in fresh processes, and what comes
out is compared bit by bit with a run that was left alone. A study's first member is audited.

  loopwright audit digits-mlp
  loopwright audit path/to/file.py:function --only sigterm,sigkill --steps 100
  loopwright audit digits-cnn --precision bf16 --shards 8

Every flag of `loopwright train NAME` is known. Unless they say otherwise, a run has 24 steps (an epoch and four steps
where that is at most 100), and evaluates and saves in between. Exit code 1 where a check differs; its runs are
then kept; a directory /tmp/loopwright-audit-… may be deleted.

checks
"""


def run(arguments: list[str]) -> int:
    """Audit what the arguments describe; 1 where a promise does not hold."""
    texts = "\n".join(f"  {name:<14} {(check.__doc__ or '').strip()}" for name, check in CHECKS.items())
    options = parser("audit", ABOUT + texts, usage="loopwright audit NAME [--only CHECK,…] [any flag of train]")
    options.add_argument("--only", nargs="+", action="extend", default=[], metavar="CHECK", help="these alone")
    options.add_argument("--keep", type=Path, metavar="DIR", help="keep the runs, in a new directory")
    options.add_argument(
        "--audit-seed",
        type=int,
        metavar="N",
        help="after which steps runs are stopped (drawn, and printed); a kill's instant is not repeated",
    )
    options.add_argument("--quiet", action="store_true", help="no progress on stderr")
    name, rest = arguments[:1], arguments[1:]
    if not name:
        raise UsageError("audit: which experiment? `loopwright list` shows them; for example loopwright audit points")
    if name[0] in ("-h", "--help"):
        options.print_help()
        return 0
    refuse_workers("audit")
    if name[0].startswith("-"):
        raise UsageError("audit: the experiment's name comes first, as in loopwright audit digits-mlp")
    parsed, unknown = options.parse_known_args(rest)
    flags = [spelled for flag in unknown for spelled in (AMP if flag == "--amp" else [flag])]
    only = known_checks([name for names in parsed.only for name in names.split(",") if name])
    # `python -m loopwright` can import from the current directory; then its processes can as well.
    search = [entry for entry in sys.path[:1] if entry in ("", os.getcwd())]
    seed = randbelow(1_000_000) if parsed.audit_seed is None else parsed.audit_seed
    with Progress(quiet=parsed.quiet) as progress, stoppable():
        experiment, origin = subject(name[0], flags, progress)
        steps = counted(experiment.cadence().total, "step")
        progress.say(f"auditing {experiment.name}, {steps}; --audit-seed {seed}")
        found = audit(experiment, origin, only=only, seed=seed, keep=parsed.keep, search=search, watch=progress.begin)
    print(as_table(found, shutil.get_terminal_size((120, 24)).columns))
    print("\n".join(ending(found)))
    return 1 if found.broken else 0


def subject(name: str, flags: list[str], progress: Progress) -> tuple[Experiment, Origin]:
    """The experiment to audit, shortened where the flags do not say how long it is; and where it comes from."""
    made, origin = by_name(name)
    if isinstance(made, Study):
        first = made.members[0]
        origin = origin.of_member(first.name)
        progress.say(f"{name} is a study; its first member, {first.name}, is audited")
    else:
        first = made
    given = parse_flags(flags, first, aliases=reachable(first)) if flags else {}
    return shortened(overridden(first, flags), set(given)), origin


class Progress:
    """Which run of which check is made, on stderr: a live line on a terminal, plain lines elsewhere. A context."""

    def __init__(self, *, quiet: bool) -> None:
        self.quiet = quiet
        self.bar: tqdm[NoReturn] | None = None
        self.name = ""

    def say(self, line: str) -> None:
        """Print a line that stays."""
        if not self.quiet:
            tqdm.write(line, file=sys.stderr)

    def begin(self, name: str, number: int, total: int) -> None:
        """The check `name`, or a run of it, begins, after `number` of `total` checks."""
        if self.quiet or name == self.name:
            return
        self.name = name
        if not sys.stderr.isatty():
            self.say(f"{time.strftime('%H:%M:%S')}  {number}/{total}  {name}")
            return
        if self.bar is None:
            self.bar = tqdm(total=total, file=sys.stderr, leave=False, bar_format="{n}/{total} |{bar:16}| {desc}")
        self.bar.update(number - self.bar.n)
        self.bar.set_description_str(name)

    def __enter__(self) -> Progress:
        return self

    def __exit__(self, *exception: object) -> None:
        if self.bar is not None:
            self.bar.close()


@contextmanager
def stoppable() -> Iterator[None]:
    """SIGTERM and Ctrl-C end what runs inside by an exception, so that its processes and files go first."""

    def stop(number: int, frame: FrameType | None) -> NoReturn:
        for each in before:
            signal.signal(each, signal.SIG_IGN)  # a second one would leave something behind
        raise Interrupted("audit: stopped, its processes were ended", number)

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
