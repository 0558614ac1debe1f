"""The files of a comparison: page, report.md, pictures, numbers. Nothing that is not ours is written over."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from loopwright import __version__
from loopwright.comparing.comparison import Comparison
from loopwright.comparing.data import as_json
from loopwright.comparing.document import Document, document
from loopwright.comparing.markdown import render_markdown
from loopwright.errors import RunError
from loopwright.files import check_folder, check_ours, make_directory, refusals, write_durably
from loopwright.journal.runs import claim, located, numbered, point_latest
from loopwright.report.page import environment

VERB = "compare"
FOLDER = "comparisons"


@dataclass(frozen=True)
class Files:
    """Where the files of a comparison go."""

    page: Path
    markdown: Path
    data: Path
    plots: Path

    @staticmethod
    def below(directory: Path) -> Files:
        """In a directory of their own."""
        names = ("report.html", "report.md", "comparison.json", "plots")
        return Files(*(directory / name for name in names))

    @staticmethod
    def named(path: Path) -> Files:
        """Beside a file that was named, with its name: `x.md` or `x.html`."""
        return Files(*(path.with_name(f"{path.stem}{end}") for end in (".html", ".md", ".json", "-plots")))

    @staticmethod
    def at(out: Path) -> Files:
        """`out` is a directory, or the name of a markdown file or a page."""
        return Files.named(out) if out.suffix in (".md", ".html") and not out.is_dir() else Files.below(out)

    def check(self, remedy: str = "choose another --out") -> None:
        """Raise RunError where one of the files is there already, and not made by us."""
        check_folder(self.page.parent)
        made = [path for path in (self.page, self.markdown, self.data) if os.path.lexists(path)]
        for path in made:
            check_ours(path, VERB, remedy)
        if not made and os.path.lexists(self.plots):
            raise RunError(f"{self.plots}: is there already, and `loopwright {VERB}` did not make it; {remedy}")


def write(comparison: Comparison, directory: Path, command: Sequence[str] = ()) -> Path:
    """Write report.html, report.md, comparison.json and plots/ into `directory`; the page's path.

    `command`: the words that made the comparison, else those of `loopwright compare`. Raises RunError where `directory`
    holds a file of one of these names that is not ours, StoreError where the system refuses.
    """
    return write_files(comparison, document(comparison, command), Files.below(directory))


def write_files(comparison: Comparison, written: Document, files: Files) -> Path:
    """Write all files; the page's path."""
    files.check()
    make_directory(files.page.parent)
    drawings = [drawing for block in written.drawings for drawing in block.drawings]
    if drawings:
        with refusals(files.plots):
            files.plots.mkdir(exist_ok=True)
    for drawing in drawings:
        put(files.plots / f"{drawing.name}.svg", drawing.svg)
    put(files.data, as_json(comparison, written) + "\n")
    put(files.markdown, render_markdown(written, files.plots.name))
    put(files.page, render_page(written))
    return files.page


def render_page(written: Document) -> str:
    """The page as HTML. All text out of files is escaped by the template engine."""
    template = environment(Path(__file__).parent).get_template("comparison.html.j2")
    return template.render(document=written, version=__version__)


def put(path: Path, text: str) -> None:
    """Write a text; half of a surrogate pair, which JSON can hold, becomes a question mark."""
    write_durably(path, lambda file: file.write(text.encode("utf-8", "replace")))


def next_directory(first: Path) -> Path:
    """A new numbered directory `comparisons/NNN` below the root of the run, study or experiment at `first`.

    Raises StoreError where it cannot be made.
    """
    path = located(first)
    root = path.parent if numbered(path) else path.parent.parent
    parent = root / FOLDER
    make_directory(parent)
    with refusals(parent):
        made = claim(parent)
    point_latest(parent)
    return made
