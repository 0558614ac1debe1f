"""What a record alone tells: less than watching does, so most of it is a suspicion, and says what else it could be."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterator
from itertools import pairwise

from loopwright.diagnosing.curves import Curve, Curves
from loopwright.doctor.finding import Finding
from loopwright.report.history import Series
from loopwright.report.overfitting import onset

BLOWN = 100.0
"""So many times as large as at first, a loss has blown up."""
FEW = 8
"""Curves with fewer points are not judged."""


def judge(curves: Curves) -> list[Finding]:
    """Findings, the most probable cause first."""
    found = [
        *broke(curves),
        *diverged(curves),
        *stuck(curves),
        *run_down(curves),
        *clipped(curves),
        *grown(curves),
        *accumulated(curves),
        *unchanging(curves),
        *overfitted(curves),
    ]
    return sorted(found, key=lambda finding: finding.rank)


def finite(curve: Curve) -> Curve:
    """The points whose value is a number."""
    return [(step, value) for step, value in curve if math.isfinite(value)]


def level(points: Curve) -> float:
    """The median value."""
    return statistics.median(value for _, value in points)


def broke(curves: Curves) -> Iterator[Finding]:
    """The loss is not a number."""
    lost = [step for step, value in curves.loss if not math.isfinite(value)]
    first = lost[0] if lost else curves.ended
    if first is None:
        return
    before = [value for step, value in finite(curves.loss) if step < first][-5:]
    told = ", ".join(f"{value:.4g}" for value in before) or "none"
    happened = (
        f"the loss is not a number at step {first:g} and in {len(lost)} records"
        if lost
        else (f"the run ended itself at step {first:g}, whose loss or gradient is not a number")
    )
    yield Finding("error", "non-finite", f"{happened}; losses before it: {told}", int(first), certainty=0.6)


def diverged(curves: Curves) -> Iterator[Finding]:
    """The loss ends far above where it began."""
    points = finite(curves.loss)
    if len(points) < FEW or min(value for _, value in points) < 0:
        return
    first, last = level(points[:3]), level(points[-max(3, len(points) // 10) :])
    lost = any(not math.isfinite(value) for _, value in curves.loss)
    peak = max(value for _, value in points)
    blew_up = peak > BLOWN * points[0][1] > 0 and last > 1.5 * points[0][1]
    if last > 1.5 * first or blew_up or (lost and peak > 3 * first):
        yield Finding(
            "error",
            "lr-too-large",
            f"the training loss went from {points[0][1]:.4g} to {last:.4g} (largest {peak:.4g})"
            + (f" at a rate of {curves.rate[0][1]:g}" if curves.rate else ""),
            int(points[-1][0]),
            certainty=0.75,
        )


def stuck(curves: Curves) -> Iterator[Finding]:
    """The loss does not move."""
    points = finite(curves.loss)
    if len(points) < 3 * FEW:
        return
    third = len(points) // 3
    first, last = level(points[:third]), level(points[-third:])
    noise = statistics.pstdev(value for _, value in points[:third])
    rates = [value for _, value in curves.rate if value > 0]
    tiny = bool(rates) and max(rates) < 1e-6
    arrived = level(points[:3]) - last > 0.2 * abs(level(points[:3]))  # it fell early, and stays where it is
    if not arrived and abs(last - first) <= max(0.005 * abs(first), 0.1 * noise):
        yield Finding(
            "warning" if tiny else "info",
            "lr-too-small",
            f"the training loss stays at {last:.4g} over {len(points)} records (first third {first:.4g})"
            + (f"; the rate is at most {max(rates):g}" if rates else ""),
            int(points[-1][0]),
            certainty=0.7 if tiny else 0.3,
        )


def run_down(curves: Curves) -> Iterator[Finding]:
    """The rate is at nothing for most of the training."""
    if len(curves.rate) < FEW:
        return
    peak = max(value for _, value in curves.rate)
    over = [step for step, value in curves.rate if value <= 1e-3 * peak]
    after_peak = [step for step in over if step > next(s for s, v in curves.rate if v == peak)]
    end = curves.last_step
    if peak > 0 and after_peak and after_peak[0] < 0.6 * end and curves.rate[-1][1] <= 1e-3 * peak:
        yield Finding(
            "warning",
            "schedule-too-fast",
            f"the rate falls below a thousandth of its peak ({peak:g}) at step {after_peak[0]:g}, and training goes on "
            f"to step {end:g}",
            int(after_peak[0]),
            certainty=0.85,
        )


def clipped(curves: Curves) -> Iterator[Finding]:
    """Every gradient is cut to a hundredth."""
    points = finite(curves.norm)
    if curves.clip_norm > 0 and len(points) >= FEW:
        excess = [value / curves.clip_norm for _, value in points]
        if statistics.median(excess) > 100:
            yield Finding(
                "warning",
                "clip-too-low",
                f"the gradient norm is {statistics.median(excess):.0f} times the limit, {curves.clip_norm:g} (median)",
                int(points[-1][0]),
                certainty=0.8,
            )


def grown(curves: Curves) -> Iterator[Finding]:
    """The gradient norm grows by orders of magnitude."""
    points = finite(curves.norm)
    if len(points) >= FEW and level(points[-3:]) > 1e3 * max(level(points[:3]), 1.0):
        yield Finding(
            "warning",
            "exploding-gradients",
            f"the gradient norm went from {level(points[:3]):.3g} to {level(points[-3:]):.3g}",
            int(points[-1][0]),
            certainty=0.65,
        )


def accumulated(curves: Curves) -> Iterator[Finding]:
    """The validation loss is k times that of the first evaluation at the k-th."""
    values = [value for _, value in finite(curves.val_loss)]
    if len(values) < 5 or values[0] <= 0:
        return
    steps = [b - a for a, b in pairwise(values)]
    better = len(curves.accuracy) >= 2 and curves.accuracy[-1][1] >= curves.accuracy[0][1]
    falls = len(curves.loss) >= 2 and curves.loss[-1][1] < curves.loss[0][1]
    even = all(0.2 * values[0] < step <= 1.2 * values[0] for step in steps)
    if even and (better or falls):
        yield Finding(
            "warning",
            "metric-not-reset",
            f"the validation loss grows at each of {len(values)} evaluations, {values[0]:.4g} to {values[-1]:.4g}, "
            "while training gets better",
            int(curves.val_loss[-1][0]),
            certainty=0.75,
        )


def unchanging(curves: Curves) -> Iterator[Finding]:
    """The same accuracy, bit for bit, at every evaluation."""
    values = [value for _, value in finite(curves.accuracy)]
    if len(values) >= 5 and len(set(values)) == 1 and values[0] < 0.95:
        yield Finding(
            "warning",
            "constant-prediction",
            f"the validation accuracy is {values[0]:.4g} at each of {len(values)} evaluations",
            int(curves.accuracy[-1][0]),
            certainty=0.6,
        )


def overfitted(curves: Curves) -> Iterator[Finding]:
    """Validation gets worse, or no better, while training gets better."""
    found = onset(series(curves.loss), series(curves.val_loss))
    if found is not None:
        yield Finding(
            "info", "overfitting", found.reason, found.step, certainty=0.7 if found.kind == "worsens" else 0.4
        )


def series(curve: Curve) -> Series:
    """The same as two arrays."""
    return Series.of([step for step, _ in curve], [value for _, value in curve])
