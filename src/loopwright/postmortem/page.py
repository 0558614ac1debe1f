"""postmortem.html: one file that asks for nothing outside itself."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from loopwright import __version__
from loopwright.postmortem import Postmortem
from loopwright.report.page import environment

TONES = {"finished": "good", "interrupted": "warn", "killed": "bad", "failed": "bad", "running": "calm"}


def render(found: Postmortem, drawings: Mapping[str, str]) -> str:
    """The page as HTML, in which all text out of files is escaped.

    `drawings`, by the pictures' names, are seen without a script and in print.
    """
    tone = TONES.get(found.status, "calm")
    return (
        environment(Path(__file__).parent)
        .get_template("postmortem.html.j2")
        .render(found=found, drawings=drawings, tone=tone, version=__version__)
    )
