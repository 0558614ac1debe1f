"""Where an audit's runs are made: each in a fresh process, with a config.toml of its own, below one directory."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from random import Random
from types import MappingProxyType

from loopwright.core.experiment import Experiment
from loopwright.errors import LoopwrightError, UsageError
from loopwright.files import write_text
from loopwright.processes import Ended, run_process
from loopwright.running.config import Origin, dump_config
from loopwright.running.runner import run_name
from loopwright.running.session import finished
from loopwright.values import read_json

FIRST_SECONDS = 3600.0
"""How long the first run, from which all other limits derive, may take."""
GRACE_SECONDS = 40.0
"""torchrun gives its workers 30 seconds before it kills them."""
USAGE = 2
TORCHRUN_USAGE = f"exitcode  : {USAGE} "
ENVIRONMENT = {
    "PYTHONSAFEPATH": "1",  # a file beside the user's, random.py say, is not Python's own
    "OMP_NUM_THREADS": "1",  # what torchrun would set for its workers alone
}
ALIKE: Mapping[str, str] = MappingProxyType({})


class RunFailed(LoopwrightError):
    """A process of the audit did not end as it was to; `log` is what it wrote."""

    def __init__(self, message: str, log: Path) -> None:
        super().__init__(message)
        self.log = log
        self.add_note(f"log    {log}")


class TaskError(RunFailed):
    """An exception that is none of ours, so the task's own, ended a run on one worker."""


@dataclass(frozen=True)
class Workspace:
    """One experiment, run in many ways below `directory`.

    `search` are more places to import it from. `begins` is told the name of each run.
    """

    experiment: Experiment
    origin: Origin
    directory: Path
    seed: int
    search: Sequence[str] = ()
    begins: Callable[[str], None] = lambda name: None

    @cached_property
    def baseline(self) -> Path:
        """The run that the others are compared with."""
        run, _ = self.timed_baseline
        return run

    @cached_property
    def seconds(self) -> float:
        """How long a run takes, with everything around it."""
        _, seconds = self.timed_baseline
        return seconds

    @cached_property
    def steps(self) -> int:
        """How many steps the baseline came to."""
        return int(read_json(self.baseline / "metrics.json")["steps"])

    @cached_property
    def timed_baseline(self) -> tuple[Path, float]:
        """The first run, and how long it took."""
        command = self.train_command("baseline", self.experiment)
        ended = self.run("baseline", command, limit=FIRST_SECONDS)
        return self.finished_run("baseline", ended, self.log("baseline")), ended.seconds

    def train(self, name: str, experiment: Experiment, workers: int = 0, strict: bool = False) -> Path:
        """Train `experiment` as the command line does; by torchrun with so many `workers`, if any. Its directory.

        Raises UsageError where it is refused, TaskError where the task itself fails on one worker, LoopwrightError
        where it fails otherwise or takes too long.
        """
        launch = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", str(workers)] if workers else []
        command = [*launch, *self.train_command(name, experiment)]
        limit, grace = self.limit * max(1, workers), GRACE_SECONDS if workers else 0
        environment = {"CUBLAS_WORKSPACE_CONFIG": ":4096:8"} if strict else {}
        ended = self.run(name, command, environment, limit=limit, grace=grace)
        return self.finished_run(name, ended, self.log(name))

    def resume(self, name: str) -> Path:
        """Go on with the run `name` in a fresh process, to its end."""
        command = ["-m", "loopwright", "resume", str(self.run_of(name)), "--quiet", *self.named]
        resumed = f"{name}-resumed"
        return self.finished_run(name, self.run(resumed, command, limit=self.limit), self.log(resumed))

    def trial(self, kind: str, name: str, experiment: Experiment, *options: str, expected: int = 0) -> Path:
        """Have `loopwright.auditing.trial` do one of its kinds with `experiment`; the path where it leaves something.

        Raises RunFailed where its exit code is not the `expected` one.
        """
        out = self.directory / name
        command = ["-m", "loopwright.auditing.trial", kind, str(self.config(name, experiment)), str(out)]
        ended = self.run(name, [*command, *self.named, *options], limit=self.limit)
        if ended.code != expected:
            raise RunFailed(ended.told, self.log(name))
        return out

    def run(
        self, name: str, command: Sequence[str], extra: Mapping[str, str] = ALIKE, *, limit: float, grace: float = 0
    ) -> Ended:
        """Run Python with `command`, what it writes beside the runs as `name`.out and `name`.err."""
        self.begins(Path(name).stem)
        search = os.pathsep.join([*self.search, *filter(None, [os.environ.get("PYTHONPATH")])])
        return run_process(
            [sys.executable, *command],
            output=self.directory / name,
            environment={**ENVIRONMENT, **extra, "PYTHONPATH": search},
            limit=limit,
            grace=grace,
        )

    def finished_run(self, name: str, ended: Ended, log: Path) -> Path:
        """The run `name`, which `ended`, whose stderr is in `log`, was to bring to its end.

        Raises UsageError for a refusal, TaskError for the task's own exception, RunFailed for any other end. The
        exit code alone does not tell: a shortened run may miss a claim, and torchrun has one code for everything.
        """
        if ended.code in (0, 1) and finished(self.run_of(name)):
            return self.run_of(name)
        if ended.code == USAGE or TORCHRUN_USAGE in ended.err:
            raise UsageError(ended.told)
        raise (TaskError if ended.raised else RunFailed)(ended.told, log)

    def log(self, name: str) -> Path:
        """What the process `name` writes on stderr."""
        return self.directory / Path(name).with_suffix(".err")

    def train_command(self, name: str, experiment: Experiment) -> list[str]:
        """`loopwright train` of `experiment`, below the directory `name`."""
        config = self.config(name, experiment)
        return ["-m", "loopwright", "train", "--config", str(config), *self.run_dir(name), "--quiet", *self.named]

    def config(self, name: str, experiment: Experiment) -> Path:
        """`experiment` written down for the processes."""
        path = self.directory / f"{name}.toml"
        write_text(path, dump_config(experiment, self.origin))
        return path

    def run_dir(self, name: str) -> list[str]:
        """The flag for where the runs `name` are kept."""
        return ["--run-dir", str(self.directory / name)]

    def run_of(self, name: str) -> Path:
        """Where the run that is made as `name` lies, or would."""
        return self.directory / name / run_name(self.experiment.name) / "001"

    @property
    def named(self) -> list[str]:
        """The flag that names the experiment again, which one's own code needs."""
        return ["--experiment", self.origin.experiment]

    @property
    def limit(self) -> float:
        """How long any process but the first may take."""
        return 60 + 10 * self.seconds

    def random(self, check: str) -> Random:
        """Random numbers that belong to a check and the audit's seed."""
        return Random(f"{check} {self.seed}")
