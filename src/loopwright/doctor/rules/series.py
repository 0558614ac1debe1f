"""Models of series: numbers that are predicted from the numbers before them, and who may see whom."""

from __future__ import annotations

from collections.abc import Iterator

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
            axis, position, ahead = found
            if looks_ahead(call, axis, position):
                name = type(call.module).__name__
                yield Finding(
                    "error",
                    "future-visible",
                    f"targets are the numbers of the input {ahead} ahead, and predictions depend on those that come "
                    "later",
                    step.number,
                    name,
                    probe=f"the number at time {position} was replaced: outputs before it changed",
                    certainty=0.95,
                )
            break


def asked_of_itself(call: Call, loss: LossCall) -> tuple[int, int, int] | None:
    """Of a call whose targets are its own input at later times: the axis of time in its input, a time that is asked for
    at an earlier one, and by how many times it is ahead; None of any other call."""
    given, target = call.inputs[0].detach(), loss.target.detach()
    if (
        loss.prediction.shape != target.shape
        or not given.numel()
        or not target.is_floating_point()
        or not 2 <= given.ndim <= 3
    ):
        return None
    for axis in range(1, given.ndim):
        series = over_time(given, axis)
        for along in range(1, target.ndim):
            asked, told = over_time(target, along), over_time(loss.prediction.detach(), along)
            fits = len(asked) == len(series) and asked.shape[2] == series.shape[2]
            if not fits or not SHORTEST < series.shape[1] <= LONGEST or asked.shape[1] <= SHORTEST:
                continue
            first = begins(series, asked[:, :SHORTEST])
            starts = (begins(output, told[:, :SHORTEST]) for output in timed(call, len(series)))
            predicted = next((start for start in starts if start is not None), None)
            if first is None or predicted is None or first <= predicted:
                continue
            last = min(asked.shape[1], series.shape[1] - first)
            if last > SHORTEST and torch.equal(series[:, first : first + last], asked[:, :last]):
                return axis, first + last // 2, first - predicted
    return None


def timed(call: Call, batch: int) -> Iterator[Tensor]:
    """The outputs of a call as (B, T, C), whatever the order of their axes."""
    for output in call.outputs:
        if 2 <= output.ndim <= 3 and len(output) == batch and output.numel():
            for axis in range(1, output.ndim):
                yield over_time(output.detach(), axis)


def over_time(tensor: Tensor, axis: int) -> Tensor:
    """A tensor whose `axis` is time as (B, T, C)."""
    return tensor.movedim(axis, 1).reshape(len(tensor), tensor.shape[axis], -1)


def begins(series: Tensor, part: Tensor) -> int | None:
    """From which time on a `part` (B, K, C) of many different numbers is in series (B, T, C)."""
    if part.shape[1] < 2 or part.shape[2] != series.shape[2] or len(part[0].unique()) < part.shape[1] // 2:
        return None
    count = series.shape[1] - part.shape[1] + 1
    starts = (series[:1, : max(count, 0)] == part[:1, :1]).all(2)[0].nonzero().flatten().tolist()
    return next((at for at in starts if torch.equal(series[:, at : at + part.shape[1]], part)), None)


def looks_ahead(call: Call, axis: int, position: int) -> bool:
    """Whether outputs before a time change when the number at that time is another one."""
    given = call.inputs[0]
    other = given.clone()
    index = (slice(None),) * axis + (position,)
    other[index] = 0.7 - 1.3 * given[index]
    return any(bool(changed[:position].any()) for changed in changed_times(call, given, other, axis) or [])
