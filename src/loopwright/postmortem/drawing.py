"""The pictures of a run and of a lab."""

from __future__ import annotations

import math

from loopwright.postmortem.case import HISTORY, Case
from loopwright.postmortem.labs import RESULTS, SIGNALS, Harm, Trained
from loopwright.postmortem.pictures import Curve, Picture
from loopwright.report.history import Series


def losses(case: Case, name: str, title: str, marks: tuple[tuple[float, str], ...] = ()) -> Picture:
    """Training and validation loss of a run."""
    loss = ended(case.loss, case.broke_at) if case.broke_at else case.loss
    drawn = [Curve("training", "training", loss), Curve("validation", "validation", case.val_loss)]
    return Picture(name, title, tuple(curve for curve in drawn if len(curve.series)), marks, f"{case.id}/{HISTORY}")


def beside(harm: Harm, curve: str, name: str, title: str) -> Picture:
    """A curve of all seeds with a fault over those of their healthy twins."""
    groups: tuple[tuple[str, list[Trained]], ...] = (("healthy", harm.healthy), ("broken", harm.trials))
    drawn = [
        Curve(kind, kind, known, faint=place > 0)
        for kind, trials in groups
        for place, trial in enumerate(trials)
        if len(known := with_end(trial, curve))
    ]
    quantity = f"validation {harm.metric}" if curve == "metrics" else SIGNALS[curve]
    return Picture(name, f"{title}: {quantity}", tuple(drawn), (), f"{harm.lab}/{RESULTS}")


def with_end(trial: Trained, curve: str) -> Series:
    """A curve of a trial; where it broke, with the step that had no number."""
    found = trial.curves[curve]
    if not trial.broke or not len(found):
        return found
    return ended(found, int(found.steps[-1]) + 1)


def ended(series: Series, step: int) -> Series:
    """A curve with the step that had no number."""
    return Series.of([*series.steps.tolist(), step], [*series.values.tolist(), math.nan])
