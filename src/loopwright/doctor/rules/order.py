"""The order of calls within a step: zero_grad, backward, clip, step, schedule. Facts, decided in the first steps."""

from __future__ import annotations

import statistics
from collections.abc import Iterator
from itertools import combinations

import torch
from torch import Tensor

from loopwright.doctor.finding import Finding
from loopwright.doctor.measures import within_step
from loopwright.doctor.records import Step, Summary
from loopwright.doctor.rule import View, rule
from loopwright.errors import some

IDLE, SETTLED = 64, 8
"""So many backward passes with cleared gradients and no step, at once and at the end: that step will never come. Who
weighs parameters by their gradients first does so for an epoch, perhaps."""
APART = 4.0
"""Two means lie so many times as far apart as each varies, where they are of different sources."""
LABELS, NODES, MOST_SOURCES = 16, 64, 4


@rule("step", "no-zero-grad")
def never_cleared(view: View) -> Iterator[Finding]:
    """Gradients that lay there since before the optimizer's last step went into this one."""
    step = view.step
    if step and step.whole and step.number > 1 and not step.cleared and "backward" in step.order:
        if not any(step.norms.values()):
            return
        yield Finding(
            "error",
            "no-zero-grad",
            f"between step {step.number - 1} and step {step.number} of {step.held.kind} no gradient was cleared or "
            f"set to None; the order of calls is {' → '.join(step.order)}",
            step.number,
            certainty=0.98,
        )


@rule("step", "zero-before-step")
def cleared_too_early(view: View) -> Iterator[Finding]:
    """A backward pass, then the gradients are cleared, then the step: nothing is left for it."""
    step = view.step
    if not step or not step.whole or step.held.kind == "LBFGS":
        return
    last = [name for name in step.order if name in ("backward", "zero")]
    if last and last[-1] == "zero" and "backward" in last and step.norms and not any(step.norms.values()):
        yield Finding(
            "error",
            "zero-before-step",
            f"the order of calls is {' → '.join(step.order)}: all {len(step.norms)} gradients are zero or None at the "
            "step",
            step.number,
            certainty=0.98,
        )


@rule("step", "zero-before-step")
def cleared_between(view: View) -> Iterator[Finding]:
    """Two losses of one forward pass go backward, and what the first one left is cleared before the second."""
    step = view.step
    if not step or not step.whole or step.number < 2 or step.held.kind == "LBFGS":
        return
    order = [name for name in step.order if name in ("backward", "zero", "other step")]
    order = order[len(order) - order[::-1].index("other step") :] if "other step" in order else order
    wiped = "backward" in order and "zero" in order[order.index("backward") :] and order[-1] == "backward"
    whole = sum(step.values[:-1])  # what was looked at one by one goes backward together at the end
    one_forward = len(step.calls) == 1 and len(step.backwards) >= 2 and abs(step.values[-1] - whole) > 1e-3 * abs(whole)
    for_inputs = any(tensor.requires_grad and tensor.is_leaf for call in step.calls for tensor in call.inputs)
    together = step.backwards and all(contains(step.backwards[-1].loss, b.loss) for b in step.backwards[:-1])
    if (
        wiped
        and one_forward
        and not for_inputs
        and not step.edited
        and not together
        and len({id(b.loss) for b in step.backwards}) > 1
    ):
        yield Finding(
            "error",
            "zero-before-step",
            f"the order of calls is {' → '.join(step.order)}: of {len(step.backwards)} losses of one forward pass only "
            "what came after the last clearing reaches the step",
            step.number,
            certainty=0.97,
        )


def contains(whole: Tensor, part: Tensor) -> bool:
    """Whether a loss was computed of another one."""
    waiting, seen = [whole.grad_fn], set[object]()
    while waiting and len(seen) < NODES:
        node = waiting.pop()
        if node is part.grad_fn:
            return True
        if node is not None and node not in seen:
            seen.add(node)
            waiting += [before for before, _ in node.next_functions]
    return False


@rule("step", "zero-before-step", needs="modules")
def task_cleared(view: View) -> Iterator[Finding]:
    """Passes for several tasks in a step, gradients cleared between them: parts that the first ones ran have none."""
    step = view.step
    if not step or step.number not in (2, 4) or not step.whole or "other step" in step.order or step.edited:
        return
    order = [name for name in step.order if name in ("backward", "zero")]
    lost: list[str] = []
    for module in {id(call.module): call.module for call in step.calls if call.wiped}.values():
        mine, anatomy = [call for call in step.calls if call.module is module], view.scene.anatomy(module)
        before = set().union(*(call.ran for call in mine if call.wiped))
        after = set().union(*(call.ran for call in mine if not call.wiped))
        known = {name: anatomy.owners[number] for number, name in anatomy.names.items()}
        lost += [name for name in known if known[name] in before - after and step.norms.get(name, 1.0) is None]
    if lost and "backward zero backward" in " ".join(order):
        yield Finding(
            "error",
            "zero-before-step",
            f"the order of calls is {' → '.join(step.order)}: gradients of earlier passes are cleared before the step, "
            f"and {some(sorted(lost), 4)} have none",
            step.number,
            certainty=0.97,
        )


@rule("call", "no-step", needs="modules")
@rule("end", "no-step", needs="modules")
def never_stepped(view: View) -> Iterator[Finding]:
    """Backward passes and an optimizer, and no step; nor does another optimizer move its parameters."""
    program = view.program
    if view.call and (program.count or within_step()):  # within a closure; or another one is at work
        return
    least = IDLE if view.call else SETTLED
    for held in program.held.values():
        optimizer = held.optimizer()  # gone, at the end, with the function that built it
        if held.parameters <= program.trained and (optimizer or program.count):
            continue
        if view.call and held.parameters <= program.notes.loaded.keys():
            continue  # what was learned before is looked at first, sample by sample perhaps
        backwards, cleared = held.order.count("backward"), held.order.count("zero")
        groups = optimizer.param_groups if optimizer else []
        got = any(p.grad is not None for group in groups for p in group["params"])
        if held.steps == 0 and backwards >= least and (cleared >= least // 2 or backwards > 64) and (got or cleared):
            yield Finding(
                "error",
                "no-step",
                f"{backwards} backward passes, gradients cleared {cleared} times, and {held.kind}.step() never called",
                held.steps,
                certainty=0.97,
            )


@rule("step", "clip-after-step", needs="clips")
def clipped_too_late(view: View) -> Iterator[Finding]:
    """Clipping comes after the step that it was for: no backward pass between the step before and the clip."""
    step = view.step
    if not step or not step.whole or step.number < 2 or "clip" not in step.order:
        return
    first_clip = step.order.index("clip")
    if "backward" not in step.order[:first_clip] and "clip" not in step.order[first_clip + 1 :]:
        yield Finding(
            "error",
            "clip-after-step",
            f"after step {step.number - 1}: {' → '.join(step.order)}; the gradients that step {step.number} uses are "
            "not clipped",
            step.number,
            certainty=0.97,
        )


@rule("step", "clip-before-unscale", needs="scaler")
def clipped_while_scaled(view: View) -> Iterator[Finding]:
    """The norm is that of gradients times the scale."""
    step = view.step
    if step and step.clip_scaled:
        yield Finding(
            "error",
            "clip-before-unscale",
            f"the order of calls is {' → '.join(step.order)}, with no unscale before clip",
            step.number,
            certainty=0.97,
        )


@rule("step", "scaler-misuse", needs="scaler")
def scale_never_updated(view: View) -> Iterator[Finding]:
    """`scaler.step` without `scaler.update`."""
    counts = view.program.notes.scaler
    if counts.get("step", 0) >= 3 and counts.get("update", 0) == 0:
        yield Finding(
            "error",
            "scaler-misuse",
            f"scaler.step() was called {counts['step']} times, scaler.update() never",
            view.program.count,
            certainty=0.96,
        )
    scaled, stepped = counts.get("scale", 0), counts.get("step", 0)
    if scaled >= 3 and stepped == 0 and view.program.count >= 3:
        yield Finding(
            "error",
            "scaler-misuse",
            f"the loss was scaled {scaled} times and scaler.step() never called: the optimizer steps with scaled "
            "gradients",
            view.program.count,
            certainty=0.96,
        )


@rule("step", "schedule-before-step", needs="schedules")
def scheduled_too_early(view: View) -> Iterator[Finding]:
    """A scheduler was stepped before the optimizer's first step."""
    for schedule in view.program.schedules.values():
        if schedule.before == 1:  # more are a resumed schedule's way to where it was
            yield Finding(
                "warning",
                "schedule-before-step",
                f"{schedule.kind}.step() was called before the first step of its optimizer: the first rate is skipped",
                1,
                certainty=0.9,
            )


@rule("step", "undivided-accumulation", needs="losses")
def accumulated_whole(view: View) -> Iterator[Finding]:
    """Several new batches, a backward pass of each whole mean loss, one step."""
    step = view.step
    if not step or not step.whole or len(step.backwards) < 2 or "LBFGS" in step.held.kind:
        return
    parts = [summary for summary in step.summaries if summary.counted]
    whole = [] if any(backward.scaled for backward in step.backwards) else means_of(step.values, parts)
    hashes = {call.hash for call in step.calls}
    kinds = {(s.kind, s.classes) for s in step.summaries}
    cleared_between = "zero" in step.order[step.order.index("backward") :]
    if len(whole) == len(step.backwards) == len(hashes) and len(kinds) == 1 and not cleared_between:
        one_model = len({id(call.module) for call in step.calls}) == 1
        batches = all(call.batch for call in step.calls) or len(step.backwards) == len(step.calls)
        if one_model and batches and previous_alike(view, len(whole)) and not several_sources(view, step):
            yield Finding(
                "warning",
                "undivided-accumulation",
                f"{len(whole)} backward passes of mean losses over different batches for one step, each loss whole: "
                f"the gradient is {len(whole)} times that of their mean",
                step.number,
                certainty=0.85,
            )


def several_sources(view: View, step: Step) -> bool:
    """Whether the parts of a step are terms of a sum: the same labels are asked for, inputs are of other shapes, labels
    have nothing in common, or inputs have another mean, step after step, as of two domains, or of new samples and a
    memory."""
    count, asked = len(step.calls), [loss.target for loss in step.kept_losses if loss.target.numel() >= LABELS]
    if not 2 <= count <= MOST_SOURCES:
        return False
    if len({call.shape for call in step.calls}) == count:
        return True
    if len(asked) == count and all(torch.equal(asked[0], other) for other in asked[1:]):
        return True
    kinds = [set(target.unique().tolist()) for target in asked if not target.is_floating_point()]
    if len(kinds) == count == 2 and not kinds[0] & kinds[1]:
        return True
    seen, by_step = view.program.notes.of(step.calls[0].module), dict[int, list[float]]()
    for at, of, stats in view.program.notes.stats["train"]:
        if of is seen:
            by_step.setdefault(at, []).append(stats.mean)
    places = list(zip(*(means for means in by_step.values() if len(means) == count), strict=True))
    if not places or len(places[0]) < 2:
        return False
    return any(
        abs(statistics.fmean(one) - statistics.fmean(other)) > APART * max(map(statistics.pstdev, (one, other)))
        for one, other in combinations(places, 2)
    )


def means_of(values: list[float], parts: list[Summary]) -> list[Summary]:
    """The parts, if what went backward are their mean losses; else none."""
    alike = len(values) == len(parts) and all(
        abs(value - own_mean(part)) <= 1e-4 * abs(value) + 1e-9 for value, part in zip(values, parts, strict=True)
    )
    return parts if alike else []


def own_mean(part: Summary) -> float:
    """The mean loss by the call's own options, label smoothing say, be it told to sum or to average."""
    summed = abs(part.value - part.mean) > 0.5 * abs(part.mean)
    return part.value / part.counted if summed else part.value


@rule("step", "ragged-accumulation", needs="losses")
def unequal_parts(view: View) -> Iterator[Finding]:
    """Means over micro-batches with unequal numbers of targets, each divided by how many micro-batches there are."""
    step = view.step
    if not step or not step.whole or step.number < 3:
        return
    recent = [one for one in view.program.recent(step.held)[-6:] if ragged(one)]
    sizes = {tuple(summary.counted for summary in one.summaries) for one in recent}
    if len(recent) >= 3 and (len(sizes) > 1 or len(step.summaries) > 2):  # else two sources, each of which counts alike
        counted = [summary.counted for summary in step.summaries]
        yield Finding(
            "warning",
            "ragged-accumulation",
            f"in {len(recent)} of the last 6 steps the mean losses of micro-batches with unequal numbers of targets "
            f"({', '.join(map(str, counted[:6]))}) were averaged: a target counts more where there are few",
            step.number,
            certainty=0.85,
        )


def ragged(step: Step) -> bool:
    """Whether a step averages means of parts of unequal size."""
    parts = [s for s in step.summaries if s.counted and s.kind in ("cross_entropy", "nll_loss")]
    values = step.values
    if (
        len(parts) < 2
        or len(values) != len(parts)
        or max(s.counted for s in parts) < 1.3 * min(s.counted for s in parts)
    ):
        return False
    return all(abs(value * len(parts) - s.mean) <= 1e-3 * abs(s.mean) for value, s in zip(values, parts, strict=True))


def previous_alike(view: View, count: int) -> bool:
    """Whether the step before had as many backward passes."""
    assert view.step is not None
    before = [step for step in view.program.recent(view.step.held) if step.number == view.step.number - 1]
    return bool(before) and before[0].order.count("backward") == count


@rule("step", "double-backward", needs="losses")
def twice_backward(view: View) -> Iterator[Finding]:
    """The same loss goes backward twice for one step."""
    step = view.step
    if not step or not step.whole:
        return
    losses = [id(backward.loss) for backward in step.backwards]
    twice = len(losses) - len(set(losses))
    if twice and "zero" not in step.order[step.order.index("backward") :]:
        yield Finding(
            "error",
            "double-backward",
            f"of {len(losses)} backward passes {twice} repeat an earlier one's loss: its gradient counts double",
            step.number,
            certainty=0.95,
        )
