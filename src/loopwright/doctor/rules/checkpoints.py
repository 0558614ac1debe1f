"""What is loaded, and what is lost on the way."""

from __future__ import annotations

from collections.abc import Iterator

from loopwright.doctor.finding import Finding
from loopwright.doctor.measures import ends_with
from loopwright.doctor.rule import View, rule
from loopwright.doctor.rules.updates import settings_of
from loopwright.errors import some


@rule("step", "partial-load", needs="loads")
@rule("phase", "partial-load", needs="loads")
@rule("end", "partial-load", needs="loads")
def loaded_in_part(view: View) -> Iterator[Finding]:
    """load_state_dict(strict=False) found none of the names, or names that differ by a prefix."""
    for load in view.program.loads:
        nothing = load.lacking >= load.total > 0
        ends = [name for name in load.unexpected if any(ends_with(name, one) for one in load.missing)]
        if nothing or ends:
            yield Finding(
                "error" if nothing else "warning",
                "partial-load",
                f"{load.lacking} of {load.total} entries of {load.kind} were not in the checkpoint, "
                f"{len(load.unexpected)} of the checkpoint's were not used ({some(load.unexpected, 2) or 'none'} "
                f"beside {some(load.missing, 2)})",
                view.program.count,
                load.kind,
                certainty=0.9,
            )


@rule("step", "weights-not-restored", needs="loads")
@rule("phase", "weights-not-restored", needs="loads")
@rule("end", "weights-not-restored", needs="loads")
def loaded_from_itself(view: View) -> Iterator[Finding]:
    """`best = model.state_dict()` keeps no copy: when it is loaded back, the weights are those of the last step."""
    for load in view.program.loads:
        if load.own and load.step:
            yield Finding(
                "error",
                "weights-not-restored",
                f"what was loaded into {load.kind} after step {load.step} is the memory of {load.kind} itself: "
                "state_dict() makes no copy, and training has changed it ever since; deepcopy it when it is best",
                load.step,
                load.kind,
                certainty=0.93,
            )


@rule("step", "optimizer-not-saved", needs="loads")
def begun_again(view: View) -> Iterator[Finding]:
    """Weights were loaded, and training goes on with a new optimizer, told the same as the old, without its state."""
    step = view.step
    built = view.program.notes.built
    again = len({load.step for load in view.program.loads}) > 1  # who loads weights time after time has a plan
    if not step or step.number != 1 or len(built) < 2 or not step.settings or again:
        return
    optimizer = step.held.optimizer()
    restored = view.program.notes.restored
    loaded = view.program.notes.loaded
    mine = settings_of(built, step.held)
    before = [
        one.held
        for one in built
        if one.held is not step.held and one.held.steps >= 5 and one.held.kind == step.held.kind and one.told == mine
        if one.held.size == step.held.size and not step.held.anew(one.held)
    ]
    if before and step.remembers and step.held.parameters <= loaded.keys() and id(optimizer) not in restored:
        yield Finding(
            "warning",
            "optimizer-not-saved",
            f"the weights of {len(step.held.parameters)} parameters were loaded, and a new {step.held.kind} with the "
            f"same settings goes on where one with {before[-1].steps} steps stopped, without its state",
            step.number,
            certainty=0.8,
        )


@rule("step", "optimizer-not-saved", needs="loads")
def left_in_the_file(view: View) -> Iterator[Finding]:
    """A checkpoint holds an optimizer's state; its weights were loaded, and an optimizer told the same goes on
    without that state."""
    step, notes = view.step, view.program.notes
    if not step or step.number not in (1, 2) or not step.settings:
        return
    fits = [stored for stored in view.program.read if stored.parameters == len(step.held.parameters)]
    same = [stored for stored in fits if all(step.settings.get(k) == stored.settings.get(k) for k in SETTINGS)]
    rates = {stored.settings.get("initial_lr", stored.settings.get("lr")) for stored in same}
    mine = step.settings.get("initial_lr", step.settings.get("lr"))
    all_loaded = step.held.parameters <= notes.loaded.keys()
    if any(summary.mean > GUESSED * summary.chance for summary in step.summaries):
        return  # no better than guessing: these weights were trained on something else
    if step.remembers and mine in rates and all_loaded and id(step.held.optimizer()) not in notes.restored:
        yield Finding(
            "warning",
            "optimizer-not-saved",
            f"the checkpoint that the weights were loaded from holds the state of an optimizer with the same settings; "
            f"{step.held.kind} begins without it",
            step.number,
            certainty=0.8,
        )


@rule("step", "schedule-not-saved", needs="loads")
@rule("end", "schedule-not-saved", needs="loads")
def schedule_begun_again(view: View) -> Iterator[Finding]:
    """A checkpoint holds how far a schedule had come; the optimizer has its state of it, the schedule begins anew."""
    program, notes = view.program, view.program.notes
    for number, schedule in program.schedules.items() if program.scheduled else ():
        again = 0 < schedule.steps == schedule.place and not schedule.older and schedule.before < BEGUN
        if not again or number in notes.restored or id(schedule.held.optimizer()) not in notes.resumed:
            continue
        alike = [each for each in program.scheduled if each.steps >= BEGUN and each.told == schedule.told]
        goes_on = any(abs(schedule.first - each.rate) <= NEAR * max(each.rate, schedule.first) for each in alike)
        if alike and not goes_on:  # a rate may be computed from where it stopped
            yield Finding(
                "warning",
                "schedule-not-saved",
                f"the checkpoint holds a schedule that had made {max(each.steps for each in alike)} steps; the "
                f"optimizer has its state from there, and {schedule.kind}, told the same, begins at its first step",
                program.count,
                schedule.kind,
                certainty=0.85,
            )


BEGUN, NEAR = 5, 0.1
"""A schedule that had made so many steps has a place to lose."""
GUESSED = 1.05
SETTINGS = ("betas", "momentum", "weight_decay", "eps", "nesterov", "amsgrad")
"""What tells one use of an optimizer from another, beside its rate."""
