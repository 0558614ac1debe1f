"""Every experiment at a size: which runs of it there are, what is left to be done, what came of it.

Runs are where `loopwright train` puts them, and found again by their configuration: a finished run of the same
configuration is not made again, whoever has made it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from loopwright.campaign.members import hold, holds, newest_run, over, share_done, to_do
from loopwright.campaign.pool import Job
from loopwright.core.experiment import Claim, Experiment
from loopwright.core.study import Study
from loopwright.journal.runs import FIRST_FILES, numbered
from loopwright.running.config import Origin, dump_config
from loopwright.running.runner import run_name
from loopwright.running.session import finished
from loopwright.running.studying import begin_study

ONE_THREAD = ("--threads", "1")
"""Each run has a thread, so that a machine's number of cores changes neither bits nor which runs are found again."""


@dataclass(frozen=True)
class Entry:
    """One experiment of the list: what is run of it, the `flags` that shorten it, what it claims then in the place of
    its own `claims`. `missing`: why it is left out, or nothing."""

    name: str
    summary: str
    made: Experiment | Study
    origin: Origin
    flags: tuple[str, ...] = ()
    claims: tuple[Claim, ...] = ()
    missing: str = ""

    @property
    def is_study(self) -> bool:
        """Whether there are several runs of it."""
        return isinstance(self.made, Study)

    @property
    def experiments(self) -> Sequence[Experiment]:
        """What is trained: the experiment, or the members of the study."""
        return self.made.members if isinstance(self.made, Study) else (self.made,)

    def find(self, root: Path) -> Path | None:
        """The newest run of this configuration below `root`, or the newest directory of the study."""
        parent = root / run_name(self.made.name)
        return next((run for run in reversed(numbered(parent)) if self.is_of(run)), None) if parent.is_dir() else None

    def is_of(self, run: Path) -> bool:
        """Whether a run directory is of this configuration."""
        if not all((run / name).is_file() for name in FIRST_FILES):
            return False
        if not isinstance(self.made, Study):
            return holds(run / "config.toml", dump_config(self.made.resolved(), self.origin))
        members = self.made.members
        configs = {f"{one.name}.toml": dump_config(one, self.origin.of_member(one.name)) for one in members}
        return hold(run / "members", configs)


def jobs(entry: Entry, root: Path, logs: Path, *, anew: bool) -> list[Job]:
    """What is left to be trained for an entry: its run, or each unfinished member of its study, which begins here."""
    run = None if anew else entry.find(root)
    if isinstance(entry.made, Study):
        directory = run or begin_study(entry.made, root, entry.origin)
        found = [(one, directory / "members" / f"{one.name}.toml") for one in entry.made.members]
        return [
            job(f"{entry.name}/{one.name}", arguments, logs, config.with_suffix(""), one)
            for one, config in found
            if (arguments := to_do(config))
        ]
    if run is None:
        arguments = ("train", entry.name, *entry.flags, *ONE_THREAD, "--run-dir", str(root), "--quiet")
    elif over(run):
        return []
    else:
        arguments = ("resume", str(run), "--quiet")
    return [job(entry.name, arguments, logs, root / run_name(entry.made.name), entry.made)]


def job(name: str, arguments: tuple[str, ...], logs: Path, folder: Path, experiment: Experiment) -> Job:
    """The job of one run whose directory is, or will be, the newest in `folder`."""
    total = experiment.cadence().total
    return Job(name, arguments, logs / f"{name.replace('/', '-')}.log", lambda: share_done(folder, total))


def conclusions(entries: Sequence[Entry], root: Path, logs: Path) -> list[Job]:
    """For each study whose members are all over, what draws its conclusion where that is not drawn yet."""
    found = []
    for entry in entries:
        directory = entry.find(root) if isinstance(entry.made, Study) and not entry.missing else None
        if directory is not None and not finished(directory) and all(map(over, member_runs(entry, directory))):
            found.append(Job(entry.name, ("resume", str(directory), "--quiet"), logs / f"{entry.name}.log"))
    return found


def member_runs(entry: Entry, directory: Path) -> list[Path | None]:
    """The newest run of each member of a study, None where there is none."""
    return [newest_run(directory / "members" / one.name) for one in entry.experiments]
