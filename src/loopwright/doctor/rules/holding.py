"""What no optimizer holds: parameters that get gradients and are never moved."""

from __future__ import annotations

from collections.abc import Iterator, Set

from torch import nn

from loopwright.doctor.finding import Finding
from loopwright.doctor.measures import fingerprint
from loopwright.doctor.optimizers import Held
from loopwright.doctor.rule import View, rule
from loopwright.errors import some


@rule("step", "missing-from-optimizer", "stale-optimizer", needs="modules")
def not_held(view: View) -> Iterator[Finding]:
    """Parameters that get gradients and are in no optimizer; and parameters in the optimizer that no model has."""
    step = view.step
    if not step or not step.kept:
        return
    living = [held for held, _ in view.program.living()]
    everywhere = set().union(*(held.parameters for held in living))
    working = set().union(*(held.parameters for held in living if at_work(view, held)))
    everywhere -= view.program.notes.frozen.keys() - working  # what was frozen since, and is no longer
    marks = view.program.notes.outside
    every = [p for call in step.kept for p in call.module.parameters()]
    for parameter in every:
        if not parameter.requires_grad and id(parameter) not in view.program.notes.frozen:
            view.program.notes.frozen.note(parameter)
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
        if not outside or shows(view, step.held, inside):
            continue
        before = view.program.notes.loaded.keys() | view.program.trained
        apart = call.training and not any(id(parameter) in before for _, parameter in outside)
        names = [name for name, _ in outside]
        stale = [name for name, _ in orphans(view, step.held)]
        share = sum(p.numel() for _, p in outside) / max(1, sum(p.numel() for p in call.module.parameters()))
        thawed = view.program.notes.frozen.keys() >= {id(parameter) for _, parameter in outside}
        if all(id(parameter) in before for _, parameter in outside) and not thawed:
            continue  # a new head on what was trained before, of which a part is left as it is
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


def at_work(view: View, held: Held) -> bool:
    """Whether an optimizer has made no step yet, or one since the optimizer of this step began, as far as was seen."""
    steps = [one.held for one in view.program.steps]
    mine = view.step.held if view.step else held
    since = steps[steps.index(mine) :] if mine in steps else []
    return not held.steps or held is mine or held in since


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
