"""Reports on a run, made from the files in its directory alone: no training, no checkpoint is read."""

from __future__ import annotations

from pathlib import Path

from loopwright.files import check_ours, refusals, write_durably
from loopwright.report.content import gather
from loopwright.report.markdown import render_markdown
from loopwright.report.page import render_page
from loopwright.report.record import Record

__all__ = ["write_report"]


def write_report(run: Path) -> Path:
    """Write `plots/*.svg`, `report.md` and `report.html` into the directory `run`; returns the page's path.

    Whatever is missing or damaged is left out and named in the report; the same record gives the same bytes.
    Raises RunError where `run` is no directory, or holds a report that is not ours, StoreError where a file cannot be
    written.
    """
    for path in (run / "report.md", run / "report.html"):
        check_ours(path, "report", "move it away first")
    content = gather(Record.load(run))
    with refusals(run / "plots"):
        (run / "plots").mkdir(exist_ok=True)
    for plot in content.plots:
        _write(run / "plots" / f"{plot.name}.svg", plot.svg)
    _write(run / "report.md", render_markdown(content))
    _write(run / "report.html", render_page(content))
    return run / "report.html"


def _write(path: Path, text: str) -> None:
    # JSON can hold half of a surrogate pair, which UTF-8 cannot; a question mark must not cost the report.
    write_durably(path, lambda file: file.write(text.encode("utf-8", "replace")))
