"""report.html: one file that asks for nothing outside itself; its only script is ours, known by its digest."""

from __future__ import annotations

import base64
import hashlib
from functools import cache
from pathlib import Path

import jinja2
from markupsafe import Markup

from loopwright import __version__
from loopwright.report.artifacts import data_uri
from loopwright.report.content import Content
from loopwright.report.marking import harmless

_FOLDER = Path(__file__).parent
_VENDOR = _FOLDER / "vendor"
_NOTICE = "/* uPlot: MIT License, Copyright (c) 2022 Leon Sorokin */"


def render_page(content: Content) -> str:
    """The page as HTML. All text out of files is escaped by the template engine."""
    return environment().get_template("report.html.j2").render(report=content, version=__version__)


def environment(*folders: Path) -> jinja2.Environment:
    """What renders the templates of this folder, and those of `folders`, which may include and import ours."""
    made = jinja2.Environment(
        loader=jinja2.FileSystemLoader([*folders, _FOLDER]),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=shown,
    )
    made.filters["address"] = lambda svg: data_uri(svg.encode(), "image/svg+xml")
    made.filters["marked"] = marked
    made.globals |= {"chart_script": chart_script, "chart_style": chart_style, "content_policy": content_policy}
    return made


def shown(value: object) -> object:
    """What a template puts out: of a text that is not ours, without signs that a browser would obey."""
    return harmless(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def marked(text: str) -> Markup:
    """A text of ours with what stands between backticks set as code; everything else is escaped."""
    parts = harmless(str(text)).split("`")
    return Markup().join(Markup("<code>{}</code>").format(part) if n % 2 else part for n, part in enumerate(parts))


@cache
def chart_script() -> Markup:
    """What draws interactive charts: uPlot, and our own on top of it."""
    parts = [_VENDOR / "uPlot-1.6.32.iife.min.js", _FOLDER / "charts.js"]
    # The license wants its notice in every copy; the rest of it is beside the file.
    return Markup("\n".join([_NOTICE, *(part.read_text() for part in parts)]))


@cache
def chart_style() -> Markup:
    """The style that comes with uPlot."""
    return Markup((_VENDOR / "uPlot-1.6.32.min.css").read_text().strip())


@cache
def content_policy() -> Markup:
    """Nothing may be fetched, and no script may run but the one with this digest, whatever else is in the page."""
    digest = base64.b64encode(hashlib.sha256(chart_script().encode()).digest()).decode()
    return Markup(f"default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'sha256-{digest}'")
