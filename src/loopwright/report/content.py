"""Everything that a report says, gathered once; the page and the markdown file only lay it out."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from textwrap import shorten

from loopwright.labels import Labels, labels_of
from loopwright.report import artifacts, grids
from loopwright.report.again import changed_since, of_project, train_again
from loopwright.report.artifacts import Section
from loopwright.report.charts import Chart
from loopwright.report.clock import Clock
from loopwright.report.grids import Grid
from loopwright.report.interactive import draw_charts
from loopwright.report.overfitting import onset
from loopwright.report.plots import Plot, best_step, draw_plots
from loopwright.report.record import Record
from loopwright.report.values import show
from loopwright.report.verdict import Verdict, judge
from loopwright.values import Table, number

_EVENTS = 50
_PATCH = 100_000  # characters


@dataclass(frozen=True, slots=True)
class Finding:
    """What the doctor said: its severity, its headline, and the rest by name."""

    severity: str
    cause: str
    details: list[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Content:
    """A report. `notes`: what is missing or damaged. `labels`: what people say of the run. `charts`: by their plot.
    `patch`: the changes since the commit."""

    experiment: str
    run: str
    verdict: Verdict
    notes: list[str]
    labels: Labels
    plots: list[Plot]
    charts: dict[str, list[Chart]]
    sections: list[Section]
    members: Grid | None
    results: Grid | None
    progress: Grid | None
    findings: list[Finding] | None
    events: list[str]
    config: str
    environment: list[tuple[str, str]]
    packages: list[tuple[str, str]]
    patch: str
    commands: list[tuple[str, str]]


def gather(record: Record) -> Content:
    """Draw the plots and put together what the report on `record` says."""
    notes = list(record.notes)
    best, found = best_step(record), onset(record.history.curve("loss"), record.history.validation("loss"))
    clock = Clock.of(record.history, number(record.metrics.get("epochs")))
    env = _flat(record.env)
    return Content(
        experiment=record.experiment,
        run=record.directory.absolute().name,
        verdict=judge(record, best, found, clock),
        plots=draw_plots(record, found),
        charts=draw_charts(record, clock, found),
        sections=artifacts.sections(record.directory, notes),
        notes=notes,
        labels=labels_of(record.directory),
        members=grids.members(record),
        results=grids.results(record),
        progress=grids.progress(record, best),
        findings=None if record.findings is None else [_finding(finding) for finding in record.findings],
        events=_events(record),
        config=record.config_text,
        environment=[(key, text) for key, text in env if not key.startswith("packages.")],
        packages=[(key.removeprefix("packages."), text) for key, text in env if key.startswith("packages.")],
        patch=record.patch[:_PATCH] + ("\n… the rest is in code.diff" if len(record.patch) > _PATCH else ""),
        commands=_commands(record),
    )


def _flat(values: Table, prefix: str = "") -> list[tuple[str, str]]:
    """The leaves of nested tables, as `outer.inner` and text."""
    leaves: list[tuple[str, str]] = []
    for key, value in values.items():
        name = f"{prefix}{key}"
        leaves += _flat(value, f"{name}.") if isinstance(value, dict) else [(name, _exact(name, value))]
    return leaves


def _exact(name: str, value: object) -> str:
    """Environment values are quoted rather than rounded; the command line as it would be typed."""
    if name == "command" and isinstance(value, list):
        return shlex.join(str(word) for word in value)
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else show(value)


_ORDER = {
    "wrong": "what is wrong",
    "step": "step",
    "where": "where",
    "evidence": "evidence",
    "probe": "tested",
    "fix": "fix",
    "otherwise": "unless",
}
"""In which order a finding is told, and in which words."""


def _finding(finding: Table) -> Finding:
    shown = {
        key: value for key, value in finding.items() if key not in ("severity", "cause", "certainty") and value != ""
    }
    order = [*(key for key in _ORDER if key in shown), *(key for key in shown if key not in _ORDER)]
    details = [(_ORDER.get(key, str(key)), show(shown[key])) for key in order]
    return Finding(str(finding.get("severity") or "note"), str(finding.get("cause") or "unnamed"), details)


def _events(record: Record) -> list[str]:
    events = record.history.events
    lines = [_event(event) for event in events[-_EVENTS:]]
    return ([f"({len(events) - _EVENTS:,} earlier ones are left out)"] if len(events) > _EVENTS else []) + lines


def _event(event: Table) -> str:
    others = {key: value for key, value in event.items() if key not in ("kind", "step", "event", "seconds")}
    details = shorten(show(others), 200, placeholder=" …")
    return f"Step {show(event.get('step'))}: {show(event.get('event'))}" + (f" ({details})" if others else "")


def _commands(record: Record) -> list[tuple[str, str]]:
    run = shlex.quote(str(record.directory))
    name = str(record.config.get("experiment") or record.experiment)
    again = ("Run the same again", train_again(record))
    resume = ("Continue where it stopped", f"loopwright resume {run}")
    audit = ("Prove that the same gives the same bits, killed and resumed too", f"loopwright audit {shlex.quote(name)}")
    evaluate = ("Evaluate its best checkpoint", f"loopwright evaluate {run}")
    diagnose = ("Ask what its record alone tells", f"loopwright diagnose {run}")
    if of_project(record):
        other = " (its code was another: source.py)" if changed_since(record) else ""
        return [(f"Run the same again{other}", train_again(record)), diagnose]
    return [again, resume, audit] if record.is_study else [again, resume, evaluate, diagnose, audit]
