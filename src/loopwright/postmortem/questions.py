"""The five questions that a post-mortem of a training answers, each from runs and labs that are there."""

from __future__ import annotations

import math
import shlex
from collections.abc import Sequence

from loopwright.errors import counted
from loopwright.postmortem.case import Case
from loopwright.postmortem.drawing import beside, losses
from loopwright.postmortem.labs import Harm
from loopwright.postmortem.lessons import (
    by_the_doctor,
    first_signals,
    hurt_most,
    looks_healthy,
    ranked_first,
    up_in_lab,
)
from loopwright.postmortem.sayings import apart, fall, kept, named, norms, up, validation
from loopwright.postmortem.statements import Answer, Command
from loopwright.postmortem.survey import Survey
from loopwright.report.again import of_project, train_again
from loopwright.significance import least_pairs

MANY = 10
"""Of fewer faults tried, the most important part is one of those few."""


def answered(found: Survey, harms: Sequence[Harm]) -> tuple[Answer, ...]:
    """All five."""
    return (
        healthy(found),
        divergence(found, harms),
        overfitting(found),
        most_important(found, harms),
        where_to_look(found, harms),
    )


def healthy(found: Survey) -> Answer:
    """What does a healthy curve look like?"""
    case, asked = found.healthy, "What does a healthy curve look like here?"
    if case is None:
        wanted = "is healthy, which is finished, its claims kept, and nothing found by the doctor"
        train = Command("A run as the experiment stands", training(found.own, found.own.experiment))
        return Answer("healthy", asked, lack=lacking(found, wanted), commands=(train,))
    said = (*found.elsewhere(case, "is healthy"), fall(case), *validation(case), *norms(case), *kept(case))
    return Answer("healthy", asked, said, pictures=(losses(case, "healthy", f"Healthy: {case.id}"),))


def divergence(found: Survey, harms: Sequence[Harm]) -> Answer:
    """What does divergence look like?"""
    case, name, asked = found.diverged, found.own.experiment, "What does divergence look like here?"
    grown = [one for one in harms if one.growth > 1.5]
    harm = max(grown, key=lambda one: (one.experiment == name, one.lost, one.growth), default=None)
    if harm is not None:
        drawn = beside(harm, "losses", "divergence", f"Diverged: {harm.fault} in {harm.lab}")
    elif case is not None:
        drawn = losses(case, "divergence", f"Diverged: {case.id}")
    else:
        lack = lacking(found, "diverged, and no lab has a fault that makes one diverge")
        make = Command("Divergence on demand", breaking(name, "--fault", "diverge"))
        if of_project(found.own.record):
            make = Command("Divergence on demand", train_again(found.own.record, ["--lr", "1e5", "--clip-norm", "0"]))
        return Answer("divergence", asked, lack=lack, commands=(make,))
    said = [*([up(case)] if case else []), *([up_in_lab(harm)] if harm else [])]
    return Answer("divergence", asked, tuple(said), pictures=(drawn,))


def overfitting(found: Survey) -> Answer:
    """What does overfitting look like?"""
    case, asked = found.overfitted, "What does overfitting look like here?"
    if case is None or case.onset is None:
        train = Command("A hundred points, learned by heart", training(found.own, "points"))
        if of_project(found.own.record):
            train = Command("Four times as long", train_again(found.own.record, ["--steps", str(4 * found.own.steps)]))
        return Answer("overfitting", asked, lack=lacking(found, "overfits"), commands=(train,))
    step = case.onset.step
    drawn = losses(case, "overfitting", f"Overfits: {case.id}", ((float(step), f"onset, step {step:,}"),))
    said = (*found.elsewhere(case, "overfits"), *apart(case, case.onset))
    return Answer("overfitting", asked, said, pictures=(drawn,))


def most_important(found: Survey, harms: Sequence[Harm]) -> Answer:
    """What is the single most important part of the loop?"""
    name, asked = found.own.experiment, "What is the single most important part of the loop?"
    every = Command(f"Every fault that can be made in {whose(found)}, by how much it hurts", breaking(name, "--all"))
    biting = [one for one in harms if one.bites]
    if not biting:
        judged = sum(len(one.trials) >= least_pairs() for one in harms)
        few = f", {len(harms) - judged} with fewer seeds than the {least_pairs()} it takes to tell" * (
            judged < len(harms)
        )
        lack = f"No evidence yet: {counted(len(harms), 'fault')} tried in labs, none seen to bite{few}."
        return Answer("most-important", asked, lack=lack, commands=(every,))
    own = [one for one in biting if one.experiment == name] or biting
    worst = max(own, key=lambda one: one.hurt)
    tried = [one for one in harms if one.experiment == worst.experiment]
    others = sorted((one for one in own if one is not worst and math.isfinite(one.worse)), key=lambda one: -one.worse)
    said = (ranked_first(worst, tried), *map(hurt_most, others[:3]))
    shown = others[0] if worst.lost and others else worst  # what ends at once makes a poor picture
    drawn = beside(shown, "losses" if shown.lost else "metrics", "most-important", f"{shown.fault} in {shown.lab}")
    commands = (every,) if len(tried) < MANY else ()
    return Answer("most-important", asked, said, commands=commands, pictures=(drawn,))


def where_to_look(found: Survey, harms: Sequence[Harm]) -> Answer:
    """Where to look first when training goes wrong?"""
    asked = "Where do I look first when a training goes wrong?"
    biting = [one for one in harms if one.bites]
    sick = [case for case in found.all if case.serious]
    if not biting and not sick:
        lack = lacking(found, "is sick, and no lab shows what is seen first")
        line = breaking(found.own.experiment, "--fault", "diverge", "no-zero-grad", "double-softmax")
        return Answer(
            "look-first",
            asked,
            lack=lack,
            commands=(Command(f"Three faults in {whose(found)}, and what shows them", line),),
        )
    said = (*by_the_doctor(biting), *first_signals(biting), *looks_healthy(biting), *map(named, sick[:3]))
    return Answer("look-first", asked, said)


def training(case: Case, experiment: str) -> str:
    """The command that trains an experiment beside a run."""
    if of_project(case.record) and experiment == case.experiment:
        return train_again(case.record)
    return shlex.join(["loopwright", "train", experiment, *case.place])


def whose(found: Survey) -> str:
    """What is broken by `loopwright break`: of a project, the experiment that it was made from."""
    return f"the engine's {found.own.experiment}" if of_project(found.own.record) else "it"


def breaking(experiment: str, *flags: str) -> str:
    """The command that makes a lab."""
    return shlex.join(["loopwright", "break", experiment, *flags])


def lacking(found: Survey, what: str) -> str:
    """How many runs were looked at, and what none of them does."""
    read = len(found.all)
    unread = found.beside + 1 - read
    more = f" ({unread:,} more were not read)" if unread else ""
    return f"No evidence yet: of {read} run{'s' * (read > 1)}{more} none {what}."
