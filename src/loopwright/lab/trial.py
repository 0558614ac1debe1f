"""One training in memory, watched by the doctor: what its curves were, what was found, what became of it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from loopwright.checking import check_experiment
from loopwright.core.arithmetic import arithmetic
from loopwright.core.evaluate import evaluate
from loopwright.core.experiment import Experiment
from loopwright.core.loop import train
from loopwright.core.state import State
from loopwright.doctor.doctor import Doctor
from loopwright.doctor.finding import Finding, ranked
from loopwright.doctor.shield import Shield
from loopwright.errors import NonFiniteError
from loopwright.protocols import NoJournal, NoStore, StepReport

POINTS = 200
"""So many points of a curve are kept."""


@dataclass
class Trial:
    """`losses`, `norms`: (step, value) of training; `metrics`: (step, value) of the deciding metric on the validation
    split. `honest`: that metric of the last weights as the healthy task measures it. `checked`: what the checks before
    training found; `findings`: what the doctor said while it trained. `broke`: the exception that ended it, in a
    line."""

    seed: int
    losses: list[tuple[int, float]] = field(default_factory=list)
    norms: list[tuple[int, float]] = field(default_factory=list)
    metrics: list[tuple[int, float]] = field(default_factory=list)
    honest: float = math.nan
    checked: list[Finding] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    broke: str = ""

    @property
    def serious(self) -> list[Finding]:
        """What is of warning level or above, the most probable cause first."""
        return [finding for finding in ranked([*self.checked, *self.findings]) if finding.serious]

    @property
    def last(self) -> float:
        """The last metric, NaN where there is none."""
        return self.metrics[-1][1] if self.metrics else math.nan

    def as_dict(self) -> dict[str, Any]:
        """Plain values."""
        told = {name: [one.as_dict() for one in ranked(getattr(self, name))] for name in ("checked", "findings")}
        return {**asdict(self), **told}


class Curves(NoJournal):
    """A journal that keeps curves in memory."""

    def __init__(self, trial: Trial, metric: str) -> None:
        self.trial = trial
        self.metric = metric

    def step(self, report: StepReport) -> None:
        """Loss and gradient norm."""
        self.trial.losses.append((report.step, float(report.loss)))
        self.trial.norms.append((report.step, float(report.grad_norm)))

    def validation(self, step: int, epoch: int, metrics: Mapping[str, float]) -> None:
        """The deciding metric."""
        self.trial.metrics.append((step, float(metrics.get(self.metric, math.nan))))


def shortened(experiment: Experiment, steps: int | None) -> Experiment:
    """The experiment with at most `steps` steps and ten evaluations, on one CPU thread, nothing kept."""
    total = experiment.cadence().total
    total = min(total, steps or total)
    return replace(
        experiment,
        steps=total,
        eval_every=max(1, total // 10),
        save_every=None,
        patience=None,
        threads=1,
        device="cpu",
    )


def run_trial(experiment: Experiment, healthy: Experiment, seed: int, *, checks: bool) -> Trial:
    """Train `experiment` with `seed` under the doctor, with `checks` beforehand; `healthy` measures the result, too.

    What a fault raises belongs to the result.
    """
    trial = Trial(seed)
    experiment = replace(experiment, seed=seed).resolved()
    failures: dict[str, str] = {}
    with Shield("the run", failures):
        experiment.check()
        if checks:
            trial.checked = check_experiment(experiment).findings
        trained(experiment, healthy, trial)
    trial.broke = trial.broke or failures.get("the run", "")
    trial.losses, trial.norms = thinned(trial.losses), thinned(trial.norms)
    return trial


def trained(experiment: Experiment, healthy: Experiment, trial: Trial) -> None:
    """Fill in what comes of the training."""
    with arithmetic(experiment):
        doctor = Doctor()
        with doctor:
            state = State.create(experiment)
            try:
                train(experiment, state, journal=Curves(trial, experiment.metric), store=NoStore())
            except NonFiniteError as error:
                trial.broke = str(error).splitlines()[0]
                doctor.note([Finding("error", "non-finite", trial.broke, error.step, certainty=0.6)])
        trial.findings += doctor.findings
        if doctor.failures:
            trial.broke = f"the doctor failed: {doctor.failures}"
        failures: dict[str, str] = {}
        with Shield("honest", failures):  # a model that was broken may not fit the healthy data
            metrics = evaluate(healthy.task, state.average.module, "val", trial.seed)
            trial.honest = metrics.get(experiment.metric, math.nan)


def thinned(curve: list[tuple[int, float]]) -> list[tuple[int, float]]:
    """At most so many points, evenly."""
    return curve[:: max(1, len(curve) // POINTS)]
