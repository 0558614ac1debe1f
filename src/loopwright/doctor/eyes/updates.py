"""Optimizers, their steps, and schedules."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice
from traceback import walk_stack
from typing import Any
from weakref import ref

import torch
from torch import Tensor
from torch.optim import Optimizer

from loopwright.doctor.eyes.scene import Scene
from loopwright.doctor.measures import chosen, first_gradient, norms, settings
from loopwright.doctor.optimizers import NO_RATE, Built, Held, Start, patience, told_of
from loopwright.doctor.records import Step
from loopwright.doctor.summaries import summarized

CALLERS, ENTRIES = 200, 500
SIZED = 8
NUMBERS = (float, int)
HALF = (torch.bfloat16, torch.float16)


class Updates:
    """Listens to optimizers and schedulers; makes a Step of each step that is looked at."""

    def __init__(self, scene: Scene) -> None:
        self.scene = scene

    def built(self, optimizer: Optimizer, *_: Any) -> None:
        """An optimizer was built."""
        if self.scene.program.count:
            self.scene.began_again()
        self.adopt(optimizer, callers())

    def adopt(self, optimizer: Optimizer, place: tuple[tuple[str, int], ...] = ()) -> Held:
        """The record of an optimizer; `place`: where it was built."""
        notes, count = self.scene.program.notes, self.scene.program.count
        held = Held(ref(optimizer), type(optimizer).__name__, fresh=self.scene.stretch)
        held.hold(optimizer)
        earlier = last_over(held, notes.built)
        held.training = earlier.training if earlier else count
        notes.build(Built(held, count, settings(optimizer.param_groups[0]), place))
        self.scene.program.held[id(optimizer)] = held
        return held

    def before_step(self, optimizer: Optimizer, args: Any, kwargs: Any) -> None:
        """An optimizer is about to make a step: keep what it starts from."""
        if args[1:] or kwargs.get("closure"):
            return
        self.note_start(self.known(optimizer), optimizer)

    def note_start(self, held: Held, optimizer: Optimizer) -> None:
        """Keep what a step starts from: weights and gradients."""
        self.scene.pending[id(optimizer)] = [
            (name, parameter, parameter.detach().clone())
            for name, parameter in chosen(self.scene.named(optimizer))
            if type(parameter).__name__ != "DTensor"
        ]
        held.norms = {}
        lies = first_gradient(optimizer)
        held.cleared |= lies != held.place  # somebody has put other gradients there
        held.edited = lies != held.left
        held.place = lies
        present = [(name, p) for name, p, _ in self.scene.pending[id(optimizer)]]
        there = [(name, dense(p.grad)) for name, p in present if p.grad is not None]
        found = dict(zip((name for name, _ in there), norms([g for _, g in there]), strict=True))
        held.norms = {name: found.get(name) for name, _ in present}

    def known(self, optimizer: Optimizer) -> Held:
        """The record of an optimizer, made now where it was built before anybody looked."""
        held = self.scene.program.held.get(id(optimizer))
        if held is None or held.optimizer() is not optimizer:
            held = self.adopt(optimizer)
            held.fresh = False
        held.hold(optimizer)
        return held

    def after_step(self, optimizer: Optimizer, args: Any, kwargs: Any) -> None:
        """An optimizer has made a step."""
        program = self.scene.program
        program.count += 1
        held = self.known(optimizer)
        held.steps += 1
        step = self.record(held, optimizer)
        if step.rates and held.rated(max(step.rates)):
            self.look_again(held)
        self.scene.settle(program.count - 1)
        self.begun(held, step)
        for call in step.calls:
            if not call.wiped:
                program.notes.of(call.module).learn(call.taught)
            if call.batch and self.scene.last_batch[1] is not None:
                self.scene.last_batch[1].trains = True
        program.steps.append(step)
        self.scene.judge(step)
        step.calls, step.losses, step.backwards = [], [], []  # and with them their tensors
        held.fresh = True
        self.scene.forget()
        held.order, held.cleared, held.clip_scaled = [], False, False
        for other, _ in program.living():
            if other is not held:
                other.order.append("other step")
        self.scene.ended()

    def begun(self, held: Held, step: Step) -> None:
        """A step belongs to a training: to that of the last optimizer of these weights, or to one that begins anew."""
        held.losses.append(step.loss)
        if step.number > 1:
            return
        held.start = Start(step.loss, step.weights)
        notes = self.scene.program.notes
        earlier = last_over(held, [one for one in notes.built if one.held is not held])
        if earlier is not None and held.anew(earlier):
            held.training = self.scene.program.count
            for seen in notes.models.values():
                model = seen.model()
                if model is not None and not held.parameters.isdisjoint(self.scene.anatomy(model).names):
                    seen.rows.clear()  # these weights have seen nothing yet

    def unseen(self, held: Held, optimizer: Optimizer) -> None:
        """An optimizer has made a step of another rate, at which nobody looks; where that came down to nothing,
        somebody will."""
        held.order, groups = [], optimizer.param_groups
        rates = [group["lr"] for group in groups if type(group.get("lr")) in NUMBERS]
        if rates and len(rates) == len(groups) and held.rated(max(rates)):
            self.look_again(held)

    def look_again(self, held: Held) -> None:
        """The rate has come down to nothing: look when it can be told whether that was too soon."""
        self.scene.must_look_in((patience(held.steps) - 1) * self.scene.program.stepping)

    def record(self, held: Held, optimizer: Optimizer) -> Step:
        """The step that was just made."""
        before = self.scene.pending.pop(id(optimizer), [])
        names, moved = [name for name, _, _ in before], [old for _, _, old in before]
        weights = norms(moved)
        if moved:
            torch._foreach_sub_(moved, [parameter.detach() for _, parameter, _ in before])  # what was kept is ours
        moves = norms(moved)
        return Step(
            number=held.steps,
            held=held,
            order=[*held.order, "step"],
            calls=[call for call in self.scene.calls if call.flowed],
            losses=[loss for loss in self.scene.loss_calls if loss.flowed],
            backwards=list(self.scene.backwards),
            rates=rates_of(optimizer),
            settings={k: v for k, v in optimizer.param_groups[0].items() if k != "params"},
            norms=dict(held.norms),
            weights=dict(zip(names, weights, strict=True)),
            moves=dict(zip(names, moves, strict=True)),
            sizes={name: old.numel() for name, _, old in before},
            unmoved={
                name: unmoved(parameter, delta)
                for (name, parameter, _), delta in zip(before, moved, strict=True)
                if delta.dtype in HALF
            },
            clips=list(self.scene.clips),
            whole=held.fresh,
            cleared=held.cleared,
            clip_scaled=held.clip_scaled,
            edited=held.edited,
            loss=self.scene.backwards[-1].value if self.scene.backwards else float("nan"),
            memory=remembered(optimizer),
            values=[backward.value for backward in self.scene.backwards],
            summaries=[
                summarized(loss, self.scene.losses, held.steps <= SIZED)
                for loss in self.scene.loss_calls
                if loss.flowed
            ],
        )

    def scheduled(self, scheduler: Any, *_: Any) -> None:
        """A scheduler was stepped."""
        if getattr(scheduler, "_step_count", 2) <= 1:
            return  # that of the constructor
        optimizer = getattr(scheduler, "optimizer", None)
        if not isinstance(optimizer, Optimizer):
            return
        # Accelerate puts another optimizer around one; the groups are the same.
        living = self.scene.program.living()
        inner = next((held for held, one in living if one.param_groups is optimizer.param_groups), None)
        held = inner or self.known(optimizer)
        schedule = self.scene.program.schedule(scheduler, held)
        schedule.before += not held.steps and not self.scene.program.scalers
        schedule.steps, schedule.place = schedule.steps + 1, int(getattr(scheduler, "last_epoch", 0))
        rates = rates_of(optimizer)
        base = [float(rate) for rate in getattr(scheduler, "base_lrs", rates)]
        schedule.rate.peak = max([schedule.rate.peak, *rates, *base])
        schedule.base, schedule.reached = max(base, default=0.0), max([schedule.reached, *rates])
        if schedule.steps == 1:
            schedule.first, schedule.told = max(rates, default=0.0), told_of(vars(scheduler))
        over = getattr(scheduler, "last_epoch", 0) > getattr(scheduler, "T_max", float("inf"))
        over &= getattr(scheduler, "eta_min", 0.0) <= NO_RATE * schedule.rate.peak
        gone = bool(rates) and schedule.rate.down(max(rates)) and schedule.steps > 1
        if schedule.ended_at is None and (over or gone):
            schedule.ended_at = held.steps
        elif schedule.ended_at is not None and not over and not gone:
            schedule.ended_at = None
        held.order.append("schedule")


def unmoved(parameter: Tensor, delta: Tensor) -> float:
    """The share of a parameter's numbers that an update left as they were, of those that have a gradient."""
    wanted = torch.ones_like(delta, dtype=torch.bool) if parameter.grad is None else dense_like(parameter) != 0
    return float(((delta == 0) & wanted).sum() / wanted.sum().clamp(min=1))


def dense_like(parameter: Tensor) -> Tensor:
    """A parameter's gradient, with all of its numbers."""
    assert parameter.grad is not None
    return parameter.grad.to_dense() if parameter.grad.is_sparse else parameter.grad


def rates_of(optimizer: Optimizer) -> list[float]:
    """The learning rates of an optimizer's groups; some optimizers find theirs by themselves."""
    rates = [group.get("lr") for group in optimizer.param_groups]
    return [float(rate) for rate in rates if isinstance(rate, int | float | Tensor)]


def dense(gradient: Tensor) -> Tensor:
    """The numbers of a gradient; those that are there, of a sparse one."""
    return gradient.coalesce().values() if gradient.is_sparse else gradient


def callers() -> tuple[tuple[str, int], ...]:
    """File and line of every function that is being carried out, the innermost first."""
    return tuple((frame.f_code.co_filename, line) for frame, line in islice(walk_stack(None), CALLERS))


def last_over(held: Held, built: Iterable[Built]) -> Held | None:
    """The last optimizer before `held` that moved some of its weights."""
    over = [one.held for one in built if one.held.steps and not one.held.parameters.isdisjoint(held.parameters)]
    return over[-1] if over else None


def remembered(optimizer: Optimizer) -> float:
    """The number of steps that an optimizer's state speaks of; NaN where it does not count them."""
    if not isinstance(optimizer, Optimizer) or not hasattr(optimizer, "state"):
        return float("nan")
    entries = list(optimizer.state.values())[:ENTRIES]
    steps = [entry["step"] for entry in entries if isinstance(entry, dict) and "step" in entry]
    return max((float(step) for step in steps), default=float("nan"))
