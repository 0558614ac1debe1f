"""What came of every experiment: claimed, reached, how long it took, what the doctor says, and where to read on."""

from __future__ import annotations

import os
import platform
import shlex
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import torch

from loopwright import __version__
from loopwright.campaign.everything import Entry, member_runs
from loopwright.core.study import Study
from loopwright.errors import counted
from loopwright.files import check_folder, check_ours, make_directory, mark, write_durably
from loopwright.lines import revive
from loopwright.report.marking import escape, link
from loopwright.report.page import environment
from loopwright.report.values import show_metric, show_seconds
from loopwright.running.summary import judged
from loopwright.values import number, read_json, table, tables

GOOD = ("reached", "done")
BAD = ("missed", "sick", "failed")
WORDS = {
    "reached": "every claim holds",
    "done": "carried out; nothing is claimed",
    "missed": "a claim is missed",
    "sick": "the doctor found an error",
    "failed": "did not come to its end",
    "left out": "could not be run here",
    "not done": "stopped before it was done",
}
"""The verdicts, the good ones first."""


@dataclass(frozen=True)
class Row:
    """One experiment in the results. `claimed` and `reached` go side by side. `run`: its directory, where there is
    one."""

    name: str
    summary: str
    size: str
    verdict: str
    claimed: tuple[str, ...] = ()
    reached: tuple[str, ...] = ()
    seconds: float | None = None
    findings: tuple[str, ...] = ()
    run: Path | None = None
    reason: str = ""

    @property
    def time(self) -> str:
        """How long training and testing took."""
        return "" if self.seconds is None else show_seconds(self.seconds)

    @property
    def report(self) -> Path | None:
        """Its page, where there is one."""
        return self.run / "report.html" if self.run and (self.run / "report.html").is_file() else None


def row(entry: Entry, run: Path | None, reasons: Mapping[str, str]) -> Row:
    """What the files of a run or study say; `reasons`: what a job said last where no file can say it."""
    size = " ".join(entry.flags) if entry.flags else "as it is"
    if entry.missing:
        return Row(entry.name, entry.summary, size, "left out", reason=entry.missing)
    if run is None:
        verdict = "failed" if entry.name in reasons else "not done"
        return Row(entry.name, entry.summary, size, verdict, reason=reasons.get(entry.name, ""))
    return study_row(entry, run, size, reasons) if isinstance(entry.made, Study) else run_row(entry, run, size, reasons)


def run_row(entry: Entry, run: Path, size: str, reasons: Mapping[str, str]) -> Row:
    """The row of an experiment from the files of its run."""
    metrics = revive(read_json(run / "metrics.json"))
    claims = tables(metrics.get("claims")) or [judged(claim, metrics) for claim in entry.claims]
    found = findings([run])
    verdict, reason = "reached" if claims else "done", ""
    if metrics.get("status") != "finished":
        stopped = metrics.get("status") in ("interrupted", "running") and entry.name not in reasons
        verdict = "not done" if stopped else "failed"
        reason = str(metrics.get("reason") or reasons.get(entry.name, ""))
    elif not all(claim.get("holds") is True for claim in claims):
        verdict = "missed"
    elif any(one.startswith("error") for one in found):
        verdict = "sick"
    claimed = tuple(bounds(claim) for claim in claims)
    reached = tuple(show_metric(number(claim.get("reached"))) for claim in claims)
    return Row(entry.name, entry.summary, size, verdict, claimed, reached, seconds([metrics]), found, run, reason)


def study_row(entry: Entry, run: Path, size: str, reasons: Mapping[str, str]) -> Row:
    """The row of a study from the files of its members."""
    runs = [one for one in member_runs(entry, run) if one]
    metrics = [read_json(one / "metrics.json") for one in runs]
    done = sum(one.get("status") == "finished" for one in metrics)
    lost = [why for name, why in reasons.items() if name == entry.name or name.startswith(f"{entry.name}/")]
    verdict = "done"
    if read_json(run / "metrics.json").get("status") != "finished":
        verdict = "failed" if lost else "not done"
    reached = (f"{done} of {len(entry.experiments)} runs finished",)
    time, found = seconds(metrics), findings(runs)
    claimed = ("nothing: a study",)
    return Row(entry.name, entry.summary, size, verdict, claimed, reached, time, found, run, "; ".join(lost[:1]))


def bounds(claim: Mapping[str, Any]) -> str:
    """What is claimed: `test.best.accuracy ≥ 0.985`."""
    low, high = number(claim.get("at_least")), number(claim.get("at_most"))
    if low is not None and high is not None:
        return f"{low:.4g} ≤ {claim.get('metric')} ≤ {high:.4g}"
    return f"{claim.get('metric')} " + (f"≥ {low:.4g}" if low is not None else f"≤ {high:.4g}" if high else "")


def seconds(metrics: Sequence[Mapping[str, Any]]) -> float | None:
    """How long training and testing took, of all runs together."""
    parts = [number(table(one, "timing").get(name)) for one in metrics for name in ("train_seconds", "test_seconds")]
    known = [part for part in parts if part is not None]
    return sum(known) if known else None


def findings(runs: Sequence[Path]) -> tuple[str, ...]:
    """Errors and warnings of the doctor, each cause once, with the number of runs where there are several."""
    counted: Counter[str] = Counter()
    for run in runs:
        found = tables(read_json(run / "findings.json").get("findings"))
        kinds = {f"{one.get('severity')}: {one.get('cause')}" for one in found}
        counted.update(kind for kind in kinds if kind.startswith(("error", "warning")))
    return tuple(kind + f" ({count} runs)" * (len(runs) > 1) for kind, count in sorted(counted.items()))


@dataclass(frozen=True)
class Results:
    """All rows, at which size, by which command, and how long all of it took (None where it was not done at once)."""

    rows: tuple[Row, ...]
    size: str
    command: tuple[str, ...]
    seconds: float | None = None

    @property
    def good(self) -> bool:
        """Whether nothing missed its expectation."""
        return all(one.verdict not in BAD for one in self.rows)

    @property
    def counts(self) -> list[tuple[str, int]]:
        """How many experiments came to each verdict."""
        counted = Counter(one.verdict for one in self.rows)
        return [(verdict, counted[verdict]) for verdict in WORDS if counted[verdict]]

    @property
    def sentence(self) -> str:
        """All of it in a sentence."""
        told = ", ".join(f"{count} {verdict}" for verdict, count in self.counts)
        took = f" Training and tests took {show_seconds(sum(one.seconds or 0.0 for one in self.rows))}"
        took += "." if self.seconds is None else f", all of it {show_seconds(self.seconds)}."
        return f"{counted(len(self.rows), 'experiment')} at the {self.size} size: {told}.{took}"

    @property
    def facts(self) -> list[tuple[str, str]]:
        """Where, with what, and how to do it again."""
        machine = f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores"
        versions = f"Loopwright {__version__}, Python {platform.python_version()}, PyTorch {torch.__version__}"
        return [("command", shlex.join(self.command)), ("machine", machine), ("versions", versions)]


def write_results(results: Results, directory: Path) -> tuple[Path, Path]:
    """Write results.md and results.html into `directory`; their paths. Raises RunError where others are there."""
    page, text = directory / "results.html", directory / "results.md"
    check_free(directory)
    make_directory(directory)
    for path, content in ((text, as_markdown(results, directory)), (page, as_page(results, directory))):
        write_durably(path, lambda file, content=content: file.write(content.encode("utf-8", "replace")))  # type: ignore[misc]
    return text, page


def check_free(directory: Path) -> None:
    """Raise RunError where a file that we would write is there and not ours, or where no directory can be."""
    check_folder(directory)
    for name in ("results.md", "results.html"):
        check_ours(directory / name, "run-all")


def to(path: Path, directory: Path) -> str:
    """The address of a file, seen from `directory`."""
    return os.path.relpath(path, directory)


def as_markdown(results: Results, directory: Path) -> str:
    """The results in GitHub's markdown."""
    head = ["experiment", "run as", "claimed", "reached", "verdict", "time", "the doctor", "report"]
    lines = [head, ["---"] * len(head), *(cells(one, directory) for one in results.rows)]
    table_lines = ["| " + " | ".join(line) + " |" for line in lines]
    reasons = [f"- {escape(one.name)}: {one.verdict}, {escape(one.reason)}" for one in results.rows if one.reason]
    facts = [f"- {name}: `{text}`" for name, text in results.facts]
    words = [f"- {verdict}: {WORDS[verdict]}" for verdict, _ in results.counts]
    parts = ["\n".join(part) for part in (words, reasons, facts) if part]
    above = [mark("run-all", "md"), "# Results", escape(results.sentence)]
    return "\n\n".join([*above, "\n".join(table_lines), *parts]) + "\n"


def cells(one: Row, directory: Path) -> list[str]:
    """A row of the markdown table."""
    places = [("page", one.report), ("files", one.run)]
    links = ", ".join(f"[{word}](<{link(to(path, directory))}>)" for word, path in places if path)
    texts = (one.name, one.size, "; ".join(one.claimed), "; ".join(one.reached), one.verdict, one.time)
    return [*map(escape, texts), escape(", ".join(one.findings)), links]


def as_page(results: Results, directory: Path) -> str:
    """The results as a page. All text out of files is escaped by the template engine."""
    links = {one.name: quote(to(one.report, directory)) for one in results.rows if one.report}
    tones = {verdict: "good" if verdict in GOOD else "bad" if verdict in BAD else "warn" for verdict in WORDS}
    template = environment(Path(__file__).parent).get_template("results.html.j2")
    return template.render(results=results, links=links, tones=tones, words=WORDS, version=__version__)
