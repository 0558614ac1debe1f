"""What a post-mortem leaves in the run's directory: postmortem.md, postmortem.html and their pictures."""

from __future__ import annotations

from pathlib import Path

from loopwright.files import check_ours, reading, refusals, write_durably
from loopwright.postmortem import Postmortem
from loopwright.postmortem.markdown import renewed
from loopwright.postmortem.page import render
from loopwright.reading import read_at_most

NAME, PAGE = "postmortem.md", "postmortem.html"


def write(found: Postmortem) -> list[str]:
    """Write it; the names of the answers in postmortem.md that were left alone because somebody has changed them.

    Raises StoreError where a file cannot be written, RunError where the postmortem.md that is there cannot be read, or
    the page that is there is not ours.
    """
    check_ours(found.run / PAGE, "postmortem", "move it away first")
    with refusals(found.run / "plots"):
        (found.run / "plots").mkdir(exist_ok=True)
    drawings = {one.name: one.svg() for answer in found.answers for one in answer.pictures}
    for name, svg in drawings.items():
        write_bytes(found.run / "plots" / f"postmortem-{name}.svg", svg.encode())
    text, kept = renewed(before(found.run / NAME), found)
    # What was no UTF-8 is written as it was read; half of a surrogate pair out of JSON becomes a question mark.
    write_bytes(found.run / NAME, text.encode("utf-8", "surrogateescape" if whole(text) else "replace"))
    write_bytes(found.run / PAGE, render(found, drawings).encode("utf-8", "replace"))
    return kept


def before(path: Path) -> str:
    """What the file holds; nothing where there is none."""
    if not path.exists():
        return ""
    with reading(path):
        return read_at_most(path).decode("utf-8", "surrogateescape")


def whole(text: str) -> bool:
    """Whether a text can be written as the bytes that it was read from."""
    try:
        text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return False
    return True


def write_bytes(path: Path, content: bytes) -> None:
    """Replace a file at once."""
    write_durably(path, lambda file: file.write(content))
