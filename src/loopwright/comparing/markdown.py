"""report.md of a comparison: what the page says, with static pictures beside it."""

from __future__ import annotations

from loopwright.comparing.blocks import Block, Bullets, Code, Drawings, Folded, Table, Text
from loopwright.comparing.document import Document, Section
from loopwright.comparing.overlays import Drawing
from loopwright.files import mark
from loopwright.report.marking import as_table, bullets, details, escape, fenced, link


def render_markdown(document: Document, plots: str) -> str:
    """The document in GitHub's markdown; its pictures lie in the folder `plots` beside it."""
    parts = [
        mark("compare", "md"),
        f"# {escape(document.title)}",
        f"**{escape(', '.join(text for text, _ in document.pills))}.** {escape(document.sentence)}",
        *(section(one, plots) for one in document.sections),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def section(one: Section, plots: str) -> str:
    """A section with its heading."""
    blocks = [block(each, plots) for each in one.blocks]
    return "\n\n".join([f"## {escape(one.title)}", *(text for text in blocks if text)])


def block(one: Block, plots: str) -> str:
    """One block."""
    match one:
        case Text():
            return escape(one.text)
        case Bullets():
            return bullets(one.lines)
        case Table():
            return table(one)
        case Code():
            return fenced(one.text, one.language)
        case Folded():
            return details(escape(one.title), fenced(one.text, one.language))
        case Drawings():
            return "\n\n".join(picture(each, plots) for each in one.drawings) or "There is nothing to draw."


def picture(one: Drawing, plots: str) -> str:
    """A picture with its words."""
    return f"![{escape(one.title)}](<{link(plots)}/{one.name}.svg>)\n\n{escape(f'{one.title}. {one.caption}')}"


def table(one: Table) -> str:
    """A table with its note."""
    rows = [[*row] for row in one.rows]
    for place in one.strong:
        rows[place][0] += " ←"
    body = "\n\n".join(part for part in (as_table(one.columns, rows), escape(one.note)) if part)
    return details(one.folded, body) if one.folded else body
