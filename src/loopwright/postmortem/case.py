"""One run as evidence: its record, what became of it, what the doctor says of it, and the numbers of its curves."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from loopwright.diagnosing import Curves, judge
from loopwright.doctor.causes import CAUSES
from loopwright.doctor.finding import Finding
from loopwright.journal.lock import in_hands
from loopwright.journal.runs import ROOT
from loopwright.postmortem.statements import Statement
from loopwright.report import curves
from loopwright.report.history import Floats, Series
from loopwright.report.overfitting import Onset, onset
from loopwright.report.plots import best_step, clip_norm
from loopwright.report.record import Record, broke_at
from loopwright.report.values import show
from loopwright.values import Table, number, table, tables, whole

HISTORY, SUMMARY, CONFIG = "logs/history.jsonl", "metrics.json", "config.toml"
GROWING = frozenset({"lr-too-large", "exploding-gradients", "non-finite"})
"""Causes whose picture is divergence."""
BROKE = re.compile(r"non-finite|\b(?:nan|inf)\b")
POINTS = 20_000
"""So many points of a curve are judged at most."""


@dataclass(frozen=True)
class Said:
    """Something wrong with a run, by the doctor. `source`: `findings.json`, or the history that was diagnosed."""

    severity: str
    cause: str
    step: int
    evidence: str
    source: str

    @property
    def serious(self) -> bool:
        """Whether it is a warning or an error."""
        return self.severity in ("error", "warning")

    def words(self, kind: str) -> str:
        """What is known about the cause: `wrong`, `fix` or `otherwise`; nothing about a cause of another version."""
        return str(getattr(CAUSES[self.cause], kind)) if self.cause in CAUSES else ""


@dataclass(frozen=True)
class Case:
    """A run that can be evidence of something."""

    record: Record

    @property
    def id(self) -> str:
        """The run's directory, as it would be typed."""
        return str(self.record.directory)

    def says(self, text: str, source: str) -> Statement:
        """A statement of this run's record."""
        return Statement(text, self.id, source)

    @property
    def experiment(self) -> str:
        """The name that `loopwright train` knows the experiment by."""
        return str(self.record.config.get("experiment") or self.record.experiment)

    @cached_property
    def status(self) -> str:
        """finished | failed | interrupted | running | unknown, or killed: it says that it runs, and does not."""
        said = str(self.record.metrics.get("status") or "unknown")
        if said in ("running", "unknown"):
            alive = in_hands(self.record.directory)
            return "running" if alive else "killed" if self.steps or said == "running" else "unknown"
        return said

    @property
    def reason(self) -> str:
        """Why it ended before its time, in a line."""
        return next(iter(show(self.record.metrics.get("reason") or "").splitlines()), "")

    @property
    def steps(self) -> int:
        """Steps done."""
        done = whole(self.record.metrics.get("steps"))
        return self.record.history.last_step if done is None else done

    @property
    def loss(self) -> Series:
        """The training loss of each step."""
        return self.record.history.curve("loss")

    @property
    def val_loss(self) -> Series:
        """The loss of each evaluation."""
        return self.record.history.validation("loss")

    @property
    def norm(self) -> Series:
        """The gradient norm of each step."""
        return self.record.history.curve("grad_norm")

    @property
    def beside(self) -> Path:
        """The directory that holds it and other runs by their names: `runs`, or of a member its sweep's members."""
        home = self.record.directory
        return home.parent.parent if len(home.parts) > 1 else home.absolute().parent.parent

    @property
    def root(self) -> Path:
        """Where runs are kept that belong to no sweep or study: `runs` say."""
        within = self.beside.absolute().parent / "members" == self.beside.absolute()
        return Path(os.path.normpath(self.beside / ".." / ".." / "..")) if within else self.beside

    @property
    def place(self) -> list[str]:
        """The flags with which `loopwright train` puts a run there."""
        return [] if self.root == ROOT else ["--run-dir", str(self.root)]

    @property
    def newest(self) -> Path:
        """What the same configuration, trained again, is then found as."""
        return self.root / self.record.directory.absolute().parent.name / "latest"

    @property
    def rate(self) -> float | None:
        """The configured learning rate."""
        config = self.record.config
        return number(table(config, "optimizer").get("lr", config.get("lr")))

    @cached_property
    def said(self) -> list[Said]:
        """What the doctor said while it ran, then what its record tells; each cause once."""
        seen = [said_of(finding) for finding in self.record.findings or []]
        known = {one.cause for one in seen}
        told = [
            Said(found.severity, found.cause, found.step, found.evidence, HISTORY)
            for found in self.judged
            if found.cause not in known
        ]
        order = {"error": 0, "warning": 1}
        return sorted([*seen, *told], key=lambda one: order.get(one.severity, 2))

    @cached_property
    def judged(self) -> list[Finding]:
        """What `loopwright diagnose` says of the record."""
        found = Curves(self.id, clip_norm=clip_norm(self.record) or 0.0, ended=self.broke_at)
        history = self.record.history
        series = {"loss": self.loss, "val_loss": self.val_loss, "norm": self.norm, "rate": history.curve("lr")}
        series["accuracy"] = history.validation("accuracy")
        for kind, one in series.items():
            getattr(found, kind).extend(sampled(one))
        return judge(found)

    @property
    def serious(self) -> list[Said]:
        """Warnings and errors."""
        return [one for one in self.said if one.serious]

    @property
    def missed(self) -> list[Table]:
        """The claims that were not kept."""
        return [claim for claim in tables(self.record.metrics.get("claims")) if claim.get("holds") is False]

    @property
    def healthy(self) -> bool:
        """It came to its end, kept its claims, has a curve that fell, and the doctor has nothing to say against it."""
        whole = self.status == "finished" and not self.serious and not self.missed
        return whole and len(curves.finite(self.loss)) > 7 and self.growth < 1

    @property
    def diverged(self) -> bool:
        """Its loss grew, or was no number."""
        if len(curves.non_finite(self.loss)) or (self.status == "failed" and BROKE.search(self.reason)):
            return True
        return any(one.cause in GROWING for one in self.serious) and self.growth > 1.5

    @property
    def growth(self) -> float:
        """The last training loss over the first; 1 where there are none."""
        points = curves.finite(self.loss).values
        if len(points) < 2 or points[0] <= 0:
            return 1.0
        return float(level(points[-3:]) / points[0])

    @cached_property
    def onset(self) -> Onset | None:
        """Where the run begins to overfit; None where it does not."""
        return onset(self.loss, self.val_loss)

    @property
    def rise(self) -> float:
        """The last level of the validation loss over the best, where it overfits; else 1."""
        return self.onset.last / self.onset.best if self.onset and self.onset.best > 0 else 1.0

    @property
    def broke_at(self) -> int | None:
        """The step that could not be done; None where it was not a step that ended the run."""
        return broke_at(self.record.metrics)

    @property
    def best_step(self) -> int | None:
        """The step of the best evaluation."""
        return best_step(self.record)


def said_of(finding: Table) -> Said:
    """A finding of findings.json, whoever wrote it."""
    return Said(
        severity=str(finding.get("severity") or "note"),
        cause=str(finding.get("cause") or "unnamed"),
        step=whole(finding.get("step")) or 0,
        evidence=show(finding.get("evidence") or "no evidence was written down"),
        source="findings.json",
    )


def sampled(series: Series) -> list[tuple[float, float]]:
    """The points of a curve, of a very long one every so many, and all that are no number."""
    stride = max(1, -(-len(series) // POINTS))
    kept = (np.arange(len(series)) % stride == 0) | ~np.isfinite(series.values)
    return list(zip(series.steps[kept].tolist(), series.values[kept].tolist(), strict=True))


def level(values: Floats) -> float:
    """The median."""
    return float(np.median(values))
