"""The documentation as a site: the same markdown, in pages that find each other without a network.

What the text links to outside of docs/, source files say, becomes a page of its own: a copy of the site is whole.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import jinja2
import markdown

from docs.making.links import ELSEWHERE, LINK, ROOT, broken_pages, slug

DOCS = ROOT / "docs"
HOME = "index.md"
PICTURES = (".svg", ".png")
EXTENSIONS = ["fenced_code", "tables", "toc", "sane_lists"]


def build(site: Path) -> list[str]:
    """Write the site into the directory `site`, which is emptied before; its links that lead nowhere."""
    if site.exists():
        shutil.rmtree(site)
    site.mkdir(parents=True)
    template = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    ).get_template("page.html.j2")
    order = contents()
    for folder in ("figures", "pictures"):
        if (DOCS / folder).is_dir():
            shutil.copytree(DOCS / folder, site / folder)
    for picture in (path for path in DOCS.iterdir() if path.suffix in PICTURES):
        shutil.copy(picture, site / picture.name)
    shown: set[Path] = set()
    for path, title in order:
        text, outside = rewritten(path.read_text(encoding="utf-8"), path)
        shown |= outside
        place = order.index((path, title))
        near = [order[at] if 0 <= at < len(order) else None for at in (place - 1, place + 1)]
        page = template.render(
            title=title, body=html(text), pages=[(p.stem, t) for p, t in order], here=path.stem, near=near, up=""
        )
        (site / f"{path.stem}.html").write_text(page, encoding="utf-8")
    for path in shown:
        write_source(path, site, template, order)
    return list(broken_pages(site))


def contents() -> list[tuple[Path, str]]:
    """The pages with their titles, in the order in which the home page links to them; then what it does not link to."""
    linked = [DOCS / name for name in LINK.findall((DOCS / HOME).read_text(encoding="utf-8")) if "/" not in name]
    order = dict.fromkeys([DOCS / HOME, *(path for path in linked if path.suffix == ".md"), *sorted(DOCS.glob("*.md"))])
    return [(path, title(path)) for path in order]


def title(path: Path) -> str:
    """The first heading."""
    found = re.search(r"^# (.+)$", path.read_text(encoding="utf-8"), re.MULTILINE)
    return found[1].strip() if found else path.stem


def html(text: str) -> str:
    """Markdown as HTML; headings have the anchors that GitHub gives them."""
    return markdown.markdown(text, extensions=EXTENSIONS, extension_configs={"toc": {"slugify": slug}})


def rewritten(text: str, document: Path) -> tuple[str, set[Path]]:
    """The text with its links as the site has them, and the files outside of docs/ that it links to."""
    outside: set[Path] = set()

    def change(match: re.Match[str]) -> str:
        target = match[1]
        name, sign, anchor = target.partition("#")
        if target.startswith((*ELSEWHERE, "#")):
            return match[0]
        place = Path(os.path.normpath(document.parent / name))
        if place.is_relative_to(DOCS):
            new = re.sub(r"\.md$", ".html", name) + sign + anchor
        else:
            outside.add(place)
            new = f"files/{place.relative_to(ROOT)}.html"
        return match[0].replace(target, new)

    parts = re.split(r"(^```.*?^```$)", text, flags=re.MULTILINE | re.DOTALL)  # every second one is a block of code
    return "".join(part if place % 2 else LINK.sub(change, part) for place, part in enumerate(parts)), outside


def write_source(path: Path, site: Path, template: jinja2.Template, order: list[tuple[Path, str]]) -> None:
    """A page that shows a file, or what is in a folder, with a page for each file in it."""
    name = path.relative_to(ROOT)
    page = site / "files" / f"{name}.html"
    if page.exists():
        return
    page.parent.mkdir(parents=True, exist_ok=True)
    up = "../" * len(name.parts)
    if path.is_dir():
        inside = sorted(listed(path))
        items = "\n".join(f"- [{one.name}]({path.name}/{one.name}.html)" for one in inside)
        body = html(f"# {name}\n\n{items}")
    else:
        inside, escaped = [], str(jinja2.filters.escape(path.read_text(encoding="utf-8", errors="replace")))
        body = f"<h1>{name}</h1>\n<pre><code>{escaped}</code></pre>"
    pages = [(one.stem, heading) for one, heading in order]
    rendered = template.render(title=str(name), body=body, pages=pages, here="", near=[None, None], up=up)
    page.write_text(rendered, encoding="utf-8")
    for one in inside:
        write_source(one, site, template, order)


def listed(folder: Path) -> Iterator[Path]:
    """What of a folder is shown: its programs and texts."""
    for path in folder.iterdir():
        if path.suffix in (".py", ".md", ".toml", ".j2", ".txt") or (path.is_dir() and any(path.glob("*.py"))):
            yield path
