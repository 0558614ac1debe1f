"""Loss functions and what they are given: logits or probabilities, shapes, ranges, masks."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterator

import torch
from torch import Tensor, nn

from loopwright.doctor.finding import Finding
from loopwright.doctor.measures import made_by
from loopwright.doctor.records import Call, LossCall, Step
from loopwright.doctor.rule import View, rule
from loopwright.doctor.summaries import REGRESSION

LOGITS = ("cross_entropy", "binary_cross_entropy_with_logits")
NEARLY_ZERO = -60.0
FAR_AWAY = 3_000
"""So many more steps are too many to come to where the targets are."""
FIRST = 8
WARMING = 1.05
SMALLEST, LARGEST = 0.015, 4.6
LAYERS = ("addmm", "mm", "linear", "bmm", "matmul", "convolution", "softmax", "relu")
"""What makes scores of classes."""
RECTIFIERS = ("relu", "clampmin", "threshold")


@rule("step", "double-softmax", "final-activation", needs="losses")
def logits_squashed(view: View) -> Iterator[Finding]:
    """A loss that expects logits is given what a softmax, sigmoid or rectifier has made."""
    step = view.step
    for loss in step.kept_losses if step else []:
        if loss.kind not in LOGITS:
            continue
        maker, number = made_by(loss.chain), step.number if step else 0
        rows = loss.prediction.detach()
        if maker in ("softmax", "sigmoid") or (loss.kind == "cross_entropy" and sums_to_one(rows)):
            shown = maker or "probabilities"
            yield Finding(
                "error",
                "double-softmax",
                f"{loss.kind} is given the output of {shown}: between {float(rows.min()):.3g} and "
                f"{float(rows.max()):.3g}" + (", each row sums to 1" if sums_to_one(rows) else ""),
                number,
                certainty=0.97,
            )
        elif maker in RECTIFIERS and float(rows.min()) >= 0:
            yield Finding(
                "error",
                "final-activation",
                f"{loss.kind} is given the output of {maker}: no logit is below {float(rows.min()):.3g}",
                number,
                certainty=0.93,
            )


def sums_to_one(rows: torch.Tensor) -> bool:
    """Whether rows (N, C) are probabilities."""
    if rows.ndim < 2 or rows.shape[1] < 2 or len(rows) < 4 or rows.numel() > 20_000_000:
        return False
    return bool((rows >= 0).all()) and bool(((rows.sum(1) - 1).abs() < 1e-3).all())


@rule("step", "double-softmax")
def probabilities_for_logits(view: View) -> Iterator[Finding]:
    """A distribution was given probabilities as its logits: it makes probabilities of them once more."""
    step = view.step
    for name, made in view.program.notes.squashed.items() if step and step.number in (1, 2) else ():
        yield Finding(
            "error",
            "double-softmax",
            f"{name}(logits=…) is given what {made.lower()} puts out: no class gets more than e times the probability "
            "of another; say probs=…",
            step.number if step else 0,
            certainty=0.95,
        )


@rule("step", "wrong-loss", needs="losses")
def does_not_fit(view: View) -> Iterator[Finding]:
    """nll_loss or kl_div without log-probabilities."""
    step = view.step
    losses = step.kept_losses if step and step.number <= FIRST else []
    for loss in losses:
        often = [sum(each.kind == "nll_loss" for each in one.summaries) for one in view.program.steps]
        said = misfit(loss) if loss.kind != "nll_loss" or max(often) == 1 else ""  # else it picks a critic's output
        ends = [backward.loss for backward in step.backwards] if step else []
        part = loss.options.get("reduction", "mean") == "none" or not any(is_scaled(end, loss) for end in ends)
        if said and not (loss.kind == "nll_loss" and part):  # of another loss, which may want probabilities
            yield Finding("error", "wrong-loss", said, step.number if step else 0, certainty=0.95)


def is_scaled(end: Tensor, loss: LossCall) -> bool:
    """Whether what went backward is the value of a loss, but for a factor or a mean."""
    node, wanted = end.grad_fn, loss.value.grad_fn if loss.value is not None else None
    while node is not None and node is not wanted:
        known = any(node.name().startswith(name) for name in ("Mul", "Div", "Mean", "ToCopy"))
        node = node.next_functions[0][0] if known and node.next_functions else None
    return node is not None


def misfit(loss: LossCall) -> str:
    """What a loss is given that it was not made for."""
    rows = loss.prediction.detach().float()
    if rows.ndim < 2 or rows.numel() > 20_000_000 or not bool(rows.isfinite().all()):
        return ""
    if loss.kind == "nll_loss" and made_by(loss.chain) == "softmax" and rows.shape[1] > 1:
        return "nll_loss is given what softmax puts out: minus a probability is the loss, where its logarithm should be"
    if len(rows) < 2:
        return ""
    # Numbers that are all below zero may be logarithms of densities: a generative model's.
    if loss.kind == "nll_loss" and rows.shape[1] > 1 and not bool(rows.isneginf().any()) and bool((rows > 0).any()):
        off = float(torch.logsumexp(rows, 1).abs().max())
        if off > 0.02 and (made_by(loss.chain) in LAYERS or sums_to_one(rows)):
            kind = "probabilities" if sums_to_one(rows) else "logits"
            return f"nll_loss is given {kind}: exp of a row sums to {math.exp(min(off, 80)):.3g} or its inverse, not 1"
    wanted = loss.target.detach().float().exp() if loss.options.get("log_target") else loss.target.detach().float()
    if loss.kind == "kl_div" and float(rows.max()) > 1e-3 and sums_to_one(wanted):  # else of counts
        return f"kl_div is given numbers up to {float(rows.max()):.3g}; logarithms of probabilities are at most 0"
    return ""


@rule("step", "log-of-zero", needs="losses")
def log_of_softmax(view: View) -> Iterator[Finding]:
    """The logarithm of a softmax, near where the softmax is zero."""
    step = view.step
    for loss in step.kept_losses if step else []:
        made = [name.lower() for name in loss.chain[-2:]]
        low = float(loss.prediction.detach().min()) if loss.prediction.numel() else 0.0
        if loss.kind == "nll_loss" and made == ["log", "softmax"] and low < NEARLY_ZERO:
            yield Finding(
                "error",
                "log-of-zero",
                f"nll_loss is given the logarithm of a softmax, down to {low:.4g}; from -104 on that is log(0)",
                step.number if step else 0,
                certainty=0.9,
            )


@rule("step", "class-imbalance", needs="losses")
def weighed_by_frequency(view: View) -> Iterator[Finding]:
    """Classes are weighed by how often they come, where it should be by the inverse."""
    step = view.step
    if not step or step.number not in (8, 16, 24) or not step.kept_losses:
        return
    options, kind = step.kept_losses[0].options, step.kept_losses[0].kind
    weight, factor = options.get("weight"), options.get("pos_weight")
    told = [1.0, float(factor)] if factor is not None and factor.numel() == 1 else None
    told = weight.detach().float().tolist() if told is None and weight is not None and weight.ndim == 1 else told
    found = [s.counts for one in view.program.recent(step.held) for s in one.summaries if s.kind == kind and s.counts]
    if not told or not found or {len(counts) for counts in found} != {len(told)}:
        return
    known = [(sum(each), weight) for each, weight in zip(zip(*found, strict=True), told, strict=True)]
    known = [(count, weight) for count, weight in known if count >= COUNTED and weight > 0]
    ratios = [math.log(weight / count) for count, weight in known]
    if all(is_round(weight / min(weight for _, weight in known)) for _, weight in known):
        return  # chosen by hand: what a mistake costs, or how far labels are to be believed
    often, seldom = max(known, default=(0, 0.0)), min(known, default=(0, 0.0))
    if len(known) < 2 or often[0] < UNEVEN * seldom[0] or often[1] < UNEVEN * seldom[1]:
        return
    if max(ratios) - min(ratios) < PROPORTIONAL * len(known) ** 0.5:
        yield Finding(
            "warning",
            "class-imbalance",
            f"the loss weighs classes by how often they come: the most frequent one ({often[0]} of "
            f"{sum(count for count, _ in known)} targets) {often[1] / seldom[1]:.3g} times as much as the rarest "
            f"({seldom[0]}), which should weigh more",
            step.number,
            certainty=0.88,
        )


def is_round(number: float) -> bool:
    """Whether a number has no more than two digits, but for rounding."""
    return math.isclose(number, float(f"{number:.2g}"), rel_tol=1e-4)


COUNTED, UNEVEN, PROPORTIONAL = 8, 3.0, 0.5
"""Targets of a class that tell its share; what is uneven; how far weights may be from the shares, as logarithms."""


@rule("step", "target-broadcast", needs="losses")
def broadcasts(view: View) -> Iterator[Finding]:
    """Prediction (N, 1) against target (N,): each with each."""
    step = view.step
    for loss in step.kept_losses if step else []:
        one, other = tuple(loss.prediction.shape), tuple(loss.target.shape)
        if loss.kind not in REGRESSION or one == other:
            continue
        both = torch.broadcast_shapes(one, other)
        if math.prod(both) > max(math.prod(one), math.prod(other)) and len(one) != len(other):
            yield Finding(
                "error",
                "target-broadcast",
                f"{loss.kind} compares {one} with {other}: {math.prod(both)} pairs instead of {max(one + other)}",
                step.number if step else 0,
                certainty=0.97,
            )
    for (kind, *shapes), count in view.program.notes.broadcast.items():
        if count >= 2 and step and step.number == 2:
            yield Finding(
                "error",
                "target-broadcast",
                f"a {kind} of {shapes[0]} and {shapes[1]} is {shapes[2]}: each with each",
                view.program.count,
                certainty=0.9,
            )


@rule("step", "nothing-supervised", needs="losses")
def next_to_nothing(view: View) -> Iterator[Finding]:
    """The targets that count are a tiny part of all."""
    step = view.step
    if not step or step.number < 2:
        return
    recent = [s for one in view.program.recent(step.held)[-3:] for s in one.summaries if s.rows >= 32]
    if all(len(view.program.notes.of(call.module).hashes) == 1 for call in step.calls):
        return  # everything at once, of which a few labels are known
    samples = max([len(call.inputs[0]) for call in step.kept if call.inputs[0].ndim], default=0)
    if len(recent) >= 2 and all(s.counted < min(0.01 * s.rows, samples or s.rows) for s in recent):
        counted, rows = sum(s.counted for s in recent), sum(s.rows for s in recent)
        yield Finding(
            "warning",
            "nothing-supervised",
            f"{counted} of {rows} targets count in the loss, the others have the ignore index",
            step.number,
            certainty=0.85,
        )


@rule("step", "bad-init-scale", needs="losses")
def first_loss(view: View) -> Iterator[Finding]:
    """The first loss is far above that of guessing, though the input is scaled; or weights are far from any usual
    scale."""
    step = view.step
    if not step or step.number != 1:
        return
    if not all(untouched(view, step, call) for call in step.kept):
        return
    guessing = any(summary.mean < 1.5 * summary.chance for summary in step.summaries)
    yield from odd_weights(view, step, LARGEST if not guessing else math.inf)  # scaled down behind, if large
    for summary in step.summaries:
        far = summary.mean > 3 * summary.chance and summary.mean > summary.chance + 2
        if far and math.isfinite(summary.mean) and not summary.bounded and not densities(step):
            stats = [s for _, _, s in view.program.notes.stats["train"]]
            if stats and max(abs(stats[0].high), abs(stats[0].low)) > 50:
                return
            yield Finding(
                "warning",
                "bad-init-scale",
                f"the first loss is {summary.mean:.3g}; guessing among "
                f"{summary.classes or 2} classes has {summary.chance:.3g}",
                1,
                certainty=0.7,
            )


def densities(step: Step) -> bool:
    """Whether nll_loss is given numbers that are no logarithms of probabilities of classes, as those of densities."""
    rows = [loss.prediction.detach().float() for loss in step.kept_losses if loss.kind == "nll_loss"]
    return any(float(torch.logsumexp(row, 1).abs().max()) > 0.02 for row in rows if row.ndim > 1)


def untouched(view: View, step: Step, call: Call) -> bool:
    """Whether a call's module has the weights that it was made with: nothing was loaded, and no other optimizer has
    moved them."""
    mine = view.scene.anatomy(call.module).names.keys()
    loaded = view.program.notes.loaded
    # One that is gone counts, too: a later one may have its id.
    others = [one.held for one in view.program.notes.built if one.held is not step.held and one.held.steps]
    return not mine & loaded.keys() and not any(mine & held.parameters for held in others)


def odd_weights(view: View, step: Step, largest: float) -> Iterator[Finding]:
    """Layers whose weights, times the root of their inputs, are far from 1: usual initializations have 0.1 to 2."""
    for call in step.kept:
        names, found = view.scene.anatomy(call.module).names, list[float]()
        for module in call.module.modules():
            # A forward pass of its own may scale the weights when it uses them.
            own = getattr(getattr(type(module), "forward", None), "__module__", "").startswith("torch.")
            if not isinstance(module, nn.Linear | nn.modules.conv._ConvNd) or not own:
                continue
            weight = module._parameters.get("weight")  # the attribute may be computed, as spectral_norm's is
            norm = step.weights.get(names.get(id(weight), ""), 0.0)  # before the step
            found += [norm / len(weight) ** 0.5] if weight is not None and norm > 0 and weight.requires_grad else []
        if len(found) >= 2 and not SMALLEST < statistics.median(found) < largest:
            yield Finding(
                "error",
                "bad-init-scale",
                f"weights of {type(call.module).__name__} times the root of their inputs are "
                f"{statistics.median(found):.3g} (median of its layers); usual initializations have 0.1 to 2",
                1,
                type(call.module).__name__,
                certainty=0.91,
            )


@rule("step", "unscaled-target", needs="losses")
def targets_far_away(view: View) -> Iterator[Finding]:
    """Regression targets in hundreds, predictions near 0, and steps that bring them no nearer.

    A model that scales what it puts out, or an optimizer that searches along a line, is there after a few steps.
    """
    step = view.step
    if not step or step.number not in (4, 8) or step.held.kind == "LBFGS":
        return
    began = next((one for one in view.program.recent(step.held) if one.number == 1), None)
    for first, now in zip(began.summaries if began else [], step.summaries, strict=False):
        far = (now.spread > 30 or now.size > 100) and now.size > 30 * (now.reach + 1)
        if max(step.rates, default=0.0) > WARMING * max(began.rates if began else [], default=0.0):
            return  # steps grow
        gain = max(0.0, now.reach - first.reach) / (step.number - 1)
        if first.kind == now.kind and far and now.size > FAR_AWAY * gain:
            yield Finding(
                "warning",
                "unscaled-target",
                f"targets have mean size {now.size:.4g} and deviation {now.spread:.4g}, the first predictions at most "
                f"{first.reach:.3g}, those of step {step.number} at most {now.reach:.3g}",
                step.number,
                certainty=0.75,
            )


@rule("step", "unscaled-target", "target-range", needs="losses")
def no_probabilities(view: View) -> Iterator[Finding]:
    """Targets of a binary cross-entropy that are no probabilities: pixels from 0 to 255, say, or labels -1 and 1."""
    step = view.step
    if not step or step.number > 2:
        return
    for loss in step.kept_losses:
        if loss.kind.startswith("binary") and loss.target.numel():
            low, high = (float(edge) for edge in loss.target.detach().float().aminmax())
            if low < -0.5 or high > 1.5:  # soft labels may lie beside 0 and 1
                few = len(loss.target.detach().unique()) == 2
                yield Finding(
                    "error",
                    "target-range" if few else "unscaled-target",
                    f"the targets of {loss.kind} go from {low:.4g} to {high:.4g}, and should be probabilities, 0 to 1",
                    step.number,
                    certainty=0.97,
                )


@rule("end", "target-range", needs="modules")
def no_such_class(view: View) -> Iterator[Finding]:
    """A loss function refused its labels: there are more of them than the model has classes."""
    classes, low, high = view.program.notes.labels
    if low < 0 or high >= classes > 0:
        yield Finding(
            "error",
            "target-range",
            f"the model has {classes} classes, 0 to {classes - 1}, and the labels go from {low} to {high}",
            view.program.count,
            certainty=0.97,
        )
