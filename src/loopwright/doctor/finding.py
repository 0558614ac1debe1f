"""A finding: what the doctor says, with its evidence."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any, Literal

from loopwright.doctor.causes import CAUSES

Severity = Literal["error", "warning", "info"]
SEVERITIES: tuple[Severity, ...] = ("error", "warning", "info")


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong, or (`info`) that may be.

    `cause` is a name of `causes.CAUSES`. `evidence` has the numbers. `step` is the optimizer step at which it was seen,
    0 before the first; `where` the module, parameter, file or split. `probe` says how the suspicion was tested and what
    came of it; empty where the evidence needs no test. `certainty` in [0, 1] orders findings: what is a fact of the
    program's structure comes before what numbers suggest.
    """

    severity: Severity
    cause: str
    evidence: str
    step: int = 0
    where: str = ""
    probe: str = ""
    certainty: float = 0.5

    def __post_init__(self) -> None:
        if self.cause not in CAUSES:
            raise KeyError(self.cause)

    @property
    def wrong(self) -> str:
        """What is the matter, as a sentence."""
        return CAUSES[self.cause].wrong

    @property
    def fix(self) -> str:
        """What to do, in one line."""
        return CAUSES[self.cause].fix

    @property
    def otherwise(self) -> str:
        """What else could explain the evidence."""
        return CAUSES[self.cause].otherwise

    @property
    def rank(self) -> tuple[int, float, int]:
        """What findings are sorted by: the worst, surest and earliest first."""
        return SEVERITIES.index(self.severity), -self.certainty, self.step

    @property
    def serious(self) -> bool:
        """Whether it is a warning or an error."""
        return self.severity != "info"

    def as_dict(self) -> dict[str, Any]:
        """Plain values, as they stand in findings.json."""
        return {**asdict(self), "wrong": self.wrong, "fix": self.fix, "otherwise": self.otherwise}

    def text(self) -> str:
        """A few lines for a terminal."""
        place = f" in {self.where}" if self.where else ""
        lines = [f"{self.severity}: {self.cause} (step {self.step}{place}): {self.wrong}", f"evidence: {self.evidence}"]
        lines += [f"tested: {self.probe}"] if self.probe else []
        return "\n  ".join([*lines, f"fix: {self.fix}", f"unless: {self.otherwise}"])


EXPLAINED = {"lr-too-large": ("unscaled-input", "unscaled-target"), "non-finite": ("log-of-zero",)}
"""What a cause may come of: where one of those is found, too, it is the more probable one."""


def ranked(findings: Iterable[Finding]) -> list[Finding]:
    """The most probable cause first, each cause in each place once; behind what explains it."""
    found: dict[tuple[str, str], Finding] = {}
    for finding in sorted(findings, key=lambda one: one.rank):
        found.setdefault((finding.cause, finding.where), finding)
    told = list(found.values())
    for cause, roots in EXPLAINED.items():
        at = next((number for number, one in enumerate(told) if one.cause == cause), len(told))
        behind = [one for one in told[at:] if one.cause in roots and one.serious]
        told = [*told[:at], *behind, *(one for one in told[at:] if one not in behind)]
    return told
