"""postmortem.md: answers between markers, which are renewed, and the words of whoever writes there, which stay."""

from __future__ import annotations

import hashlib
import re

from loopwright.postmortem import Postmortem
from loopwright.postmortem.statements import Answer
from loopwright.report.marking import escape, fenced, span

BLOCK = re.compile(r"<!-- begin loopwright ([a-z-]+) ([0-9a-f]{8}) -->\n(.*?)<!-- end loopwright \1 -->", re.DOTALL)
INTRODUCTION = (
    "What stands between the markers is written, and renewed, by `loopwright postmortem` from the records it names. "
    "What you write outside of them stays, and so does a part that you change or empty."
)


def renewed(text: str, found: Postmortem) -> tuple[str, list[str]]:
    """A postmortem.md that was `text` (empty: there was none), with its answers renewed.

    Then the names of those that were kept, because somebody has changed them.
    """
    blocks = {answer.name: body(answer) for answer in found.answers}
    kept: list[str] = []

    def renew(match: re.Match[str]) -> str:
        name, digest, inside = match.groups()
        if digest != digest_of(inside):
            kept.append(name)
            return match[0]
        return block(name, blocks.get(name, "There is nothing to say here any more.\n"))

    there = {match[1] for match in BLOCK.finditer(text)}
    new = [answer for answer in found.answers if answer.name not in there]
    before = BLOCK.sub(renew, text) if text.strip() else f"{head(found)}\n"
    added = "".join(f"\n## {answer.question}\n\n{block(answer.name, blocks[answer.name])}\n" for answer in new)
    return (before.rstrip("\n") + "\n" if added else before) + added, kept


def head(found: Postmortem) -> str:
    """The title, and how the file is to be used."""
    title = f"# Post-mortem of {escape(found.experiment)}, run {escape(found.run.absolute().name)}"
    return f"{title}\n\n{INTRODUCTION}\n"


def block(name: str, inside: str) -> str:
    """An answer between its markers; the first one tells whether somebody has changed it."""
    return f"<!-- begin loopwright {name} {digest_of(inside)} -->\n{inside}<!-- end loopwright {name} -->"


def digest_of(inside: str) -> str:
    """A few letters of the digest."""
    return hashlib.sha256(inside.encode("utf-8", "surrogateescape")).hexdigest()[:8]


def body(answer: Answer) -> str:
    """What is said, with the run and the file of each statement; commands; pictures."""
    parts = [escape(answer.lack)] if answer.lack else []
    said = [f"- {escape(one.text)} ({span(one.run)}, {span(one.source)})" for one in answer.statements]
    parts += ["\n".join(said)] if said else []
    parts += [f"![{escape(picture.title)}](plots/postmortem-{picture.name}.svg)" for picture in answer.pictures]
    parts += [f"{escape(one.what)}:\n\n{fenced(one.line, 'sh')}" for one in answer.commands]
    # The answer's text out of files cannot hold a marker: that would end the block early.
    return "\n\n".join(part.replace("-->", "--\\>") for part in parts) + "\n"
