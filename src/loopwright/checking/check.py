"""What a check is, which there are, and carrying them out."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Literal

from loopwright.checking.subject import Subject
from loopwright.core.arithmetic import arithmetic
from loopwright.core.experiment import Experiment
from loopwright.doctor.finding import Finding, ranked
from loopwright.doctor.shield import Shield

Verdict = Literal["fine", "doubtful", "wrong", "not applicable", "failed"]


class NotApplicableError(Exception):
    """A check has nothing to look at here; the message says what is missing."""


@dataclass(frozen=True)
class Result:
    """What came of a check: `told` in one line, and what was found."""

    name: str
    verdict: Verdict
    told: str
    seconds: float
    findings: tuple[Finding, ...] = ()


@dataclass
class Told:
    """What a check has to say besides findings; it may be set while the check runs."""

    text: str = ""


Look = Callable[[Subject, Told], Iterator[Finding]]


@dataclass(frozen=True)
class Check:
    """`name` in words, and the function that looks."""

    name: str
    look: Look


CHECKS: list[Check] = []


def check(name: str) -> Callable[[Look], Look]:
    """Make a check of the function below."""

    def register(look: Look) -> Look:
        CHECKS.append(Check(name, look))
        return look

    return register


@dataclass(frozen=True)
class Checked:
    """All results."""

    results: list[Result] = field(default_factory=list)

    @property
    def findings(self) -> list[Finding]:
        """What was found, the most probable cause first; each cause in each place once."""
        return ranked(finding for result in self.results for finding in result.findings)


def check_experiment(
    experiment: Experiment,
    checks: Iterable[Check] | None = None,
    begin: Callable[[str], None] = lambda name: None,
) -> Checked:
    """Carry out `checks` (all of them) on an experiment that is resolved and checked; `begin` is told of each.

    Nothing is written, and the experiment is afterwards what it was. A check that fails is a result of its own.
    """
    results = []
    with arithmetic(experiment):
        subject = Subject(experiment)
        for each in CHECKS if checks is None else checks:
            begin(each.name)
            results.append(carried_out(each, subject))
    return Checked(results)


def carried_out(each: Check, subject: Subject) -> Result:
    """The result of one check."""
    failures: dict[str, str] = {}
    told, began = Told(), time.perf_counter()
    findings: list[Finding] = []
    missing = ""
    with Shield(each.name, failures):
        try:
            findings.extend(each.look(subject, told))
        except NotApplicableError as error:
            missing = str(error)
    seconds = time.perf_counter() - began
    if failures:
        return Result(each.name, "failed", failures[each.name], seconds)
    if missing:
        return Result(each.name, "not applicable", missing, seconds)
    wrong = any(finding.serious for finding in findings)
    verdict: Verdict = "wrong" if wrong else "doubtful" if findings else "fine"
    return Result(each.name, verdict, told.text, seconds, tuple(findings))
