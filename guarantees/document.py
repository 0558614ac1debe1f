"""docs/guarantees.md: each campaign's section stands between two markers and is replaced as a whole."""

from __future__ import annotations

import platform
from datetime import UTC, datetime
from pathlib import Path

from guarantees.section import Scale, Section
from loopwright.journal.environment import describe_machine

SKELETON = """\
# What was attacked, and what came of it

Each table below was written by a campaign of [`guarantees/`](../guarantees): `make guarantees` runs them all again,
`python -m guarantees NAME --scale quick|full|nightly` one of them. A violation makes the command fail.
"""


def stamp(name: str, scale: Scale, seconds: float) -> str:
    """The line that says what a section was made by, when, where and in what time."""
    machine = describe_machine()
    where = f"{machine['cpu']}, {machine['cores']} cores" + (f", {machine['gpu']}" if machine["gpu"] else "")
    versions = f"Python {machine['python']}, torch {machine['torch']}, {platform.system()} {platform.release()}"
    command = f"`python -m guarantees {name} --scale {scale}`"
    return f"<sub>{command}: {datetime.now(UTC):%Y-%m-%d}, {seconds:,.0f} s on {where}; {versions}.</sub>"


def put(document: Path, name: str, section: Section, stamped: str) -> None:
    """Replace the section of the campaign `name` in `document`, or add it; makes the document where there is none."""
    text = document.read_text(encoding="utf-8") if document.is_file() else SKELETON
    begin, end = f"<!-- begin {name} -->", f"<!-- end {name} -->"
    block = f"{begin}\n{section.markdown()}\n\n{stamped}\n{end}"
    before, found, rest = text.partition(begin)
    after = rest.partition(end)[2] if found else "\n"
    if not found:
        before = before.rstrip("\n") + "\n\n"
    document.parent.mkdir(parents=True, exist_ok=True)
    document.write_text(before + block + after, encoding="utf-8")
