"""Models of series: numbers that are predicted from the numbers before them, and who may see whom."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from loopwright.doctor.finding import Finding
from loopwright.doctor.probes import changed_times
from loopwright.doctor.records import Call, LossCall
from loopwright.doctor.rule import View, rule

SHORTEST = 8
"""So many times in a row, at least, have a target of their own."""
LONGEST = 4096


@rule("step", "future-visible", needs="losses", probes=True)
def ahead_of_itself(view: View) -> Iterator[Finding]:
    """The targets of a model of series are the later numbers of its input: does it see them?"""
    step = view.step
    if not step or step.number not in (2, 6):
        return
    for call in step.kept:
        seen = view.program.notes.of(call.module)
        if "series" in seen.answered or not call.inputs[0].is_floating_point():
            continue
        for loss in step.kept_losses:
            found = asked_of_itself(call, loss)
            if found is None:
                continue
            seen.answered.add("series")
            if looks_ahead(call, found):
                name = type(call.module).__name__
                yield Finding(
                    "error",
                    "future-visible",
                    f"targets are the numbers of the input {found.ahead} ahead, and predictions depend on those that "
                    "come later",
                    step.number,
                    name,
                    probe=f"the number at time {found.position} was replaced: outputs before it changed",
                    certainty=0.95,
                )
            break


@dataclass(frozen=True)
class Ahead:
    """A call whose targets are its own input at later times: the axis of time in its input, a time that is asked for at
    an earlier one, by how many times it is `ahead`, and the output, and its axis, that predicts it."""

    axis: int
    position: int
    ahead: int
    output: int
    along: int


def asked_of_itself(call: Call, loss: LossCall) -> Ahead | None:
    """How the targets of a call lie on its own input; None where they are something else, or cannot be told apart: a
    series that repeats itself, a field that is moved."""
    given, target = call.inputs[0].detach(), loss.target.detach()
    apart = loss.prediction.shape != target.shape or loss.options.get("reduction", "mean") == "none"
    if apart or not given.numel() or not target.is_floating_point() or not 2 <= given.ndim <= 3:
        return None
    for axis in range(1, given.ndim):
        series = over_time(given, axis)
        for along in range(1, target.ndim):
            asked, told = over_time(target, along), over_time(loss.prediction.detach(), along)
            fits = len(asked) == len(series) and asked.shape[2] == series.shape[2]
            if not fits or not SHORTEST < series.shape[1] <= LONGEST or asked.shape[1] <= SHORTEST:
                continue
            first, predicted = begins(series, asked[:, :SHORTEST]), predicts(call, told[:, :SHORTEST], series.shape[1])
            if first is None or predicted is None or first <= predicted[2]:
                continue
            last = min(asked.shape[1], series.shape[1] - first)
            same = last > SHORTEST and torch.equal(series[:, first : first + last], asked[:, :last])
            if same and goes_on(series, asked[:, last:]) and not repeats(series):
                return Ahead(axis, first + last // 2, first - predicted[2], *predicted[:2])
    return None


def goes_on(series: Tensor, rest: Tensor) -> bool:
    """Whether what is asked for behind the end of a series (B, T, C) is new, not its beginning or its end again."""
    count = rest.shape[1]
    known = [torch.zeros_like(rest), series[:, :count], series[:, -1:].expand(-1, count, -1)]
    return not count or not any(torch.equal(rest, each) for each in known)


def repeats(series: Tensor) -> bool:
    """Whether a series (B, T, C) repeats itself, so that what comes is there already."""
    return any(torch.equal(series[:1, lag:], series[:1, :-lag]) for lag in range(1, series.shape[1] // 2 + 1))


def predicts(call: Call, told: Tensor, times: int) -> tuple[int, int, int] | None:
    """Which output of a call, one for each of so many times, a prediction (B, K, C) was taken from, along which axis,
    and from which time on."""
    for number, output in enumerate(call.outputs):
        if 2 <= output.ndim <= 3 and len(output) == len(told) and output.numel():
            for axis in range(1, output.ndim):
                start = begins(over_time(output.detach(), axis), told) if output.shape[axis] == times else None
                if start is not None:
                    return number, axis, start
    return None


def over_time(tensor: Tensor, axis: int) -> Tensor:
    """A tensor whose `axis` is time as (B, T, C)."""
    return tensor.movedim(axis, 1).reshape(len(tensor), tensor.shape[axis], -1)


def begins(series: Tensor, part: Tensor) -> int | None:
    """From which time on a `part` (B, K, C) of many different numbers is in series (B, T, C), at one place alone."""
    if part.shape[1] < 2 or part.shape[2] != series.shape[2] or len(part[0].unique()) < part.shape[1] // 2:
        return None
    count = series.shape[1] - part.shape[1] + 1
    starts = (series[:1, : max(count, 0)] == part[:1, :1]).all(2)[0].nonzero().flatten().tolist()
    found = [at for at in starts if torch.equal(series[:, at : at + part.shape[1]], part)]
    return found[0] if len(found) == 1 else None


def looks_ahead(call: Call, found: Ahead) -> bool:
    """Whether predictions before a time change when the number at that time is another one."""
    given = call.inputs[0]
    other = given.clone()
    index = (slice(None),) * found.axis + (found.position,)
    other[index] = 0.7 - 1.3 * given[index]
    changed = changed_times(call, given, other, found.output, found.along)
    reach = found.position - found.ahead + 1  # from here on the input is there when it is asked for
    return changed is not None and bool(changed[:reach].any())
