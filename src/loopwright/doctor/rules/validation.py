"""Validations beside each other."""

from __future__ import annotations

from collections.abc import Iterator

from loopwright.doctor.finding import Finding
from loopwright.doctor.rule import View, rule
from loopwright.doctor.rules.modes import repeated, validating

TWICE = 2


@rule("phase", "random-validation", needs="phases")
def augmented(view: View) -> Iterator[Finding]:
    """The same labels in the same order, three validations running, and each time other inputs from the loader."""
    phase = view.phase
    if not phase or not phase.step:
        return
    for module in {id(call.module) for call in phase.calls}:
        calls = [call for call in phase.calls if id(call.module) == module and not call.grad]
        asked = tuple(loss.asked for loss in phase.losses if loss.asked)
        asked = asked or tuple(call.asked for call in calls if call.asked and call.batch)
        if not calls or not asked or not all(call.batch and call.floating for call in calls):
            continue
        inputs = tuple(call.hash for call in calls)
        seen = view.program.notes.of(calls[0].module)
        labels, before, changes = seen.validated
        alike = labels == asked and len(before) == len(inputs)
        changes = changes + 1 if alike and not set(before) & set(inputs) else 0
        seen.validated = asked, inputs, changes
        if changes == TWICE:
            yield Finding(
                "warning",
                "random-validation",
                f"in {TWICE + 1} validations the labels are the same, in the same order, and each of the {len(inputs)} "
                "input batches is another one every time",
                phase.step,
                certainty=0.85,
            )


@rule("phase", "random-evaluation", needs="phases")
def dropped_in_evaluation(view: View) -> Iterator[Finding]:
    """A validation in evaluation mode in which something is dropped: by a function that nobody told of the mode."""
    phase = view.phase
    if not phase or not phase.step:
        return
    for module in {id(call.module): call.module for call in phase.calls}.values():
        calls = [call for call in phase.calls if call.module is module]
        if not view.scene.trains(module) or repeated(calls) or not validating(view, phase, calls):
            continue
        if all(call.drew for call in calls):
            yield Finding(
                "error",
                "random-evaluation",
                f"after step {phase.step}, {type(module).__name__} is in evaluation mode, and {calls[0].drew} is at "
                "work in it all the same: pass training=self.training",
                phase.step,
                type(module).__name__,
                certainty=0.93,
            )
