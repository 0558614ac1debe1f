"""What the faults of the labs teach, a sentence each."""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Sequence

from loopwright.errors import capital
from loopwright.postmortem.labs import Harm
from loopwright.postmortem.statements import Statement, first_part
from loopwright.report import curves
from loopwright.report.history import Series
from loopwright.report.values import show_metric


def up_in_lab(harm: Harm) -> Statement:
    """How a fault made it diverge."""
    sick, twin = harm.trials[0], harm.healthy[0]
    points, good = (curves.finite(trial.curves["losses"]) for trial in (sick, twin))
    shown = ", ".join(at(points, place) for place in range(min(4, len(points)))) or "none"
    ended = f"; then {first_part(sick.broke)}" if sick.broke else f"; at the end {at(points, -1)}"
    there = f" Its healthy twin had {at(good, -1)}." if len(good) else ""
    lost = f"{harm.lost} of {len(harm.trials)} seeds ended without a number"
    return harm.says(f"With the fault {harm.fault}, {lost}. Seed {sick.seed}: training loss {shown}{ended}.{there}")


def at(points: Series, place: int) -> str:
    """A value and its step."""
    return f"{show_metric(float(points.values[place]))} at step {points.steps[place]:,.0f}"


def ranked_first(harm: Harm, tried: Sequence[Harm]) -> Statement:
    """The fault that hurt most, and its part of the loop."""
    hurt = f"{told_of(harm)}"
    if harm.lost:
        broke = next((first_part(trial.broke) for trial in harm.trials if trial.broke), "")
        hurt = f"ended {harm.lost} of {len(harm.trials)} seeds without a number{f' ({broke})' if broke else ''}"
    bite = sum(one.bites for one in tried)
    return harm.says(
        f"{capital(harm.part)}. Of {len(tried)} faults that were tried on {harm.experiment} {bite} bite, and "
        f"{harm.fault} hurt most: it {hurt}, p = {harm.p:.3g}."
    )


def hurt_most(harm: Harm) -> Statement:
    """One more fault, by how much it is worse."""
    return harm.says(f"{capital(harm.part)}: {harm.fault} {told_of(harm)}, p = {harm.p:.3g}.")


def told_of(harm: Harm) -> str:
    """From where to where a fault took the metric."""
    good, bad = (show_metric(harm.measured(which)) for which in ("healthy", "trials"))
    return f"took the validation {harm.metric} from {good} to {bad} (medians of {len(harm.trials)} seeds)"


def by_the_doctor(biting: Sequence[Harm]) -> list[Statement]:
    """How often and how soon the doctor named the cause."""
    if not biting:
        return []
    right = [one for one in biting if one.named > 0.5]
    steps = [one.step for one in right if one.step is not None]
    when = f", at step {statistics.median(steps):.0f} in the median (0 is before training)" if steps else ""
    told = f"it named the right cause first in {len(right)} of {len(biting)} faults that bite{when}"
    return [biting[0].says(f"At what the doctor says (findings.json): {told}.")]


def first_signals(biting: Sequence[Harm]) -> list[Statement]:
    """Which curve left the healthy band first, and when."""
    firsts = [min(one.seen.items(), key=lambda pair: pair[1]) for one in biting if one.seen]
    if not firsts:
        return []
    told = []
    for signal, many in Counter(signal for signal, _ in firsts).most_common():
        step = statistics.median(step for name, step in firsts if name == signal)
        told.append(f"the {signal} in {many} (at step {step:.0f} in the median)")
    of = f"of {len(biting)} faults that bite"
    return [
        biting[0].says(f"Then at the curves. What first left all that healthy twins span, {of}: {', '.join(told)}.")
    ]


def looks_healthy(biting: Sequence[Harm]) -> list[Statement]:
    """Which faults the training loss does not show."""
    hidden = [one for one in biting if one.loss("trials") <= 1.1 * one.loss("healthy")]
    if not hidden:
        return []
    one = hidden[0]
    loss, metric = (
        tuple(map(show_metric, map(measure, ("trials", "healthy")))) for measure in (one.loss, one.measured)
    )
    return [
        one.says(
            f"Not at the training loss alone: with {len(hidden)} of {len(biting)} faults that bite it ends as low as "
            f"without. With {one.fault} it ended at {loss[0]} (healthy: {loss[1]}), the validation {one.metric} at "
            f"{metric[0]} (healthy: {metric[1]})."
        )
    ]
