"""Precision, and numbers that are none."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterator

import torch
from torch import nn

from loopwright.doctor.finding import Finding
from loopwright.doctor.records import Call
from loopwright.doctor.rule import View, rule
from loopwright.errors import some

LOST = 0.25
"""A share of numbers that an update leaves as they were; in float32 it is near 0."""


@rule("step", "non-finite-input", "log-of-zero", "non-finite")
def not_a_number(view: View) -> Iterator[Finding]:
    """The loss or a gradient is not finite: is it the input, or what is computed of it?"""
    step = view.step
    if not step:
        return
    bad = [name for name, norm in step.norms.items() if norm is not None and not math.isfinite(norm)]
    lost = not math.isfinite(step.loss) and bool(step.backwards)
    if not lost and not bad:
        return
    if view.program.scalers and not lost:
        return
    for call in step.kept:
        wrong = [tensor for tensor in call.inputs if tensor.is_floating_point() and not bool(tensor.isfinite().all())]
        if wrong:
            share = float((~wrong[0].isfinite()).flatten(1).any(1).float().mean()) if wrong[0].ndim > 1 else math.nan
            yield Finding(
                "error",
                "non-finite-input",
                f"{share:.1%} of the rows of an input of {type(call.module).__name__} are not finite",
                step.number,
                type(call.module).__name__,
                certainty=0.95,
            )
            return
    finite_before = [one for one in view.program.recent(step.held)[:-1] if math.isfinite(one.loss)]
    logs = [loss for loss in step.kept_losses if loss.prediction.isneginf().any()]
    cause = "log-of-zero" if logs else "non-finite"
    last = finite_before[-1].loss if finite_before else math.nan
    where = some(bad, 3) if bad else "the loss"
    said = f"{where} at step {step.number}; the last finite loss was {last:.4g}"
    if logs:
        said += f"; {logs[0].kind} was given -inf"
    yield Finding("error", cause, said, step.number, certainty=0.6)


@rule("call", "non-finite-input", needs="modules")
def broken_rows(view: View) -> Iterator[Finding]:
    """An input that holds NaN or infinities, seen before it has spoiled anything."""
    call = view.call
    if not call or not call.grad or not call.inputs:
        return
    first = call.inputs[0].detach()
    if first.is_floating_point() and first.numel() and not math.isfinite(float(first.sum())):
        filled = bool(call.outputs) and all(bool(output.isfinite().all()) for output in call.outputs)
        masked = not bool((first.isnan() | first.isposinf()).any()) and not any(o.isnan().any() for o in call.outputs)
        if filled or masked or bool(first.isfinite().all()):
            return
        rows = int((~first.isfinite()).reshape(len(first), -1).any(1).sum()) if first.ndim else 1
        yield Finding(
            "error",
            "non-finite-input",
            f"{rows} of {len(first) if first.ndim else 1} rows of an input of {type(call.module).__name__} hold NaN or "
            "infinity",
            view.program.count + 1,
            type(call.module).__name__,
            certainty=0.96,
        )


def trained(call: Call) -> list[nn.Parameter]:
    """The parameters of a call's module that want a gradient."""
    return [parameter for parameter in call.module.parameters() if parameter.requires_grad]


@rule("step", "fp16-unscaled", needs="modules")
def half_without_scale(view: View) -> Iterator[Finding]:
    """A float16 forward pass, a backward pass that no scaler has scaled."""
    step = view.step
    if not step or step.number not in (2, 3) or not step.whole or view.program.scalers:
        return
    halved = [call for call in step.kept if call.half == "torch.float16"]
    weights = [p for call in step.kept for p in trained(call) if p.dtype == torch.float16]
    by_hand = any(s.value and step.loss >= 8 * s.value > 0 for s in step.summaries)
    if step.backwards and not by_hand and not any(b.scaled for b in step.backwards) and (halved or weights):
        how = "under float16 autocast" if halved else f"with {len(weights)} float16 weights"
        zero = [norm for norm in step.norms.values() if norm == 0.0]
        yield Finding(
            "error",
            "fp16-unscaled",
            f"the forward pass ran {how}, and the loss went backward unscaled"
            + (f"; {len(zero)} gradients are zero throughout" if zero else ""),
            step.number,
            certainty=0.95,
        )


def known_to_round(kind: type) -> bool:
    """Whether an optimizer's steps are written by torch or by this package, which round to what is nearest."""
    written: str = getattr(getattr(kind, "step", None), "__module__", "")
    return written.startswith(("torch.", "loopwright."))


@rule("step", "update-lost-to-rounding")
def rounded_away(view: View) -> Iterator[Finding]:
    """Half-precision weights that most updates do not change; who writes an optimizer may round at random, or keep what
    is lost."""
    step = view.step
    optimizer = step.held.optimizer() if step and step.number in (6, 12) else None
    if not step or optimizer is None or not known_to_round(type(optimizer)):
        return
    halves = {
        name
        for name, p in view.scene.named(optimizer)
        if p.dtype in (torch.bfloat16, torch.float16) and step.norms.get(name)
    }
    unmoved = [step.unmoved[name] for name in halves if name in step.unmoved]
    if unmoved and statistics.mean(unmoved) > LOST:
        yield Finding(
            "warning",
            "update-lost-to-rounding",
            f"{statistics.mean(unmoved):.0%} of the numbers in half-precision weights with gradients did not change "
            f"in step {step.number}",
            step.number,
            certainty=0.88,
        )
