"""A model that is given everything at once, as a graph is: which rows of its output are trained on, which tested."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from torch import Tensor

from loopwright.doctor.finding import Finding
from loopwright.doctor.measures import rows
from loopwright.doctor.records import Call, Step
from loopwright.doctor.rule import View, rule

KINDS = ("cross_entropy", "nll_loss")
FEWEST = 64
"""Rows of an output of which a part may be meant."""
MOST = 0.8
LOOKED_AT = (2, 5)


@rule("step", "split-overlap", needs="losses")
def taught(view: View) -> Iterator[Finding]:
    """Remember which rows of its output a model is trained on, where these are the same at each step."""
    step = view.step
    if step and step.number in LOOKED_AT:
        for call in step.kept:
            seen, found = view.program.notes.of(call.module), rows_in_loss(call, step)
            known = step.number == LOOKED_AT[0] or seen.taught == found
            seen.taught = found if known and len(seen.hashes) == 1 else None
    yield from ()


def rows_in_loss(call: Call, step: Step) -> frozenset[int] | None:
    """The rows of a call's output that the loss is taken of; None where that cannot be told."""
    if len(call.outputs) != 1 or call.outputs[0].ndim != 2 or len(call.outputs[0]) < FEWEST:
        return None
    if type(call.outputs[0]) is not Tensor:
        return None  # spread over processes, say
    answers = rows(call.outputs[0])
    losses = [loss for loss in step.kept_losses if loss.kind in KINDS and loss.prediction.ndim == 2]
    found = [places(answers, rows(loss.prediction)) for loss in losses]
    return found[0] if len(found) == 1 else None


def places(answers: Sequence[int], asked: Sequence[int]) -> frozenset[int] | None:
    """Where the rows `asked` stand among the rows `answers`, those of which there are several left out; None where most
    cannot be told."""
    often = Counter(answers)
    at = {row: place for place, row in enumerate(answers) if often[row] == 1}
    found = frozenset(at[row] for row in asked if row in at)
    return found if asked and len(found) >= MOST * len(asked) and all(row in often for row in asked) else None


@rule("phase", "split-overlap", needs="phases")
def tested_on_the_same(view: View) -> Iterator[Finding]:
    """Rows of the output that a validation is taken of are among those that are trained on."""
    phase = view.phase
    for call in phase.calls if phase and phase.step > LOOKED_AT[1] else []:
        trained = view.program.notes.of(call.module).taught
        if not trained or not call.answers:
            continue
        losses = phase.losses if phase else []
        asked = [places(call.answers, loss.rows) or frozenset() for loss in losses if loss.kind in KINDS]
        if trained <= frozenset[int]().union(*asked):
            continue  # the score of the training set, perhaps by class
        for loss in losses:
            tested = places(call.answers, loss.rows) if loss.kind in KINDS else None
            if not tested or tested == trained or len(tested) == len(call.answers):
                continue
            shared = len(tested & trained)
            if shared >= 8 and shared > 0.02 * len(tested):
                yield Finding(
                    "error",
                    "split-overlap",
                    f"of {len(call.answers)} rows that {type(call.module).__name__} puts out, {len(trained)} are "
                    f"trained on, and {shared} of these are among the {len(tested)} of a validation",
                    phase.step if phase else 0,
                    type(call.module).__name__,
                    certainty=0.9,
                )
