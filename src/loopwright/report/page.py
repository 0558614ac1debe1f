"""report.html: one file that asks for nothing outside itself and runs no script."""

from __future__ import annotations

from pathlib import Path

import jinja2

from loopwright import __version__
from loopwright.report.artifacts import data_uri
from loopwright.report.content import Content

_FOLDER = Path(__file__).parent


def render_page(content: Content) -> str:
    """The page as HTML. All text out of files is escaped by the template engine."""
    return environment().get_template("report.html.j2").render(report=content, version=__version__)


def environment() -> jinja2.Environment:
    """What renders the templates of this folder."""
    made = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_FOLDER),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters["address"] = lambda svg: data_uri(svg.encode(), "image/svg+xml")
    return made
