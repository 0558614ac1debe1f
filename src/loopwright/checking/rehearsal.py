"""The first steps, done under the doctor; and one batch, learned by heart."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator

from loopwright.checking.check import NotApplicableError, Told, check
from loopwright.checking.subject import Subject
from loopwright.core.evaluate import evaluate
from loopwright.core.experiment import Cadence
from loopwright.core.loop import train_step
from loopwright.doctor.doctor import Doctor
from loopwright.doctor.finding import Finding
from loopwright.errors import NonFiniteError

STEPS = 24
NEAR = 0.15
BY_HEART = 80
SECONDS = 4.0


@check("the first steps under the doctor")
def rehearse(subject: Subject, told: Told) -> Iterator[Finding]:
    """Order of calls, modes, gradients, updates, shapes, masks: everything that the doctor sees in two dozen steps and
    two evaluations."""
    experiment = subject.experiment
    cadence, broke = experiment.cadence(), ""
    steps = min(STEPS, cadence.total)
    with Doctor() as doctor:
        state = subject.state()
        state.model.train()
        try:
            for number, shards in zip(range(steps), subject.steps(), strict=False):
                train_step(experiment, state, cadence, shards)
                if number + 1 in (steps // 2, steps):
                    evaluate(experiment.task, state.model, "val", experiment.seed)
        except NonFiniteError as error:
            broke = str(error).splitlines()[0]
            doctor.note([Finding("error", "non-finite", broke, error.step, certainty=0.6)])
    for name, failure in doctor.failures.items():
        raise RuntimeError(f"{name}: {failure}")
    told.text = broke or f"{state.step} steps, {len(doctor.scene.program.phases)} evaluations"
    yield from doctor.ranked


@check("the first loss is that of guessing")
def initial_loss(subject: Subject, told: Told) -> Iterator[Finding]:
    """The loss of the first batch against what the experiment claims."""
    experiment = subject.experiment
    expected = experiment.expect.initial_loss
    if expected is None:
        raise NotApplicableError("the experiment does not say what its first loss should be")
    state = subject.state()
    state.model.train()
    try:
        reached = float(train_step(experiment, state, experiment.cadence(), next(subject.steps())).loss)
    except NonFiniteError:
        reached = math.nan
    told.text = f"{reached:.4g}, claimed {expected:.4g}"
    if not abs(reached - expected) <= NEAR * expected:
        yield Finding(
            "warning",
            "bad-init-scale",
            f"the first loss is {reached:.4g}; the experiment claims {expected:.4g}, that of guessing",
            0,
            certainty=0.5,
        )


@check("one batch can be learned by heart")
def by_heart(subject: Subject, told: Told) -> Iterator[Finding]:
    """The same batch again and again, at the full rate: the loss must fall."""
    experiment, state = subject.experiment, subject.state()
    state.model.train()
    shards, losses, began = next(subject.steps()), list[float](), time.perf_counter()
    cadence = Cadence(epoch=BY_HEART, total=BY_HEART, evaluation=BY_HEART, save=BY_HEART)
    try:
        while len(losses) < BY_HEART and time.perf_counter() - began < SECONDS:
            losses.append(float(train_step(experiment, state, cadence, shards).loss))
    except NonFiniteError:
        losses.append(math.nan)
    first, last = losses[0], min(losses[-5:])
    told.text = f"loss from {first:.4g} to {last:.4g} in {len(losses)} steps"
    up = max(losses) > 1.1 * first  # what goes up does not go too slowly
    if not last < 0.999 * first and first > 0:
        yield Finding(
            "info",
            "lr-too-large" if up else "lr-too-small",
            f"one batch, {len(losses)} times: the loss went from {first:.4g} to {last:.4g}",
            0,
            certainty=0.3,
        )
