"""The links of the documentation: each leads to a file that is there, and to a heading that is in it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote

ROOT = Path(__file__).parents[2]
LINK = re.compile(r"!?\[(?:[^\[\]]|\[[^\]]*\])*\]\(<?([^)\s>]+)>?\)")
ELSEWHERE = ("http://", "https://", "mailto:")


def documents() -> list[Path]:
    """All that is written in markdown for readers."""
    return [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").glob("*.md"))]


def prose(text: str) -> str:
    """Markdown without its blocks and spans of code, in which a link is none."""
    text = re.sub(r"^(```+).*?^\1`*$", "", text, flags=re.MULTILINE | re.DOTALL)
    return re.sub(r"(`+)[^`]+?\1(?!`)", lambda span: "x" * len(span[0]), text)


def links(text: str) -> list[str]:
    """The targets of a text's links and pictures."""
    return LINK.findall(prose(text))


def anchors(text: str) -> set[str]:
    """What the headings of a markdown text can be reached by, as GitHub makes it."""
    headings = re.findall(r"^#{1,6} (.+?)\s*$", re.sub(r"^(```+).*?^\1`*$", "", text, flags=re.M | re.S), re.MULTILINE)
    seen: Counter[str] = Counter()
    found = set()
    for heading in headings:
        name = slug(heading)
        found.add(f"{name}-{seen[name]}" if seen[name] else name)
        seen[name] += 1
    return found


def slug(heading: str, separator: str = "-") -> str:
    """The anchor of a heading: small letters, no signs but `-` and `_`, spaces as dashes.

    >>> slug("`--deterministic`, and why?")
    '--deterministic-and-why'
    """
    return re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", separator)


def broken(document: Path) -> Iterator[str]:
    """The links of a markdown file that lead nowhere."""
    text = document.read_text(encoding="utf-8")
    for target in links(text):
        if target.startswith(ELSEWHERE):
            continue
        name, _, anchor = target.partition("#")
        place = document.parent / unquote(name) if name else document
        if (
            not place.exists()
            or ROOT not in (place.resolve(), *place.resolve().parents)
            or (anchor and (place.suffix != ".md" or anchor not in anchors(place.read_text(encoding="utf-8"))))
        ):
            yield target


class Page(HTMLParser):
    """What a page of HTML links to, and what in it can be linked to."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.targets: list[str] = []
        self.ids: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Called for each element."""
        known = dict(attrs)
        self.ids |= {value for value in (known.get("id"), known.get("name")) if value}
        self.targets += [value for value in (known.get("href"), known.get("src")) if value is not None]


def broken_pages(site: Path) -> Iterator[str]:
    """The links of a built site that lead nowhere, as `page: target`."""
    pages = {path: Page(path.read_text(encoding="utf-8")) for path in sorted(site.rglob("*.html"))}
    for path, page in pages.items():
        for target in page.targets:
            if target.startswith((*ELSEWHERE, "data:")):
                continue
            name, _, anchor = target.partition("#")
            place = (path.parent / unquote(name)).resolve() if name else path
            there = place.is_file() and (not anchor or (place in pages and anchor in pages[place].ids))
            if not there:
                yield f"{path.relative_to(site)}: {target}"
