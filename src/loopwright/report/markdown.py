"""report.md: what the page says, for terminals, pull requests and diffs; plots and pictures are linked."""

from __future__ import annotations

import re

from loopwright.report.artifacts import Section
from loopwright.report.content import Content, Finding
from loopwright.report.grids import Grid
from loopwright.report.verdict import Verdict

_SPECIAL = re.compile(r"([\\`*_\[\]<>&|#~$])")


def render_markdown(content: Content) -> str:
    """The report in GitHub's markdown; text out of files is escaped."""
    parts = [
        f"# {_escape(content.experiment)}, run {_escape(content.run)}",
        *_verdict(content.verdict),
        _bullets("Incomplete record", content.notes),
        *_curves(content),
        _grid(content.members),
        _grid(content.results),
        *(part for section in content.sections for part in _section(section)),
        _grid(content.progress),
        "## Findings",
        *_findings(content.findings),
        _bullets("Events", content.events),
        "## Configuration",
        _fenced(content.config, "toml"),
        "From `config.toml`.",
        "## Environment",
        _pairs(content.environment),
        _details("Changes since the commit (code.diff)", _fenced(content.patch, "diff")),
        _details("Packages", _pairs(content.packages)),
        "From `env.json`.",
        "## Commands",
        *(f"{what}:\n\n{_fenced(command, 'sh')}" for what, command in content.commands),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _escape(text: str) -> str:
    return _SPECIAL.sub(r"\\\1", " ".join(text.split()))


def _verdict(verdict: Verdict) -> list[str]:
    marks = {True: "✓ holds", False: "✗ missed", None: "○ open"}
    claims = [[claim.metric, claim.wanted, claim.reached, marks[claim.holds]] for claim in verdict.claims]
    tiles = [[tile.label, tile.value, tile.below] for tile in verdict.tiles]
    return [
        f"**{_escape(', '.join(text for text, _ in verdict.pills))}.** {_escape(verdict.sentence)}",
        *(f"**{_escape(alarm)}**" for alarm in verdict.alarms),
        *map(_escape, verdict.remarks),
        _table(["claim", "wanted", "reached", ""], claims),
        _table(["", "", ""], tiles),
        f"From {', '.join(map(_code, verdict.sources))}." if verdict.sources else "",
    ]


def _curves(content: Content) -> list[str]:
    plots = [
        f"![{plot.title}](plots/{plot.name}.svg)\n\n{plot.title}. {plot.caption}".strip() for plot in content.plots
    ]
    return ["## Curves", *(plots or ["There is nothing to draw yet."]), "From `logs/history.jsonl`."]


def _section(section: Section) -> list[str]:
    pictures = [
        f"![{_escape(picture.title)}](<{_link(picture.source)}>)\n\nFrom {_code(picture.source)}."
        for picture in section.pictures
    ]
    return [f"## {section.title}", *pictures, *(_grid(grid, "###") for grid in section.tables)]


def _link(path: str) -> str:
    return re.sub(r"[<>\\\n]", lambda match: f"%{ord(match[0]):02X}", path)


def _grid(grid: Grid | None, level: str = "##") -> str:
    if grid is None:
        return ""
    rows = [[cell.text for cell in row] for row in grid.rows]
    marked = [[*row, "←" if place in grid.marked else ""] for place, row in enumerate(rows)]
    body = _table([*grid.columns, ""], marked) if grid.marked else _table(grid.columns, rows)
    note = f"{_escape(grid.note)} " if grid.note else ""
    return f"{level} {_escape(grid.title)}\n\n{body}\n\n{note}From {_code(grid.source)}."


def _table(columns: list[str], rows: list[list[str]]) -> str:
    if not rows:
        return ""
    lines = [columns, ["---"] * len(columns), *rows]
    head, rule, *body = ["| " + " | ".join(map(_cell, line)) + " |" for line in lines]
    return "\n".join([head, rule, *body])


def _cell(text: str) -> str:
    return text if text == "---" else _escape(text)


def _code(text: str) -> str:
    """A code span whose marks are longer than any row of backticks inside."""
    longest = max((len(row) for row in re.findall("`+", text)), default=0)
    marks = "`" * (longest + 1)
    return f"{marks} {text} {marks}" if longest else f"`{text}`"


def _pairs(pairs: list[tuple[str, str]]) -> str:
    return _table(["", ""], [list(pair) for pair in pairs])


def _bullets(title: str, lines: list[str]) -> str:
    return "\n".join([f"## {title}\n", *(f"- {_escape(line)}" for line in lines)]) if lines else ""


def _findings(findings: list[Finding] | None) -> list[str]:
    if findings is None:
        return ["Nobody has looked for any."]
    return [
        *([_finding(finding) for finding in findings] or ["None: of what the doctor could check, nothing is wrong."]),
        "From `findings.json`.",
    ]


def _finding(finding: Finding) -> str:
    details = "\n".join(f"- {_escape(name)}: {_escape(text)}" for name, text in finding.details)
    return f"**{_escape(finding.severity)}: {_escape(finding.cause)}**\n\n{details}".strip()


def _fenced(text: str, language: str = "") -> str:
    """A code block whose fence is longer than any row of backticks inside."""
    longest = max((len(row) for row in re.findall("`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}{language}\n{text.rstrip()}\n{fence}" if text else ""


def _details(title: str, body: str) -> str:
    return f"<details><summary>{title}</summary>\n\n{body}\n\n</details>" if body else ""
