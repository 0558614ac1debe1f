"""The documentation stays true: its commands are run, its code is the code, its links lead somewhere."""

from __future__ import annotations

import ast
import inspect
import re
import shlex
from pathlib import Path

import pytest

from docs.making.figures import FOLDER, loop_figure, overfitting_figure, overfitting_run
from docs.making.links import ROOT, anchors, broken, broken_pages, documents, links
from docs.making.pages import build, contents
from loopwright.cli.main import VERBS, main
from loopwright.core import loop
from loopwright.report.record import Record

PAGES = sorted((ROOT / "docs").glob("*.md"))
BLOCK = re.compile(r"(<!-- slow -->\n)?```sh\n(.*?)```", re.DOTALL)
EXIT = re.compile(r"\s+# exit code (\d)\b.*")


def commands(page: Path, *, slow: bool) -> list[tuple[list[str], int]]:
    """The commands of a page with the exit code that each is to have: those of blocks marked as slow, or the others."""
    found = []
    for mark, block in BLOCK.findall(page.read_text()):
        for line in block.splitlines() if bool(mark) == slow else ():
            expected = EXIT.search(line)
            if line.startswith("loopwright "):
                found.append((shlex.split(EXIT.sub("", line))[1:], int(expected[1]) if expected else 0))
    return found


def run_all(page: Path, *, slow: bool) -> None:
    for words, expected in commands(page, slow=slow):
        assert main(words) == expected, words


@pytest.mark.parametrize("page", [page for page in PAGES if commands(page, slow=False)], ids=lambda page: page.stem)
def test_the_commands_of_a_page_work_as_they_are_written(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    run_all(page, slow=False)


@pytest.mark.slow
@pytest.mark.parametrize("page", [page for page in PAGES if commands(page, slow=True)], ids=lambda page: page.stem)
def test_the_slow_commands_of_a_page_work_after_the_others(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    run_all(page, slow=False)
    run_all(page, slow=True)


@pytest.mark.parametrize("page", documents(), ids=lambda page: page.stem)
def test_every_link_leads_to_a_file_and_a_heading(page):
    assert list(broken(page)) == []


def test_the_check_of_links_can_fail(tmp_path):
    page = ROOT / "docs" / "index.md"
    assert "nowhere.md" in links("see [this](nowhere.md), not `[that](elsewhere.md)`")
    assert anchors("# One `two`, three\n```\n# no\n```\n## One two three") == {"one-two-three", "one-two-three-1"}
    assert list(broken(page)) == []
    (tmp_path / "a.html").write_text('<h1 id="x"></h1><a href="a.html#x"></a><a href="b.html"></a><a href="#y"></a>')
    assert list(broken_pages(tmp_path)) == ["a.html: b.html", "a.html: #y"]


@pytest.mark.parametrize("page", [ROOT / "README.md", *PAGES], ids=lambda page: page.stem)
def test_every_verb_that_is_named_exists(page):
    named = set(re.findall(r"(?:^|`)loopwright ([a-z][a-z-]+)\b", page.read_text(), re.MULTILINE))
    assert named <= {*VERBS, "help"}, named - {*VERBS}


def blocks_of_the_loop() -> list[list[str]]:
    blocks = re.findall(r"```python\n(.*?)```", (ROOT / "docs" / "the-loop.md").read_text(), re.DOTALL)
    return [block.rstrip("\n").splitlines() for block in blocks]


def test_each_block_of_code_on_the_loop_is_the_loop():
    source = inspect.getsource(loop).splitlines()
    for block in blocks_of_the_loop():
        places = [at for at in range(len(source)) if source[at : at + len(block)] == block]
        assert len(places) == 1, "\n".join(block)


@pytest.mark.parametrize("function", [loop.train, loop.train_step])
def test_no_line_of_the_loop_is_left_out(function):
    shown = {line for block in blocks_of_the_loop() for line in block}
    source = inspect.getsource(function).splitlines()
    tree = ast.parse(inspect.getsource(function)).body[0]
    first = tree.body[1].lineno - 1  # after the docstring
    assert [line for line in source[first:] if line.strip() and line not in shown] == []


def test_the_figure_of_the_loop_is_up_to_date():
    assert (FOLDER / "loop.svg").read_text() == loop_figure(), "python -m docs.making.figures"


def test_the_figure_of_overfitting_is_drawn_from_a_run(tmp_path):
    drawn = overfitting_figure(Record.load(overfitting_run(tmp_path)))
    kept = (FOLDER / "overfitting.svg").read_text()
    for text in ("the samples by heart", "validation loss", "training loss"):
        assert text in drawn
        assert text in kept


def test_the_site_is_whole(tmp_path):
    assert build(tmp_path / "site") == []
    for page in PAGES:
        text = (tmp_path / "site" / f"{page.stem}.html").read_text()
        assert not re.search(r'<(?:script|link|img|iframe)[^>]+(?:src|href)="https?:', text), page
    assert "def train_step(" in (tmp_path / "site/files/src/loopwright/core/loop.py.html").read_text()


def test_the_home_page_leads_to_every_page():
    linked = {name for name in links((ROOT / "docs" / "index.md").read_text()) if "/" not in name}
    assert {path.name for path, _ in contents()} - {"index.md"} == {page.name for page in PAGES} - {"index.md"}
    assert {page.name for page in PAGES} - linked - {"index.md"} == set()
