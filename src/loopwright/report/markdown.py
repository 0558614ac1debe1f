"""report.md: what the page says, for terminals, pull requests and diffs; plots and pictures are linked."""

from __future__ import annotations

from loopwright.files import mark
from loopwright.report.artifacts import Section
from loopwright.report.content import Content, Finding
from loopwright.report.grids import Grid
from loopwright.report.marking import as_table, bullets, details, escape, fenced, link, span
from loopwright.report.verdict import Verdict


def render_markdown(content: Content) -> str:
    """The report in GitHub's markdown; text out of files is escaped."""
    parts = [
        mark("report", "md"),
        f"# {escape(content.experiment)}, run {escape(content.run)}",
        *_verdict(content.verdict),
        f"Tagged {escape(', '.join(content.labels.tags))}." if content.labels.tags else "",
        *(
            ["## What was thought of it", fenced(content.labels.notes), "From `notes.md`."]
            if content.labels.notes
            else []
        ),
        _listed("Incomplete record", content.notes),
        *_curves(content),
        _grid(content.members),
        _grid(content.results),
        *(part for section in content.sections for part in _section(section)),
        _grid(content.progress),
        "## Findings",
        *_findings(content.findings),
        _listed("Events", content.events),
        "## Configuration",
        fenced(content.config, "toml"),
        "From `config.toml`.",
        "## Environment",
        _pairs(content.environment),
        details("Changes since the commit (code.diff)", fenced(content.patch, "diff")),
        details("Packages", _pairs(content.packages)),
        "From `env.json`.",
        "## Commands",
        *(f"{what}:\n\n{fenced(command, 'sh')}" for what, command in content.commands),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _verdict(verdict: Verdict) -> list[str]:
    marks = {True: "✓ holds", False: "✗ missed", None: "○ open"}
    claims = [[claim.metric, claim.wanted, claim.reached, marks[claim.holds]] for claim in verdict.claims]
    tiles = [[tile.label, tile.value, tile.below] for tile in verdict.tiles]
    return [
        f"**{escape(', '.join(text for text, _ in verdict.pills))}.** {escape(verdict.sentence)}",
        *(f"**{escape(alarm)}**" for alarm in verdict.alarms),
        *map(escape, verdict.remarks),
        as_table(["claim", "wanted", "reached", ""], claims),
        as_table(["", "", ""], tiles),
        f"From {', '.join(map(span, verdict.sources))}." if verdict.sources else "",
    ]


def _curves(content: Content) -> list[str]:
    plots = [
        f"![{plot.title}](plots/{plot.name}.svg)\n\n{plot.title}. {plot.caption}".strip() for plot in content.plots
    ]
    return ["## Curves", *(plots or ["There is nothing to draw yet."]), "From `logs/history.jsonl`."]


def _section(section: Section) -> list[str]:
    pictures = [
        f"![{escape(picture.title)}](<{link(picture.source)}>)\n\nFrom {span(picture.source)}."
        for picture in section.pictures
    ]
    return [f"## {section.title}", *pictures, *(_grid(grid, "###") for grid in section.tables)]


def _grid(grid: Grid | None, level: str = "##") -> str:
    if grid is None:
        return ""
    rows = [[cell.text for cell in row] for row in grid.rows]
    marked = [[*row, "←" if place in grid.marked else ""] for place, row in enumerate(rows)]
    body = as_table([*grid.columns, ""], marked) if grid.marked else as_table(grid.columns, rows)
    note = f"{escape(grid.note)} " if grid.note else ""
    return f"{level} {escape(grid.title)}\n\n{body}\n\n{note}From {span(grid.source)}."


def _pairs(pairs: list[tuple[str, str]]) -> str:
    return as_table(["", ""], [list(pair) for pair in pairs])


def _findings(findings: list[Finding] | None) -> list[str]:
    if findings is None:
        return ["Nobody has looked for any."]
    return [
        *([_finding(finding) for finding in findings] or ["None: of what the doctor could check, nothing is wrong."]),
        "From `findings.json`.",
    ]


def _finding(finding: Finding) -> str:
    details = "\n".join(f"- {escape(name)}: {escape(text)}" for name, text in finding.details)
    return f"**{escape(finding.severity)}: {escape(finding.cause)}**\n\n{details}".strip()


def _listed(title: str, lines: list[str]) -> str:
    return f"## {title}\n\n{bullets(lines)}" if lines else ""
