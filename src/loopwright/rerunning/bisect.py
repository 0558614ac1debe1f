"""Two runs compared: what differs in their records, the first step at which they part, and what in that step does."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from loopwright.config import replace_at
from loopwright.core.arithmetic import arithmetic
from loopwright.core.experiment import Experiment
from loopwright.errors import LoopwrightError, PrecisionError, UsageError
from loopwright.lines import to_line
from loopwright.matching.histories import Parting, last_resume, parting, recorded_step
from loopwright.matching.tensors import unequal
from loopwright.rerunning.causes import SIDES, Cause, Evidence, Replays, causes
from loopwright.rerunning.differences import Difference, first_difference
from loopwright.rerunning.records import Change, changes, different_experiments, run_with_history
from loopwright.rerunning.rerun import SILENT, Recorded, Walk
from loopwright.rerunning.trace import Trace, module_calls
from loopwright.running.config import values
from loopwright.running.session import Watchers
from loopwright.store.checkpoints import step_files

UNFIT = (LoopwrightError, ValueError, RuntimeError, LookupError, TypeError)
"""What a state of one experiment raises in the model or optimizer of another."""


@dataclass(frozen=True)
class Bisection:
    """All that was found out about two runs. `refusals` say why a run could not be replayed, where it could not.

    Of runs that are `unrelated`, of two different experiments, no step is done again.
    """

    a: Path
    b: Path
    changes: tuple[Change, ...]
    steps: Parting
    validations: Parting
    refusals: tuple[str | None, str | None]
    replays: Replays | None
    causes: tuple[Cause, ...]
    unrelated: bool = False

    @property
    def part(self) -> bool:
        """Whether the histories disagree anywhere in what both have."""
        return bool(self.steps.step or self.validations.step)

    def as_json(self) -> dict[str, Any]:
        """All of it."""
        return {**asdict(self), "a": str(self.a), "b": str(self.b), "part": self.part}


def bisect(
    a: Path,
    b: Path,
    references: tuple[str | None, str | None] = (None, None),
    watchers: tuple[Watchers, Watchers] = (SILENT, SILENT),
) -> Bisection:
    """Compare the runs at `a` and `b`, and where their steps part, do that step again in both, in memory.

    `references` name the experiments again where they are one's own; `watchers` look on at what is done of each run.
    Raises RunError where `a` or `b` is no run with a history.
    """
    runs = run_with_history(a), run_with_history(b)
    changed, steps, validations = changes(*runs), parting(*runs, "step"), parting(*runs, "validation")
    refusals: tuple[str | None, str | None] = (None, None)
    replays = None
    if different_experiments(*runs):
        return Bisection(*runs, tuple(changed), steps, validations, refusals, replays, (), unrelated=True)
    if steps.step:
        left, right = opening(runs[0], references[0], watchers[0]), opening(runs[1], references[1], watchers[1])
        refusals = left if isinstance(left, str) else None, right if isinstance(right, str) else None
        if isinstance(left, Recorded) and isinstance(right, Recorded):
            replays = replayed(left, right, steps.step)
    resumes = last_resume(runs[0], steps.step), last_resume(runs[1], steps.step)
    evidence = Evidence(changed, replays, steps.step, resumes)
    found = causes(evidence) if steps.step or validations.step else []
    return Bisection(*runs, tuple(changed), steps, validations, refusals, replays, tuple(found))


def opening(run: Path, reference: str | None, watchers: Watchers) -> Recorded | str:
    """The run, ready to be done again; or why it cannot be."""
    try:
        return Recorded.open(run, reference, watchers)
    except UsageError as error:
        return str(error)


def replayed(a: Recorded, b: Recorded, step: int) -> Replays:
    """Find the step that takes the runs apart, `step` or one before it, and do it again in both."""
    left, right = together(a, b, step)
    number, origins = left.state.step + 1, (left.origin, right.origin)
    # What a model remembers outside of its state is in the walk alone, which did the steps before as the run did.
    (left, of_a), (right, of_b) = ran(left), ran(right)
    traces = traced(left), traced(right)
    repeated = self_difference(left, of_a, traces[0]), self_difference(right, of_b, traces[1])
    records = [to_line(recorded_step(recorded.run, number)) for recorded in (a, b)]
    fresh = repeated[0] is not None and repeats(a, left), repeated[1] is not None and repeats(b, right)
    if any(fresh):  # what is left over in this process must not be taken for what the runs part in
        traces = traced(left, a.anew()), traced(right, b.anew())
    difference = first_difference(*traces)
    stable = difference is not None and not any(repeated)
    return Replays(
        step=number,
        origins=origins,
        difference=difference,
        reproduced=(to_line(of_a.record) == records[0], to_line(of_b.record) == records[1]),
        repeated=repeated,
        fresh=fresh,
        refused=(strictly(left) if repeated[0] else None, strictly(right) if repeated[1] else None),
        alone=tuple(accounting(left, right, traces[1])) if stable else (),
    )


def together(a: Recorded, b: Recorded, step: int) -> tuple[Walk, Walk]:
    """Both runs just before the step that takes them apart.

    That is `step`, unless the states before it differ already: then both go back to where their states are the same,
    and forward step by step. States that differ from the beginning are those before the first step.
    """
    for steps in starts(a, b, step):
        left, right = a.after(steps), b.after(steps)
        if steps == 0 or same(left, right):
            break
    if not same(left, right):
        return left, right
    a.watchers.begin(step - 1, 0)
    for done in range(steps + 1, step):
        if not same(left.to(done), right.to(done)):
            return a.after(done - 1), b.after(done - 1)
    return left, right


def starts(a: Recorded, b: Recorded, step: int) -> list[int]:
    """Numbers of steps after which the runs can be compared: just before `step`, at checkpoints, at the beginning."""
    saved = {number for recorded in (a, b) for number, _ in step_files(recorded.run / "checkpoints")}
    return sorted({step - 1, 0, *(number for number in saved if number < step)}, reverse=True)


def same(a: Walk, b: Walk) -> bool:
    """Whether what the next step depends on is equal in every bit."""
    return next(unequal(a.tensors(), b.tensors()), None) is None


def ran(walk: Walk) -> tuple[Walk, Trace]:
    """The next step of a walk, done by itself, as `replay` does it; and a walk of its own from the state before it."""
    with arithmetic(walk.experiment):
        walk.close()
    kept = walk.again()
    return kept, walk.trace(module_calls)


def traced(walk: Walk, experiment: Experiment | None = None) -> Trace:
    """The next step of a walk, which itself stays where it is."""
    return walk.again(experiment).trace(module_calls)


def self_difference(walk: Walk, trace: Trace, again: Trace) -> Difference | None:
    """How the step differs from itself, done again from the same state, `again` and once more; None where it never
    does."""
    found = (first_difference(trace, other) for other in (again, traced(walk)))
    return next((difference.again() for difference in found if difference is not None), None)


def repeats(recorded: Recorded, walk: Walk) -> bool:
    """Whether the step is the same each time that the experiment is imported anew for it."""
    first, second = (traced(walk, recorded.anew()) for _ in range(2))
    return first_difference(first, second) is None


def strictly(walk: Walk) -> str | None:
    """What is said where an operation of the step is refused in strict mode; None where none is."""
    try:
        traced(walk, replace(walk.experiment, deterministic=True))
    except (PrecisionError, RuntimeError) as error:
        said = str(error).removeprefix("deterministic: ")
        return said.partition("; ")[0].partition(". ")[0] if "determinis" in said else None
    return None


def accounting(a: Walk, b: Walk, target: Trace) -> Iterator[str]:
    """The settings each of which, taken over from B alone, turns the step of A into `target`, that of B."""
    for path in settings_apart(a.experiment, b.experiment):
        theirs = functools.reduce(getattr, path.split("."), b.experiment)
        a.watchers.say(f"trying the step of {SIDES[0]} with {path} of {SIDES[1]}")
        try:
            difference = first_difference(traced(a, replace_at(a.experiment, path, theirs)), target)
        except UNFIT:
            continue
        if difference is None:
            yield path


def settings_apart(a: Experiment, b: Experiment) -> Iterator[str]:
    """The settings in which two experiments differ, by dotted path; a section of another class as a whole."""
    ours, theirs = values(a), values(b)
    whole: list[str] = []
    for path in ours:
        if path not in theirs or any(path.startswith(section + ".") for section in whole):
            continue
        if repr(ours[path]) != repr(theirs[path]):
            whole += [path] if isinstance(ours[path], type) else []
            yield path
