"""What happened to this run: what failed, when, the evidence, the cause, the fix, and how to verify it."""

from __future__ import annotations

import shlex

from loopwright.errors import counted, some
from loopwright.journal.runs import kind_of
from loopwright.postmortem.case import HISTORY, SUMMARY, Case, Said
from loopwright.postmortem.drawing import losses
from loopwright.postmortem.remedies import changed, longer, remedy, verifying
from loopwright.postmortem.statements import Answer, Command, Statement
from loopwright.report import curves
from loopwright.report.values import show, show_metric
from loopwright.values import Table, tables, texts

LAST = 5
"""So many steps before the end are shown."""
MOST = 3
"""So many causes are told."""


def happened(case: Case, twin: Case | None) -> tuple[Answer, ...]:
    """The story of a run that went wrong; of one that did not, that it did not. `twin`: a healthy one like it."""
    if case.record.is_study:
        return (study(case),)
    if case.status in ("running", "unknown"):
        return (Answer("what", "What happened?", *so_far(case)),)
    if case.status == "finished" and not case.serious and not case.missed:
        return (Answer("what", "What happened?", (well(case),)),)
    return (what(case), evidence(case), cause(case, twin), fix(case, twin))


def so_far(case: Case) -> tuple[tuple[Statement, ...], str]:
    """Of a run that goes on, or that never began: what can be said, and what cannot."""
    if case.status == "running":
        return (case.says(f"Nothing yet: a process is training it, {case.steps:,} steps are done.", HISTORY),), ""
    return (), f"The record says nothing of a training: {'; '.join(case.record.notes) or 'it is empty'}."


def well(case: Case) -> Statement:
    """Nothing went wrong."""
    claims = len(tables(case.record.metrics.get("claims")))
    dropped = case.record.metrics.get("claims_dropped")
    none = f"its claims are not judged ({show(dropped)})" if dropped else "it claims nothing"
    held = f"{claims} of {claims} claims kept" if claims else none
    looked = "no doctor looked at it" if case.record.findings is None else "0 warnings and errors"
    return case.says(f"Nothing failed: {case.steps:,} steps to the end, {held}, {looked}.", SUMMARY)


def study(case: Case) -> Answer:
    """How the members of a study or a sweep ended, and which are left to be done."""
    members = tables(case.record.metrics.get("members"))
    failed = [one for one in members if one.get("status") == "failed"]
    done = [one for one in members if one.get("status") == "finished"]
    planned = max(len(members), len(texts(case.record.env.get("members"))))
    left = planned - len(done) - len(failed)
    names = [member_name(one) for one in failed]
    told = [f"{len(done)} of {counted(planned, 'member')} finished", f"{len(failed)} failed"]
    told[1] += f" ({some(names, 8)})" if names else ""
    if left:
        told.append(f"{left} left to be done")
    kind = kind_of(case.record.directory)
    commands = [
        Command(f"Why {member_name(one)} failed", shlex.join(["loopwright", "postmortem", show(one["run"])]))
        for one in failed
        if one.get("run")
    ]
    if left and case.status != "running":
        commands.append(Command("Do what is left", shlex.join(["loopwright", "resume", case.id])))
    said = case.says(f"A {kind}, {case.status}: {', '.join(told)}.", SUMMARY)
    return Answer("what", "What happened?", (said,), commands=tuple(commands))


def member_name(member: Table) -> str:
    """A member by its label, in a study its experiment."""
    return show(member.get("name") or member.get("experiment"))


def what(case: Case) -> Answer:
    """What failed, and when."""
    planned = case.record.config.get("steps")
    steps = f"{case.steps:,}" + (f" of {planned:,}" if isinstance(planned, int) else "")
    if case.status == "failed":
        told = f"The run failed after step {steps}: {case.reason or 'no reason was written down'}."
    elif case.status == "interrupted":
        told = f"The run was stopped by a signal after step {steps}, and saved. That is no fault."
    elif case.status == "killed":
        told = (
            f"The process is gone and left no word: the record ends at step {steps}. Killed, out of memory, or the "
            "machine went down."
        )
    elif case.status != "finished":
        # A word in the summary that no version of ours has written.
        told = f"The record ends at step {steps}, and calls the run {case.status}."
    elif case.missed:
        claims = "; ".join(map(claimed, case.missed))
        told = f"The run finished {steps} steps and missed {len(case.missed)} of its claims: {claims}."
    else:
        first = case.serious[0]
        told = f"The run finished {steps} steps, with something wrong since step {first.step:,}: {first.cause}."
    return Answer("what", "What failed, and when?", (case.says(told, SUMMARY if case.record.metrics else HISTORY),))


def claimed(claim: Table) -> str:
    """A claim, and what was reached."""
    stated = [(words, claim.get(words.replace(" ", "_"))) for words in ("at least", "at most")]
    bounds = " and ".join(f"{words} {show(bound, 6)}" for words, bound in stated if bound is not None)
    return f"{show(claim.get('metric'))} {bounds}, reached {show(claim.get('reached'), 5)}"


def evidence(case: Case) -> Answer:
    """The numbers: the last steps, what was not finite, what the doctor saw, with steps."""
    said = [*last_steps(case), *lost(case)]
    said += [
        case.says(f"{one.severity} at step {one.step:,}, {one.cause}: {one.evidence}.", one.source)
        for one in case.serious
    ]
    if case.missed and improving(case):
        metric, _ = case.record.deciding
        said.append(case.says(f"The best {metric} was that of the last evaluation, step {case.steps:,}.", HISTORY))
    lack = "" if said else "The history has no step, and the doctor found nothing."
    drawn = (losses(case, "this-run", "This run", marks(case)),) if len(case.loss) else ()
    return Answer("evidence", "What is the evidence?", tuple(said), lack, pictures=drawn)


def marks(case: Case) -> tuple[tuple[float, str], ...]:
    """The step that broke, else the first at which something was seen."""
    if case.broke_at:
        return ((float(case.broke_at), f"broke, step {case.broke_at:,}"),)
    seen = next((one.step for one in case.serious if 0 < one.step <= case.record.history.last_step), None)
    return ((float(seen), f"seen, step {seen:,}"),) if seen else ()


def last_steps(case: Case) -> list[Statement]:
    """The losses and gradient norms of the last steps."""
    if not len(case.loss):
        return []
    norms = dict(zip(case.norm.steps.tolist(), case.norm.values.tolist(), strict=True))
    last = zip(case.loss.steps[-LAST:].tolist(), case.loss.values[-LAST:].tolist(), strict=True)
    told = "; ".join(
        f"step {step:,.0f}: loss {show_metric(value)}, gradient norm {show_metric(norms.get(step))}"
        for step, value in last
    )
    if len(case.loss) <= LAST:
        return [case.says(f"All its steps: {told}.", HISTORY)]
    first = f"step {case.loss.steps[0]:,.0f}: loss {show_metric(float(case.loss.values[0]))}"
    return [case.says(f"Its first step and its last: {first}; {told}.", HISTORY)]


def lost(case: Case) -> list[Statement]:
    """Where the curves are no numbers."""
    said = []
    for name, series in (
        ("training loss", case.loss),
        ("gradient norm", case.norm),
        ("validation loss", case.val_loss),
    ):
        steps = curves.non_finite(series)
        if len(steps):
            text = (
                f"The {name} is no number in {len(steps):,} of {len(series):,} records, first at step {steps[0]:,.0f}."
            )
            said.append(case.says(text, HISTORY))
    return said


def cause(case: Case, twin: Case | None) -> Answer:
    """What the doctor names, and what differs from the healthy run beside it."""
    said = [case.says(explained(one), one.source) for one in case.serious[:MOST]]
    if not said and case.status in ("interrupted", "killed"):
        by = "a signal" if case.status == "interrupted" else "the end of its process"
        text = f"No fault of the training, but {by}: up to step {case.steps:,} the doctor has nothing against it."
        said = [case.says(text, HISTORY)]
    lack = "" if said else "The doctor names no cause, neither in findings.json nor from the history."
    if twin is not None:
        differs = changed(case, twin)
        told = f"differences in the configuration: {len(differs)}{', ' if differs else ''}{'; '.join(differs[:8])}"
        said.append(case.says(f"Beside {twin.id}, which is healthy, {told}.", "config.toml"))
    looking = Command("Its first steps, samples and evaluation", shlex.join(["loopwright", "check", case.experiment]))
    return Answer("cause", "What is the cause?", tuple(said), lack, (looking,) if lack else ())


def explained(one: Said) -> str:
    """A cause in words, and what else it could be."""
    wrong, otherwise = one.words("wrong"), one.words("otherwise")
    return f"{one.cause}, seen at step {one.step:,}: {wrong or one.evidence}." + (
        f" Unless: {otherwise}." * bool(otherwise)
    )


def fix(case: Case, twin: Case | None) -> Answer:
    """What to change, and the commands that show whether it helped."""
    asked = "What is the fix, and how do I verify it?"
    if case.status in ("interrupted", "killed") and not case.serious:
        text = f"Nothing to mend: it goes on with the bits it would have had without the stop at step {case.steps:,}."
        go_on = Command("Go on", shlex.join(["loopwright", "resume", case.id]))
        return Answer("fix", asked, (case.says(text, "checkpoints"),), commands=(go_on,))
    first = case.serious[0] if case.serious else None
    flags = remedy(first.cause, case, twin) if first else []
    said = [
        case.says(f"For {one.cause} of step {one.step:,}: {one.words('fix')}.", one.source)
        for one in case.serious[:MOST]
        if one.words("fix")
    ]
    if case.missed and not first and improving(case):
        flags = longer(case)
        said.append(case.says(f"More training: it was still getting better at step {case.steps:,}.", HISTORY))
    step = case.broke_at or (first.step if first else None)
    lack = "" if said else "No cause is named, so no fix is known. Look at the step, and at what the checks say."
    return Answer("fix", asked, tuple(said), lack, tuple(verifying(case, step, flags)))


def improving(case: Case) -> bool:
    """Whether the last evaluation was the best."""
    return case.best_step is not None and case.best_step == case.steps
