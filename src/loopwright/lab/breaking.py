"""Breaking an experiment with each of several faults, over matched seeds."""

from __future__ import annotations

import multiprocessing
import statistics
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from typing import Any

import torch

from loopwright.core.experiment import Experiment
from loopwright.core.study import Study
from loopwright.doctor.finding import Finding, ranked
from loopwright.errors import UsageError
from loopwright.faults.fault import Fault
from loopwright.faults.registry import find_fault
from loopwright.lab.biting import worse_by
from loopwright.lab.trial import Trial, run_trial, shortened
from loopwright.running.registry import find
from loopwright.significance import LEVEL, least_pairs, sign_flip

Begin = Callable[[str], None]


@dataclass(frozen=True)
class Job:
    """One training: of the experiment called `reference`, with the fault of that name (none: healthy) and a seed."""

    reference: str
    fault: str | None
    seed: int
    steps: int | None
    checks: bool


@dataclass(frozen=True)
class Broken:
    """A fault in an experiment: its trials, those of the healthy twin, and what came of them.

    `since`: the step at which it is at work first.
    """

    fault: Fault
    healthy: list[Trial]
    trials: list[Trial]
    larger_is_better: bool
    since: int = 1

    @property
    def p(self) -> float:
        """The p value of "the broken runs are worse": by the task's own measure or by the healthy one's."""
        values = []
        for healthy, broken in (
            ([t.last for t in self.healthy], [t.last for t in self.trials]),
            ([t.honest for t in self.healthy], [t.honest for t in self.trials]),
        ):
            values.append(sign_flip(worse_by(healthy, broken, larger_is_better=self.larger_is_better)))
        return min(values)

    @property
    def bites(self) -> bool:
        """Whether the runs are worse, beyond chance; with fewer than five seeds that cannot be told."""
        return self.p <= LEVEL

    @property
    def said(self) -> list[Finding]:
        """What the doctor said: the checks, which are made once, and the findings of all trials."""
        return ranked([*self.trials[0].checked, *(finding for trial in self.trials for finding in trial.findings)])

    @property
    def serious(self) -> list[Finding]:
        """Of what was said, warnings and errors."""
        return [finding for finding in self.said if finding.serious]

    def named_in(self, trial: Trial) -> bool:
        """Whether a trial's first cause is a right one; a trial without checks of its own has those of the first."""
        said = ranked([*self.trials[0].checked, *trial.findings])
        first = next((finding for finding in said if finding.serious), None)
        return first is not None and first.cause in self.fault.causes

    @property
    def named(self) -> float:
        """The share of trials in which the first cause is a right one."""
        return statistics.mean(self.named_in(trial) for trial in self.trials)

    @property
    def step(self) -> int | None:
        """The step at which a right cause was named first; 0 before training, None where it never was."""
        steps = [finding.step for finding in self.serious if finding.cause in self.fault.causes]
        return min(steps, default=None)

    @property
    def latency(self) -> int | None:
        """The number of steps from the one at which the fault is at work first to the end of that at which a right
        cause was named; 0 before training, None where it never was."""
        return None if self.step is None else max(0, self.step - self.since + 1) if self.step else 0

    @property
    def state(self) -> str:
        """What the fault did, in words: with few seeds no test can say that it bites."""
        if self.bites:
            return "bites"
        if len(self.trials) < least_pairs():
            return f"needs {least_pairs()} seeds to be judged"
        return "shows in the structure only" if self.named else "does no harm here"


@dataclass(frozen=True)
class Lab:
    """All that was tried on one experiment; `skipped` has the faults that cannot be made there."""

    name: str
    metric: str
    steps: int
    broken: list[Broken]
    skipped: list[str]
    healthy: list[Trial]

    @property
    def false_alarms(self) -> list[Finding]:
        """What the doctor said of the healthy twin."""
        return ranked([finding for trial in self.healthy for finding in trial.serious])

    def as_dict(self) -> dict[str, Any]:
        """Plain values."""
        return {
            "experiment": self.name,
            "metric": self.metric,
            "steps": self.steps,
            "skipped": self.skipped,
            "healthy": [trial.as_dict() for trial in self.healthy],
            "faults": [
                {
                    "fault": one.fault.name,
                    "number": one.fault.number,
                    "causes": list(one.fault.causes),
                    "p": one.p,
                    "bites": one.bites,
                    "named": one.named,
                    "step": one.step,
                    "since": one.since,
                    "said": [finding.cause for finding in one.serious],
                    "trials": [trial.as_dict() for trial in one.trials],
                }
                for one in self.broken
            ],
        }


def break_experiment(
    reference: str,
    faults: Sequence[str],
    *,
    seeds: int = 5,
    steps: int | None = None,
    jobs: int = 1,
    begin: Begin = lambda name: None,
) -> Lab:
    """Train the experiment called `reference` with each of `faults`, and without any, for each of `seeds` seeds.

    At most `steps` steps (the experiment's own number where None), in `jobs` processes. `begin` is told of each
    training that is over. Raises UsageError for unknown names, and for a study.
    """
    experiment = healthy_of(reference)
    known = {name: find_fault(name) for name in faults}
    applicable = [name for name, fault in known.items() if fault.applies(experiment)]
    small = shortened(experiment, steps)
    since = {name: known[name].since(small) for name in applicable}
    names = [None, *applicable]
    work = [Job(reference, name, seed, steps, checks=seed == 0) for name in names for seed in range(seeds)]
    trials: dict[str | None, list[Trial]] = {}
    for job, trial in zip(work, carried_out(work, jobs), strict=True):
        trials.setdefault(job.fault, []).append(trial)
        begin(f"{job.fault or 'healthy'} (seed {job.seed})")
    return Lab(
        name=reference,
        metric=experiment.metric,
        steps=small.cadence().total,
        broken=[Broken(known[n], trials[None], trials[n], experiment.mode == "max", since[n]) for n in applicable],
        skipped=[name for name in known if name not in applicable],
        healthy=trials[None],
    )


def healthy_of(reference: str) -> Experiment:
    """The experiment as it is. Raises UsageError for a study."""
    made = find(reference).make()
    if isinstance(made, Study):
        raise UsageError(f"{reference} is a study of several experiments; break one of them")
    return made


def carried_out(work: Sequence[Job], jobs: int) -> Iterator[Trial]:
    """The trials, in their order."""
    if jobs <= 1:
        yield from map(do, work)
        return
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(jobs, mp_context=context, initializer=torch.set_num_threads, initargs=(1,)) as pool:
        yield from pool.map(do, work)


def do(job: Job) -> Trial:
    """Carry out one job."""
    healthy = shortened(healthy_of(job.reference), job.steps)
    # What is broken gets a task of its own: the healthy one must still measure it.
    broken = shortened(healthy_of(job.reference), job.steps)
    if job.fault is not None:
        broken = find_fault(job.fault).inject(broken)
    return run_trial(broken, healthy, job.seed, checks=job.checks)
