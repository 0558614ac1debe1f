"""Parameters that two optimizers hold."""

from __future__ import annotations

from collections.abc import Iterator

from loopwright.doctor.finding import Finding
from loopwright.doctor.measures import place
from loopwright.doctor.records import Step
from loopwright.doctor.rule import View, rule


@rule("step", "duplicate-parameter")
def held_twice(view: View) -> Iterator[Finding]:
    """Two optimizers that both step hold the same parameter, within one backward pass."""
    step = view.step
    if not step or step.number != 3:
        return
    for held, _ in view.program.living():
        shared = held.parameters & step.held.parameters
        if held is not step.held and shared and abs(held.steps - step.held.steps) <= 1 and "backward" not in step.order:
            yield Finding(
                "warning",
                "duplicate-parameter",
                f"{len(shared)} parameters are updated by {held.kind} and by {step.held.kind} after the same backward "
                "pass",
                step.number,
                certainty=0.8,
            )


@rule("step", "duplicate-parameter")
def trained_against(view: View) -> Iterator[Finding]:
    """An optimizer holds all that another one holds, and what makes its input besides, and asks it to say of that what
    the other one teaches it not to: a generator's that trains the discriminator, too."""
    step = view.step
    if not step or step.number not in (2, 4) or not step.held.parameters:
        return
    for held, _ in view.program.living():
        before = constants(*view.program.recent(held)[-1:])
        if not step.held.parameters < held.parameters or not before or not before < constants(step):
            continue
        made = {
            place(output)
            for call in view.scene.calls
            if not call.flowed and call.grad and view.scene.anatomy(call.module).names.keys() <= held.parameters
            for output in call.outputs
        }
        if any(place(given) in made for call in step.kept for given in call.inputs):
            yield Finding(
                "error",
                "duplicate-parameter",
                f"{held.kind} holds {held.size} parameters, among them all {step.held.size} of another "
                f"{step.held.kind}, which are trained on what the rest of them makes, detached: the two pull against "
                "each other",
                step.number,
                certainty=0.88,
            )


def constants(*steps: Step) -> set[int]:
    """The labels that all rows of a loss have: what a critic is to say of what is real, or made."""
    return {one.label for step in steps for one in step.summaries if one.labels == 1 and one.kind.startswith("binary")}
