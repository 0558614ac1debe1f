"""Gradients: where they do not come, vanish, grow, or are cut off."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterator, Set

from torch import nn

from loopwright.doctor.eyes.byhand import graph_leaves
from loopwright.doctor.finding import Finding
from loopwright.doctor.measures import place
from loopwright.doctor.probes import depends_on, lost_inside, switched_off
from loopwright.doctor.records import Step
from loopwright.doctor.rule import View, rule
from loopwright.errors import some

DEPTH = 5
VANISHED = 1e-4
CLIPPED_AWAY = 100.0
SUSPECTS = 8
"""So many weights are tried at most."""
ZEROED_AT = (2, 6, 12)
PART = "zero of a part"
WARM_UP = 30
"""A critic may be trained alone for so many steps."""
MOVING = 3e-4
USUAL_LIMIT = 0.1
"""A norm that people clip at on purpose. Adam divides what is left by its size again: how much was cut is the same."""
TABLES = nn.Embedding | nn.EmbeddingBag
BEGAN_AT_ZERO = 0.1
"""Weights this small, beside those of other layers, began at zero."""


@rule("step", "graph-cut", needs="modules", probes=True)
def cut(view: View) -> Iterator[Finding]:
    """A part that ran and is held by the optimizer gets no gradient, though what the loss saw depends on it.

    Where a switch of the model keeps it out, as while what comes behind warms up, that is on purpose."""
    step = view.step
    if not step or step.number not in (2, 8) or not step.whole:
        return
    missing = {name for name, norm in step.norms.items() if norm is None}
    if not missing:
        return
    for call in step.kept:
        anatomy = view.scene.anatomy(call.module)
        cut_off = [
            parameter
            for parameter in call.module.parameters()
            if parameter.grad is None
            and parameter.requires_grad
            and id(parameter) in step.held.parameters
            and anatomy.owners.get(id(parameter)) in call.ran
        ]
        cut_off = [parameter for parameter in cut_off if always_missing(view, step, anatomy.names[id(parameter)])]
        if cut_off and depends_on(call, cut_off) and not switched_off(call, cut_off):
            names = [anatomy.names[id(parameter)] for parameter in cut_off]
            yield Finding(
                "error",
                "graph-cut",
                f"{len(names)} parameters have no gradient after {step.number} backward passes: {some(names, 4)}",
                step.number,
                names[0].rpartition(".")[0] or type(call.module).__name__,
                probe="these parameters were changed for a moment: the output that the loss is taken from changed",
                certainty=0.96,
            )
    yield from cut_between(view, step)


@rule("step", "graph-cut")
def never_graded(view: View) -> Iterator[Finding]:
    """An optimizer makes steps, and none of its parameters has ever had a gradient."""
    step = view.step
    if not step or step.number not in (2, 8) or not step.whole or not step.norms:
        return
    recent = view.program.recent(step.held)
    none = all(norm is None for one in recent for norm in one.norms.values())
    last = [name for name in step.order if name in ("backward", "zero")]
    if none and len(recent) >= 2 and last and last[-1] == "backward":
        names = list(step.norms)
        yield Finding(
            "error",
            "graph-cut",
            f"{step.held.kind} made {step.number} steps, and none of its {len(names)} parameters ever had a gradient "
            f"({some(names, 3)}): no loss is connected with them",
            step.number,
            names[0].rpartition(".")[0],
            certainty=0.95,
        )


@rule("step", "graph-cut", needs="modules")
def sampled_without_graph(view: View) -> Iterator[Finding]:
    """What a model draws from a distribution that it learns goes on through the model, without a gradient back; nor is
    the sample's log_prob asked for."""
    step = view.step
    if not step or step.number not in (2, 4) or view.scene.likelihoods:
        return
    for call in step.calls:
        if call.sampled:
            yield Finding(
                "error",
                "graph-cut",
                f"{call.sampled} in {type(call.module).__name__} is given what Normal.sample() drew, which carries no "
                "graph: what draws it learns nothing from what becomes of it; rsample() does",
                step.number,
                type(call.module).__name__,
                certainty=0.92,
            )
            return


@rule("step", "graph-cut")
def unreached_likelihood(view: View) -> Iterator[Finding]:
    """A distribution was asked how probable something is, with a graph; what it comes from never gets a gradient."""
    step = view.step
    if not step or step.number < WARM_UP or not step.whole or not view.scene.likelihoods:
        return
    missing = {name for name, norm in step.norms.items() if norm is None and always_missing(view, step, name)}
    behind = {id(leaf) for value in view.scene.likelihoods for leaf in graph_leaves(value)}
    optimizer = step.held.optimizer()
    if not missing or len(missing) == len(step.norms) or optimizer is None:
        return
    names = [name for name, parameter in view.scene.named(optimizer) if name in missing and id(parameter) in behind]
    if names:
        yield Finding(
            "error",
            "graph-cut",
            f"log_prob was taken of what {some(names, 4)} put out, with a graph, and after {step.number} steps they "
            "have had no gradient: no loss is connected with it",
            step.number,
            names[0].rpartition(".")[0],
            certainty=0.93,
        )


def always_missing(view: View, step: Step, name: str) -> bool:
    """Whether a parameter has had no gradient in any of the optimizer's steps that were looked at, and nobody has moved
    it by hand."""
    known = [other for other in view.program.recent(step.held) if name in other.norms]
    moved = len({other.weights.get(name) for other in known}) > 1
    return not moved and all(other.norms.get(name) is None for other in known)


def cut_between(view: View, step: Step) -> Iterator[Finding]:
    """A module whose output another one takes up, without its graph."""
    others = [call for call in view.scene.calls if not call.flowed and call.grad]
    taken = {place(tensor) for call in step.kept for tensor in call.inputs}
    for call in others:
        held = [p for p in call.module.parameters() if p.requires_grad and id(p) in step.held.parameters]
        passes_on = any(place(tensor) in taken for tensor in call.outputs)
        if held and passes_on and all(p.grad is None for p in held):
            name = type(call.module).__name__
            yield Finding(
                "error",
                "graph-cut",
                f"{name} is trained by the same optimizer and gets no gradient in {step.number} steps; what it puts "
                "out reaches the loss through memory that carries no graph",
                step.number,
                name,
                certainty=0.93,
            )


@rule("step", "frozen", needs="modules")
def frozen(view: View) -> Iterator[Finding]:
    """Layers that do not require gradients, and were neither loaded nor trained, in an optimizer that holds them.

    A recurrent layer that stays as it is drawn may be a reservoir."""
    step = view.step
    if not step or step.number != 2:
        return
    for call in step.kept:
        anatomy = view.scene.anatomy(call.module)
        if any("lora" in name.lower() or "adapter" in name.lower() for name in anatomy.names.values()):
            continue
        found = [
            name
            for name, part in call.module.named_modules()
            if isinstance(part, nn.Linear | nn.modules.conv._ConvNd) and id(part) in call.ran
            if (weights := list(part.parameters(recurse=False)))
            and default(part)
            and not any(weight.requires_grad for weight in weights)
            and all(id(weight) in step.held.parameters for weight in weights)
            and not trained_before(view, weights)
        ]
        if found:
            yield Finding(
                "warning",
                "frozen",
                f"{len(found)} layers in the optimizer do not require gradients and hold the weights they were "
                f"initialized with: {some(found, 4)}",
                step.number,
                found[0],
                certainty=0.75,
            )


@rule("step", "frozen", needs="modules")
def thawed_in_name(view: View) -> Iterator[Finding]:
    """`module.requires_grad = True` gives the module an attribute; its parameters stay as frozen as they were."""
    step = view.step
    if not step or step.number not in (2, 5):
        return
    for call in step.kept:
        for name, part in call.module.named_modules():
            weights = list(part.parameters()) if id(part) in call.ran else []
            frozen_all = bool(weights) and not any(weight.requires_grad for weight in weights)
            if frozen_all and vars(part).get("requires_grad") is True and not own_flag(part):
                yield Finding(
                    "error",
                    "frozen",
                    f"{name or type(part).__name__}.requires_grad is True, which is an attribute of the module alone: "
                    f"its {len(weights)} parameters do not require gradients; say requires_grad_(True)",
                    step.number,
                    name,
                    certainty=0.95,
                )


def own_flag(part: nn.Module) -> bool:
    """Whether a kind of module has an attribute `requires_grad` of its own, from its constructor on."""
    code = getattr(type(part).__init__, "__code__", None)
    return code is not None and "requires_grad" in code.co_names


def default(layer: nn.Module) -> bool:
    """Whether a layer's weights may be those that torch draws: uniform, up to the inverse root of its inputs. Others
    were made on purpose: random features, filters, the corners of a simplex."""
    weight = layer._parameters.get("weight")
    if weight is None:
        return False
    bound: float = weight.detach()[0].numel() ** -0.5
    most = float(weight.detach().abs().max())
    return 0.6 * bound < most <= bound * (1 + 1e-4)


def trained_before(view: View, weights: list[nn.Parameter]) -> bool:
    """Whether weights were loaded, or moved by another optimizer before."""
    loaded = view.program.notes.loaded
    mine = view.step.held if view.step else None
    others = {i for one in view.program.notes.built if one.held is not mine for i in one.held.parameters}
    return any(id(weight) in loaded or id(weight) in others for weight in weights)


@rule("step", "zeroed-gradient", needs="modules", probes=True)
def zeroed(view: View) -> Iterator[Finding]:
    """Gradients of weights that are zero in each of the last steps, and that the model itself makes zero.

    Where it is the loss that has no use for them (a factor that grows from 0, a head that is asked seldom, a layer
    behind one that begins at zero), they come with time.
    """
    step = view.step
    if not step or step.number not in ZEROED_AT or not step.whole:
        return
    recent, wanted = view.program.recent(step.held)[-5:], min(5, step.number)
    zero = {name for name in step.norms if len(recent) == wanted and all(one.norms.get(name) == 0.0 for one in recent)}
    optimizer = step.held.optimizer()
    if not zero or len(zero) == len(step.norms) or optimizer is None:
        return
    names = {id(parameter): name for name, parameter in view.scene.named(optimizer) if name in zero}
    since = step.order[len(step.order) - step.order[::-1].index("backward") :] if "backward" in step.order else []
    if PART in since:
        yield Finding(
            "warning",
            "zeroed-gradient",
            f"the order of calls is {' → '.join(step.order)}: the gradients of {some(sorted(zero), 4)} were cleared",
            step.number,
            min(zero),
            certainty=0.9,
        )
        return
    for call in step.kept:
        suspects = [p for p in call.module.parameters() if p.ndim > 1 and id(p) in names]
        if lost := lost_inside(call, suspects[:SUSPECTS]):
            found = [names[id(parameter)] for parameter in lost]
            yield Finding(
                "warning",
                "zeroed-gradient",
                f"the gradients of {some(found, 4)} were exactly 0 in the last {wanted} steps",
                step.number,
                found[0],
                probe="changed a little, these weights change the output that the loss is taken from; and a gradient "
                "put in at that output is 0 when it comes to them",
                certainty=0.9,
            )


@rule("step", "clip-too-low", needs="clips")
def clipped_away(view: View) -> Iterator[Finding]:
    """Nearly all of every gradient is cut."""
    step = view.step
    if not step or step.number < 8:
        return
    clips = [clip for one in view.program.recent(step.held)[-12:] for clip in one.clips]
    excess = [norm / limit for norm, limit in clips if 0 < limit < (USUAL_LIMIT if step.scale_free else math.inf)]
    ratios = [one.ratio for one in view.program.recent(step.held)[-12:]]
    moves = not step.scale_free and statistics.median(ratios) > MOVING  # the limit is how long a step is to be
    if len(excess) >= 6 and not moves and min(excess) > CLIPPED_AWAY / 5 and statistics.median(excess) > CLIPPED_AWAY:
        norm, limit = clips[-1]
        yield Finding(
            "warning",
            "clip-too-low",
            f"in {len(excess)} steps of {len(excess)} the norm was {statistics.median(excess):.0f} times the limit "
            f"(median; last: {norm:.3g} cut to {limit:g})",
            step.number,
            certainty=0.8,
        )


@rule("step", "vanishing-gradients", needs="modules")
def vanishing(view: View) -> Iterator[Finding]:
    """From the last layer to the first the gradient loses four orders of magnitude."""
    step = view.step
    if not step or step.number not in (5, 12, 20) or not step.kept:
        return
    tables = [each for call in step.kept for each in call.module.modules() if isinstance(each, TABLES)]
    names = [view.scene.anatomy(call.module).names for call in step.kept]
    rows = {known[id(p)] for table in tables for p in table.parameters() for known in names if id(p) in known}
    profile = depth_profile(step, rows)
    if len(profile) < DEPTH:
        return
    # Queries and keys get little at first, values do not.
    first, last = max(profile[: 3 if len(profile) > 2 * 3 else 2]), statistics.median(profile[-2:])
    if last > 0 and 0 <= first < VANISHED * last:
        yield Finding(
            "warning",
            "vanishing-gradients",
            f"gradient norm over weight norm is {first:.2g} in the first layers and {last:.2g} in the last "
            f"of {len(profile)}",
            step.number,
            certainty=0.7,
        )


def depth_profile(step: Step, tables: Set[str]) -> list[float]:
    """Gradient norm over weight norm of each matrix that has both, from the first to the last layer; what began at zero
    is small beside any gradient, and of `tables` a few rows are asked for."""
    layers = [name for name, norm in step.norms.items() if norm and name.endswith("weight") and name not in tables]
    sizes = {name: step.weights.get(name, 0.0) / step.sizes[name] ** 0.5 for name in layers if name in step.sizes}
    usual = statistics.median(sizes.values()) if sizes else 0.0
    return [
        (step.norms[name] or 0.0) / step.weights[name]
        for name, size in sizes.items()
        if size > BEGAN_AT_ZERO * usual and "norm" not in name.lower()
    ]


@rule("step", "exploding-gradients", needs="modules")
def exploding(view: View) -> Iterator[Finding]:
    """The gradient norm of a network grows by orders of magnitude, and the rate is not what drives it."""
    step = view.step
    if not step or step.number < 8 or not step.calls:
        return
    norms = [one.gradient for one in view.program.recent(step.held)[-24:]]
    small = statistics.median(norms[:4]) if len(norms) >= 8 else 0.0
    if small > 0 and statistics.median(norms[-3:]) > 1e3 * max(small, 1.0) and statistics.median(norms[-3:]) > 1e4:
        yield Finding(
            "warning",
            "exploding-gradients",
            f"the gradient norm went from {small:.3g} to {norms[-1]:.3g} within {len(norms)} steps",
            step.number,
            certainty=0.62,
        )
