"""Updates: how large they are, what they reach, and what the optimizer and its schedule were told."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable, Iterator, Set
from itertools import pairwise
from typing import Any

from torch import nn

from loopwright.doctor.finding import Finding
from loopwright.doctor.measures import fingerprint
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


@rule("step", "missing-from-optimizer", "stale-optimizer", needs="modules")
def not_held(view: View) -> Iterator[Finding]:
    """Parameters that get gradients and are in no optimizer; and parameters in the optimizer that no model has."""
    step = view.step
    if not step or not step.kept:
        return
    everywhere = set().union(*(held.parameters for held, _ in view.program.living()))
    marks = view.program.notes.outside
    every = [p for call in step.kept for p in call.module.parameters()]
    fresh = {id(p): p for p in every if p.requires_grad and id(p) not in everywhere and id(p) not in marks}
    if fresh:
        marks.update({number: fingerprint(parameter) for number, parameter in fresh.items()})
        return
    for call in step.kept:
        anatomy = view.scene.anatomy(call.module)
        outside = [
            (anatomy.names[id(parameter)], parameter)
            for parameter in call.module.parameters()
            if parameter.requires_grad and id(parameter) not in everywhere and parameter.grad is not None
            if parameter.ndim  # a temperature may be set by hand
            if marks.get(id(parameter), fingerprint(parameter)) == fingerprint(parameter)  # else updated by hand
        ]
        inside = anatomy.names.keys() & everywhere
        before = view.program.notes.loaded.keys() | view.program.trained
        apart = call.training and not any(id(parameter) in before for _, parameter in outside)
        if not outside or shows(view, step.held, inside):
            continue
        names = [name for name, _ in outside]
        stale = [name for name, _ in orphans(view, step.held)]
        share = sum(p.numel() for _, p in outside) / max(1, sum(p.numel() for p in call.module.parameters()))
        if share > 0.5 and all(id(parameter) in before for _, parameter in outside):
            continue  # a new head on what was trained before
        if stale:
            yield Finding(
                "error",
                "stale-optimizer",
                f"{len(stale)} parameters of {step.held.kind} belong to no model that runs, and {some(names, 4)} of "
                f"{type(call.module).__name__} are in no optimizer",
                step.number,
                names[0],
                certainty=0.96,
            )
        elif inside or apart:
            yield Finding(
                "error",
                "missing-from-optimizer",
                f"{some(names, 4)} get gradients and are in no optimizer ({share:.1%} of the parameters of "
                f"{type(call.module).__name__})",
                step.number,
                names[0],
                certainty=0.95,
            )


@rule("step", "missing-from-optimizer", needs="modules")
def kept_in_a_list(view: View) -> Iterator[Finding]:
    """Layers that a model calls, get gradients, and are no part of it: kept in a plain list, say."""
    step = view.step
    if not step or step.number not in (2, 5):
        return
    everywhere = set().union(*(held.parameters for held, _ in view.program.living()))
    known = everywhere | view.program.notes.loaded.keys() | view.program.trained
    for call in step.kept:
        lost = [
            parameter
            for part in call.foreign
            for parameter in part.parameters(recurse=False)
            if parameter.requires_grad and parameter.grad is not None and id(parameter) not in known
        ]
        if lost and call.training:
            kinds = sorted({type(part).__name__ for part in call.foreign if list(part.parameters(recurse=False))})
            yield Finding(
                "error",
                "missing-from-optimizer",
                f"{type(call.module).__name__} calls layers ({some(kinds, 3)}) that are no part of it, as in a plain "
                f"list: their {len(lost)} parameters get gradients and are in no optimizer",
                step.number,
                type(call.module).__name__,
                certainty=0.95,
            )


def shows(view: View, held: Held, inside: Set[int]) -> bool:
    """Whether no weight of a model is trained, but something that belongs to no model and gets a gradient: an image."""
    optimizer, owned = held.optimizer(), view.scene.owned
    every = [p for group in optimizer.param_groups for p in group["params"]] if optimizer is not None else []
    return not inside and any(id(p) not in owned and p.grad is not None for p in every)


def orphans(view: View, held: Held) -> list[tuple[str, nn.Parameter]]:
    """What an optimizer holds that has no gradient and belongs to no module that was seen running."""
    optimizer = held.optimizer()
    if optimizer is None:
        return []
    known = view.scene.owned
    return [(name, p) for name, p in view.scene.named(optimizer) if id(p) not in known and p.grad is None]


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
        if rising and schedule.steps >= WARMING and schedule.reached < COLD * schedule.base:
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
    if not step or step.number not in (1, 8, 12):
        return
    told = step.settings
    known = {name: float(value) for name, value in told.items() if isinstance(value, int | float)}
    decay = known.get("weight_decay", 0.0)
    rate = max([*step.rates, known.get("initial_lr", 0.0)], default=0.0)  # the peak, where there is a schedule
    built = [one.held for one in view.program.notes.built if one.held is not step.held and one.held.steps]
    anew = not any(held.parameters & step.held.parameters for held in built)  # else along a path of solutions
    if step.number > 1 and decay > 0 and anew:
        yield from decaying(step, decay, rate)
    betas = [float(beta) for beta in told.get("betas") or () if isinstance(beta, int | float)]
    if step.number == 1 and len(betas) == 2:
        first, second = betas
        if second < 0.5 or first > 0.9995 or (second < first and second < 0.8):
            yield Finding("error", "optimizer-settings", f"betas are ({first:g}, {second:g})", 1, certainty=0.93)
    distance = bool(step.summaries)  # a loss that comes down where something is learned
    if step.number > 1 and distance and damped(step, known.get("eps", 0.0)) and step.held.progress <= LEARNED:
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
