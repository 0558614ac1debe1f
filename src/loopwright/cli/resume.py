"""`loopwright resume RUN`: go on from the newest good checkpoint."""

from __future__ import annotations

from pathlib import Path
from typing import get_args

from loopwright.campaign.sweep import is_sweep, open_sweep
from loopwright.cli.console import Console
from loopwright.cli.outcome import conclude
from loopwright.cli.parsing import parser
from loopwright.cli.sweep import finish
from loopwright.core.experiment import Parallel
from loopwright.core.group import joined
from loopwright.core.parallel import Workers
from loopwright.journal import open_run
from loopwright.journal.runs import located
from loopwright.running.runner import resume_run
from loopwright.running.session import Watchers
from loopwright.running.studying import is_study, refuse_studies, resume_study


def run(arguments: list[str]) -> int:
    """Resume a run, or every unfinished run of a study or sweep, on as many workers as `torchrun` has started."""
    with joined() as workers:
        return resume(arguments, workers)


def resume(arguments: list[str], workers: Workers) -> int:
    """What one of the workers does; the first talks."""
    options = parser("resume", "Go on with an interrupted run, with the same bits as if it had never stopped.")
    options.add_argument("run", type=Path, help="a run directory, runs/digits-cnn/latest say")
    options.add_argument("--experiment", help="names the experiment again where it is your own")
    options.add_argument(
        "--parallel", choices=get_args(Parallel), help="what workers hold from now on, see train --help"
    )
    options.add_argument("--jobs", type=int, default=1, metavar="N", help="of a sweep: so many runs at a time (1)")
    options.add_argument("--quiet", action="store_true", help="no progress on stderr")
    parsed = options.parse_all(arguments)
    first = workers.worker.rank == 0
    parsed.run = located(parsed.run)
    if is_sweep(parsed.run):
        refuse_studies(workers, str(parsed.run))
        return finish(open_sweep(parsed.run, parsed.experiment), max(1, parsed.jobs), quiet=parsed.quiet)
    with Console(quiet=parsed.quiet or not first) as console:
        watchers = Watchers(sinks=[console], say=console.say, begin=console.begin)
        if is_study(open_run(parsed.run)):
            refuse_studies(workers, str(parsed.run))
            directory = resume_study(parsed.run, watchers, parsed.experiment)
        else:
            directory = resume_run(parsed.run, watchers, parsed.experiment, workers=workers, parallel=parsed.parallel)
    return conclude(directory) if first else 0
