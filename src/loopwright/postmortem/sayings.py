"""What the record of one run says about its curves, a sentence each."""

from __future__ import annotations

import numpy as np

from loopwright.errors import capital
from loopwright.postmortem.case import HISTORY, SUMMARY, Case, level
from loopwright.postmortem.statements import Statement, first_part
from loopwright.report import curves
from loopwright.report.overfitting import Onset
from loopwright.report.values import show_metric
from loopwright.values import number, table, tables


def fall(case: Case) -> Statement:
    """How the training loss fell, and how soon."""
    points = curves.means(case.loss, 50_000)
    first, steps = float(points.values[0]), points.steps
    end = level(points.values[-max(1, len(points) // 20) :])
    smoothed = curves.smooth(points, span=max(3, len(points) // 50))
    below = smoothed.steps[smoothed.values <= (first + end) / 2]
    half = f"; half of that was done by step {below[0]:,.0f}" if end < first and len(below) else ""
    return case.says(
        f"The training loss went from {show_metric(first)} at step {steps[0]:,.0f} to {show_metric(end)} at step "
        f"{steps[-1]:,.0f} (median of the last twentieth){half}.",
        HISTORY,
    )


def validation(case: Case) -> list[Statement]:
    """How the validation loss went on after its lowest."""
    points = curves.finite(case.val_loss)
    if len(points) < 2:
        return []
    place = int(points.values.argmin())
    low, end = float(points.values[place]), float(points.values[-1])
    above = f", {end / low - 1:.0%} above" if low > 0 and end >= 1.005 * low else ""
    after = "the last" if place == len(points) - 1 else f"and {show_metric(end)} at the end{above}"
    at = f"{show_metric(low)}, at step {points.steps[place]:,.0f}"
    return [case.says(f"The validation loss was lowest, {at}, {after}.", HISTORY)]


def norms(case: Case) -> list[Statement]:
    """Between which bounds the gradient norm stayed."""
    points = curves.finite(case.norm).values
    if not len(points):
        return []
    low, middle, high = (show_metric(float(value)) for value in (points.min(), np.median(points), points.max()))
    text = f"The gradient norm stayed between {low} and {high}, {middle} in the median of {len(points):,} steps."
    return [case.says(text, HISTORY)]


def kept(case: Case) -> list[Statement]:
    """What it reached, and how many claims it kept."""
    metric, _ = case.record.deciding
    reached = number(table(case.record.metrics, "test", "best").get(metric))
    claims = len(tables(case.record.metrics.get("claims")))
    held = f"; it kept {claims} of {claims} claims" if claims else ""
    if reached is None:
        return []
    return [case.says(f"On the test split the best weights reached {metric} {show_metric(reached)}{held}.", SUMMARY)]


def up(case: Case) -> Statement:
    """How a run diverged."""
    points = case.loss
    last = zip(points.steps[-3:].tolist(), points.values[-3:].tolist(), strict=True)
    shown = [f"{show_metric(value)} at step {step:,.0f}" for step, value in last]
    first = [f"{show_metric(float(points.values[0]))} at step {points.steps[0]:,.0f}"] if len(points) > 3 else []
    rate = f" at a learning rate of {case.rate:g}" if case.rate is not None else ""
    ended = f"; then {first_part(case.reason)}" if case.reason else ""
    return case.says(
        f"The training loss{rate}: {', '.join([*first, *shown]) or 'no step is recorded'}{ended}.", HISTORY
    )


def apart(case: Case, found: Onset) -> list[Statement]:
    """How the two losses part when a run overfits."""
    last = curves.finite(case.loss).steps[-1]
    return [
        case.says(f"{capital(found.reason)} at step {last:,.0f}.", HISTORY),
        *validation(case),
    ]


def named(case: Case) -> Statement:
    """What was wrong with a run."""
    one = case.serious[0]
    return case.says(
        f"{capital(one.cause)} was seen at step {one.step:,} of {case.steps:,}: {one.evidence}.", one.source
    )
