"""Validations beside each other."""

from __future__ import annotations

from collections.abc import Iterator

from torch.utils.data import Subset

from loopwright.doctor.finding import Finding
from loopwright.doctor.program import Loader
from loopwright.doctor.records import Call
from loopwright.doctor.rule import View, rule
from loopwright.doctor.rules.modes import repeated, validating

TWICE = 2


@rule("phase", "random-validation", needs="phases")
def augmented(view: View) -> Iterator[Finding]:
    """The same labels in the same order, three validations running, and each time other inputs from the loader."""
    phase = view.phase
    if not phase or not phase.step:
        return
    for _, every in phase.by_module:
        calls = [call for call in every if not call.grad]
        asked = tuple(loss.asked for loss in phase.losses if loss.asked)
        if not asked and of_one_set(view, calls):
            asked = tuple(call.asked for call in calls if call.asked)
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


def of_one_set(view: View, calls: list[Call]) -> bool:
    """Whether what is validated comes from the very data set that is trained on: parts of it, with what augments it."""
    trained = {id(root_of(loader)) for loader in view.program.loaders.values() if loader.trains}
    known = {id(loader): loader for loader in view.program.loaders.values()}
    given = [known.get(call.source) for call in calls]
    return all(loader is not None and id(root_of(loader)) in trained and loader.plain for loader in given)


def root_of(loader: Loader) -> object:
    """The data set that a loader's samples come from in the end."""
    there = loader.loader()
    dataset = getattr(there, "dataset", None)
    while isinstance(dataset, Subset):
        dataset = dataset.dataset
    return dataset


@rule("phase", "random-evaluation", needs="phases")
def dropped_in_evaluation(view: View) -> Iterator[Finding]:
    """A validation in evaluation mode in which something is dropped: by a function that nobody told of the mode."""
    phase = view.phase
    if not phase or not phase.step:
        return
    for module, calls in phase.by_module:
        if not view.scene.trains(module) or repeated(calls) or not validating(view, phase, calls):
            continue
        several = max(call.draws for call in calls) > view.program.notes.of(module).draws  # a mean of many passes
        if all(call.drew for call in calls) and not several:
            yield Finding(
                "warning",
                "random-evaluation",
                f"after step {phase.step}, {type(module).__name__} is in evaluation mode, and {calls[0].drew} is at "
                "work in it all the same: pass training=self.training",
                phase.step,
                type(module).__name__,
                certainty=0.93,
            )
