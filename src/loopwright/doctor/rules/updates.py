"""Updates: how large they are, what they reach, and what the optimizer and its schedule were told."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable, Iterator
from itertools import pairwise
from typing import Any

from loopwright.doctor.finding import Finding
from loopwright.doctor.optimizers import Built, Held, patience
from loopwright.doctor.records import Step, together
from loopwright.doctor.rule import View, rule
from loopwright.errors import some

LARGE = 0.25
"""‖update‖ / ‖weights‖ above which a step overwrites what was learned; 1e-3 is usual, 0.1 happens in the first steps of
small networks."""
SMALL, SMALL_ADAM = 3e-6, 6e-5
THROWN = 10.0
USUAL_WEIGHT = 0.02
"""The root mean square that the smallest usual initialization has; what begins far below it does so on purpose."""
DECAYED = 1.5
"""Decoupled decay holds Adam's weights below its inverse, whatever the rate."""
GUESSED = 1.1
LEARNED = 0.1
NOTHING_LEFT = 0.95
"""Shares by which a loss has come down: enough to see that the optimizer works; so far that it has done its work."""
LEAST_EPS, MOST_EPS = 1e-3, 1e-2
LONG = 30
"""Whoever builds an optimizer anew after so many steps loses little: momentum has forgotten by then, and new data, or
another task, may be why."""


@rule("step", "lr-too-large")
def overwriting(view: View) -> Iterator[Finding]:
    """Updates of the size of the weights, and a loss that has not gone down, or has gone up far."""
    step = view.step
    if not step or step.number < 4:
        return
    recent = view.program.recent(step.held)
    early = [one for one in recent if one.number <= 24]
    ratios = [one.ratio for one in early if not math.isnan(one.ratio)]
    losses = [one.loss for one in recent if one.backwards or not math.isnan(one.loss)]
    if len(ratios) < 4 or len(losses) < 4 or min(losses) < 0:
        return
    first, now = losses[0], statistics.median(losses[-5:])
    ratio = statistics.median(ratios)
    chances = [s.chance for s in step.summaries if math.isfinite(s.chance)]
    guessing = max(chances, default=0.0)  # who began with less than that may come back to it, as beside a queue
    broke = not math.isfinite(now) or now > max(3 * first, GUESSED * guessing) + 1e-3
    high = ratio > LARGE and now > 0.95 * first and step.number >= 12
    # A loss that is no distance, as in reinforcement learning, may be small by chance and grow.
    grown = bool(step.summaries) or not math.isfinite(now) or now > 30 * (first + 1)
    if (ratio > LARGE and broke and grown) or high or (broke and grown and rising(losses) and ratio > 0.02):
        yield Finding(
            "error",
            "lr-too-large",
            f"updates are {ratio:.2g} of the weights' norm (median of the first {len(ratios)} steps; 1e-3 is usual), "
            f"the loss went from {first:.4g} to {now:.4g}; rate {step.rates[0] if step.rates else math.nan:g}",
            step.number,
            certainty=0.9 if broke else 0.8,
        )


@rule("step", "lr-too-large")
def thrown_away(view: View) -> Iterator[Finding]:
    """An update that is many times as large as what it moves, or would move at any usual size; weights that began at
    zero do not count."""
    step = view.step
    if not step or step.number > 8:
        return
    there = {n: norm for n, norm in step.weights.items() if norm > 1e-6 and step.sizes.get(n, 0) >= 16}
    ratios = [step.moves[n] / max(norm, USUAL_WEIGHT * step.sizes[n] ** 0.5) for n, norm in there.items()]
    if len(ratios) >= 2 and statistics.median(ratios) > THROWN:
        yield Finding(
            "error",
            "lr-too-large",
            f"the update of step {step.number} is {statistics.median(ratios):.3g} times as large as the weights "
            f"(median over {len(ratios)} parameters); rate {step.rates[0] if step.rates else math.nan:g}",
            step.number,
            certainty=0.86,
        )


def rising(losses: list[float]) -> bool:
    """Whether a loss rises step by step, as it does where a quadratic bowl is left."""
    pairs = list(pairwise(losses))
    return sum(not b <= a for a, b in pairs) >= 0.7 * len(pairs)


@rule("step", "lr-too-small", needs="20 steps")
def hardly_moving(view: View) -> Iterator[Finding]:
    """Updates far below what moves anything, at a constant rate, with gradients that are there."""
    step = view.step
    if not step or step.number not in (16, 20, 24):
        return
    early = [one for one in view.program.recent(step.held) if one.number <= 24]
    ratios = [one.ratio for one in early if one.ratio == one.ratio]
    rates = {rate for one in early for rate in one.rates}
    graded = any(norm for norm in step.norms.values())
    if len(ratios) < 12 or not graded or not rates or max(rates) <= 0:
        return
    constant = max(rates) <= 1.5 * min(rates)
    losses = [one.loss for one in early]
    flat = abs(statistics.mean(losses[-6:]) - statistics.mean(losses[:6])) < 0.05 * (abs(losses[0]) + 1e-9)
    nothing = statistics.median(ratios) < SMALL / 10
    moves = statistics.median(ratios) > 0 or max(rates) < 1e-6  # an update of 0 may have other reasons
    normalized = "Adam" in step.held.kind  # moves each weight by about the rate, however small the gradient
    if constant and (flat or nothing) and moves and statistics.median(ratios) < (SMALL_ADAM if normalized else SMALL):
        yield Finding(
            "error",
            "lr-too-small",
            f"updates are {statistics.median(ratios):.2g} of the weights' norm (1e-3 is usual) at a constant rate of "
            f"{max(rates):g}, and the loss stays at {losses[-1]:.4g}",
            step.number,
            certainty=0.85,
        )


@rule("step", "optimizer-rebuilt")
def rebuilt(view: View) -> Iterator[Finding]:
    """The same kind of optimizer, with the same settings, over the same parameters, for the third time.

    The second time is enough where both come from the same line, called from the same lines, and each made one step.
    """
    step = view.step
    built = view.program.notes.built
    if not step or len(built) < 2 or not step.remembers:
        return
    alike = [
        one
        for one in built
        if one.held.parameters == step.held.parameters
        and (one.held.kind, one.held.training) == (step.held.kind, step.held.training)
        and one.told == settings_of(built, step.held)
    ]
    restored = view.program.notes.restored
    stepped = [one for one in alike if one.held.start and id(one.held.optimizer()) not in restored]
    places = {one.place for one in stepped}
    in_a_loop = len(stepped) == 2 and len(places) == 1 and () not in places and all(o.held.steps == 1 for o in stepped)
    if len(stepped) >= 3 or in_a_loop:
        rarely = min(one.held.steps for one in stepped if one.held is not step.held) >= LONG
        yield Finding(
            "info" if rarely else "warning",
            "optimizer-rebuilt",
            f"{step.held.kind} was built {len(alike)} times over the same {len(step.held.parameters)} parameters with "
            f"the same settings, before steps {some([one.at + 1 for one in stepped], 4)}{at(stepped[-1].line)}",
            view.program.count,
            certainty=0.96,
        )


@rule("step", "optimizer-rebuilt")
def forgetful(view: View) -> Iterator[Finding]:
    """The optimizer's own count of its steps falls back."""
    step = view.step
    if not step or step.number < 4:
        return
    recent = [one for one in view.program.recent(step.held)[-6:] if one.memory == one.memory]
    began = {tuple(one.weights.values()) for one in recent}
    if len(began) < len(recent) or id(step.held.optimizer()) in view.program.notes.restored:
        return  # each task begins from the same weights
    falls = sum(later.memory <= earlier.memory for earlier, later in pairwise(recent))
    if falls >= 2 and step.memory < step.number - 1:
        yield Finding(
            "warning",
            "optimizer-rebuilt",
            f"after {step.number} steps {step.held.kind} remembers {step.memory:g}; its state was emptied {falls} "
            f"times in the last {len(recent)} steps that were looked at",
            step.number,
            certainty=0.9,
        )


def at(line: str) -> str:
    """Where something was done, if that is known."""
    return f", last at {line}" if line else ""


def settings_of(built: Iterable[Built], held: Held) -> dict[str, Any]:
    """What an optimizer was told when it was built."""
    return next((one.told for one in built if one.held is held), {})


@rule("step", "schedule-too-fast", needs="schedules")
@rule("end", "schedule-too-fast", needs="schedules")
def over_too_soon(view: View) -> Iterator[Finding]:
    """A schedule was through, and training went on for long."""
    for schedule in view.program.schedules.values():
        ended, made = schedule.ended_at, schedule.held.steps
        later = [one for one in view.program.schedules.values() if one.held is schedule.held and one.steps]
        if later and later[-1] is not schedule:
            continue  # another one has taken its place
        if ended is None or schedule.kind in ("ReduceLROnPlateau", "CosineAnnealingWarmRestarts", "CyclicLR"):
            continue
        endless = schedule.kind == "ExponentialLR" and schedule.held.progress > NOTHING_LEFT
        if made >= ended + patience(ended) and not endless:
            yield Finding(
                "warning",
                "schedule-too-fast",
                f"{schedule.kind} had run down by step {ended} (peak {schedule.rate.peak:g}), and training goes on at "
                f"step {made}; it was stepped {schedule.steps} times",
                made,
                certainty=0.85,
            )


@rule("end", "lr-too-small", needs="schedules")
def never_warm(view: View) -> Iterator[Finding]:
    """A schedule that was still rising when the program ended, far below the rate that it is made from."""
    for schedule in view.program.schedules.values():
        rising = 0 < schedule.reached <= schedule.rate.now * 1.001 and schedule.rate.falls == 0
        goes_on = view.program.resumable or any(
            one.held is not schedule.held and one.held.steps and one.held.parameters & schedule.held.parameters
            for one in view.program.notes.built
        )  # elsewhere, or with another optimizer
        learned = schedule.held.progress > LEARNED or schedule.held.progress < -LEARNED
        if (
            rising
            and not goes_on
            and not learned
            and schedule.steps >= WARMING
            and schedule.reached < COLD * schedule.base
        ):
            yield Finding(
                "warning",
                "lr-too-small",
                f"{schedule.kind} was still warming up when the program ended: after {schedule.steps} of its steps the "
                f"rate is {schedule.reached:.3g}, and should come to {schedule.base:.3g}",
                schedule.held.steps,
                certainty=0.8,
            )


WARMING, COLD = 60, 0.2
"""So many steps of a warm-up are no trial run; a rate below this share of what it should come to has hardly begun."""


@rule("step", "schedule-too-fast")
def run_down(view: View) -> Iterator[Finding]:
    """Without a scheduler of torch's: the rate has come down to nothing, and training goes on for long.

    Where optimizers take turns, those that wait have none."""
    step = view.step
    if not step or not step.rates or view.program.schedules:
        return
    since, peak = step.held.gone, step.held.rate.peak
    others = [held for held, _ in view.program.living() if held.returned and held is not step.held]
    waits = any(held.gone is None for held in others)
    if since is not None and peak > 0 and step.number >= since + patience(since) and not waits:
        yield Finding(
            "warning",
            "schedule-too-fast",
            f"the rate is {max(step.rates):g}, and was nothing at step {since} already (peak {peak:g}), and training "
            f"goes on at step {step.number}",
            step.number,
            certainty=0.85,
        )


@rule("step", "weight-decay-too-large", "optimizer-settings")
def told_wrong(view: View) -> Iterator[Finding]:
    """Constants far from any that work."""
    step = view.step
    if not step or step.number not in (1, 8, 12, 23, 24):
        return
    told = step.settings
    known = {name: float(value) for name, value in told.items() if isinstance(value, int | float)}
    decay = known.get("weight_decay", 0.0)
    rate = max([*step.rates, known.get("initial_lr", 0.0)], default=0.0)  # the peak, where there is a schedule
    built = [one.held for one in view.program.notes.built if one.held is not step.held and one.held.steps]
    anew = not any(held.parameters & step.held.parameters for held in built)  # else along a path of solutions
    if step.number in (8, 12) and decay > 0 and anew:
        yield from decaying(step, decay, rate)
    betas = [float(beta) for beta in told.get("betas") or () if isinstance(beta, int | float)]
    if step.number == 1 and len(betas) == 2:
        first, second = betas
        if second < 0.5 or first > 0.9995 or (second < first and second < 0.8):
            yield Finding("error", "optimizer-settings", f"betas are ({first:g}, {second:g})", 1, certainty=0.93)
    distance = bool(step.summaries)  # a loss that comes down where something is learned
    if step.number > 12 and distance and damped(step, known.get("eps", 0.0)) and step.held.progress <= LEARNED:
        said = f"eps is {known['eps']:g}, and the loss has not come down"
        yield Finding("warning", "optimizer-settings", said, step.number, certainty=0.8)
    if step.number == 1 and step.calls and known.get("momentum", 0.0) > 0.995:
        yield Finding("warning", "optimizer-settings", f"momentum is {known['momentum']:g}", 1, certainty=0.8)


def damped(step: Step, eps: float) -> bool:
    """Whether what Adam divides by is mostly `eps`: the root of the mean square of most gradients is below it."""
    if eps < LEAST_EPS or (eps <= MOST_EPS and "Adam" not in step.held.kind):  # 0.01 is usual with RMSprop
        return False
    means = [(norm or 0.0) / step.sizes[name] ** 0.5 for name, norm in step.norms.items() if step.sizes.get(name)]
    return eps > MOST_EPS or (bool(means) and statistics.median(means) < eps)


def decaying(step: Step, decay: float, rate: float) -> Iterator[Finding]:
    """Whether the decay of the weights outweighs what the gradients do."""
    decoupled = step.held.kind in ("AdamW", "FusedAdam", "NAdam", "RAdam")
    weights, gradient = together(step.weights.values()), step.gradient
    if decoupled:
        wrong = decay * rate > 5e-3 and decay >= DECAYED
        said = f"each step takes {decay * rate:.2%} of every weight away (weight decay {decay:g} times rate {rate:g})"
    else:
        wrong = decay >= 0.02 and decay * weights > 3 * gradient > 0
        said = (
            f"the decay term has {decay * weights / gradient if gradient else math.inf:.3g} times the gradient's norm"
        )
    if wrong:
        yield Finding("warning", "weight-decay-too-large", f"{said}", step.number, certainty=0.85)
