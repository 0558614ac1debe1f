"""GitHub's markdown: text out of files is escaped, and nothing in it ends a table or a block of code."""

from __future__ import annotations

import re
from collections.abc import Sequence

_TURNING = (
    *range(0x202A, 0x202F),
    *range(0x2066, 0x206A),
)  # which way text runs: what follows would be shown backwards
_CONTROLS: dict[int, int | str] = {
    **{code: 0x2400 + code for code in range(0x20) if chr(code) not in "\n\t"},
    0x7F: 0x2421,
    **{code: f"[U+{code:04X}]" for code in (*range(0x80, 0xA0), *_TURNING)},
}
_SPECIAL = re.compile(r"([\\`*_\[\]<>&|#~$])")


def escape(text: str) -> str:
    """A text in one line, its signs without a meaning."""
    return _SPECIAL.sub(r"\\\1", harmless(" ".join(text.split())))


def harmless(text: str) -> str:
    """A text whose control characters are shown as signs: a terminal that prints the file would obey them, a browser
    those that turn the direction of text."""
    return text.translate(_CONTROLS)


def link(path: str) -> str:
    """A path as the address of a link in angle brackets."""
    return re.sub(r"[<>\\\x00-\x1f\x7f]", lambda match: f"%{ord(match[0]):02X}", path)


def as_table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table; nothing where it has no rows."""
    if not rows:
        return ""
    lines = [columns, ["---"] * len(columns), *rows]
    head, rule, *body = ["| " + " | ".join(map(_cell, line)) + " |" for line in lines]
    return "\n".join([head, rule, *body])


def _cell(text: str) -> str:
    return text if text == "---" else escape(text)


def span(text: str) -> str:
    """A code span, in one line, whose marks are longer than any row of backticks inside."""
    text = harmless(text.replace("\n", "\u240a"))
    longest = max((len(row) for row in re.findall("`+", text)), default=0)
    marks = "`" * (longest + 1)
    return f"{marks} {text} {marks}" if longest else f"`{text}`"


def bullets(lines: Sequence[str]) -> str:
    """A list of texts."""
    return "\n".join(f"- {escape(line)}" for line in lines)


def fenced(text: str, language: str = "") -> str:
    """A code block whose fence is longer than any row of backticks inside; nothing where there is no text."""
    longest = max((len(row) for row in re.findall("`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}{language}\n{harmless(text.rstrip())}\n{fence}" if text else ""


def details(title: str, body: str) -> str:
    """What is folded away until it is asked for; nothing where there is no body."""
    return f"<details><summary>{title}</summary>\n\n{body}\n\n</details>" if body else ""
