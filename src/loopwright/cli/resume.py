"""`loopwright resume RUN`: go on from the newest good checkpoint."""

from __future__ import annotations

from pathlib import Path

from loopwright.cli.console import Console
from loopwright.cli.outcome import conclude
from loopwright.cli.parsing import parser
from loopwright.journal import open_run
from loopwright.running.runner import resume_run
from loopwright.running.session import Watchers
from loopwright.running.studying import is_study, resume_study


def run(arguments: list[str]) -> int:
    """Resume a run, or every unfinished run of a study."""
    options = parser("resume", "Go on with an interrupted run, with the same bits as if it had never stopped.")
    options.add_argument("run", type=Path, help="a run directory, runs/digits-cnn/latest say")
    options.add_argument("--experiment", help="names the experiment again where it is your own")
    options.add_argument("--quiet", action="store_true", help="no progress on stderr")
    parsed = options.parse_all(arguments)
    with Console(quiet=parsed.quiet) as console:
        watchers = Watchers(sinks=[console], say=console.say, begin=console.begin)
        resume = resume_study if is_study(open_run(parsed.run)) else resume_run
        directory = resume(parsed.run, watchers, parsed.experiment)
    return conclude(directory)
