"""The page in a real browser: all pictures show, nothing overflows, nothing is asked of the network."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from browser import CHROMIUM, Browser, browser
from fake_run import append_history, step_record, validation_record, write_run

from loopwright.report import write_report
from loopwright.report.content import gather
from loopwright.report.history import History, Series
from loopwright.report.page import render_page
from loopwright.report.record import Record

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine")

EVIL = """<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9"><script>document.title = 'ran'</script>
<image href="http://example.invalid/a.png" width="9" height="9"/><rect width="9" height="9"/></svg>"""


@pytest.fixture(scope="module")
def tab() -> Iterator[Browser]:
    with browser() as opened:
        yield opened


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    run = write_run(tmp_path_factory.mktemp("runs") / ("a-very-long-experiment-name" * 3) / "001")
    (run / "artifacts" / "evil.svg").write_text(EVIL)
    return write_report(run)


def written(record: Record) -> Path:
    path = record.directory / "report.html"
    path.write_text(render_page(gather(record)))
    return path


def million(run: Path) -> Record:
    """The record of a million steps; the reading of its history is tested elsewhere."""
    steps, noise = np.arange(1.0, 1e6 + 1), np.random.default_rng(0).lognormal(size=1_000_000)
    names = ("loss", "loss.next", "loss.class", "lr", "grad_norm", "samples", "busy_seconds")
    validations = [validation_record(step, loss=1.0, accuracy=0.5) for step in range(100, 1_000_000, 100)]
    history = History({name: Series(steps, noise) for name in names}, validations)
    return replace(Record.load(write_run(run, steps=22)), history=history)


@pytest.fixture(scope="module")
def pages(page: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("odd")
    for name in ("empty", "died", "lost", "million"):
        (folder / name / "logs").mkdir(parents=True)
    append_history(folder / "died", step_record(1, 2.3))
    append_history(folder / "lost", step_record(1, "nan"), step_record(2, "inf"), validation_record(2, loss="nan"))
    odd = {name: write_report(folder / name) for name in ("empty", "died", "lost")}
    return {"normal": page, **odd, "million": written(million(folder / "million"))}


CHARTS = {"normal": 7, "empty": 0, "died": 4, "lost": 4, "million": 6}


@pytest.mark.parametrize("name", list(CHARTS))
def test_any_run_is_drawn_without_an_error_and_asks_for_nothing(
    tab: Browser, pages: dict[str, Path], name: str
) -> None:
    tab.requests.clear()
    tab.errors.clear()
    tab.open(pages[name], 1200)
    assert tab.evaluate("document.documentElement.dataset.charts") == "drawn"
    assert tab.evaluate("document.querySelectorAll('canvas').length") == CHARTS[name]
    assert tab.errors == []
    asked = [address for address in tab.requests if not address.startswith(("data:", "blob:"))]
    assert asked == [pages[name].absolute().as_uri()]
    assert pages[name].stat().st_size < 3_000_000


@pytest.mark.parametrize("name", list(CHARTS))
@pytest.mark.parametrize("width", [360, 768, 1200])
def test_nothing_is_wider_than_the_window(tab: Browser, pages: dict[str, Path], name: str, width: int) -> None:
    tab.open(pages[name], width)
    tab.evaluate("document.querySelectorAll('details').forEach(each => each.open = true)")
    assert tab.evaluate("document.documentElement.scrollWidth") == width


def test_every_picture_shows_and_no_script_but_ours_runs(tab: Browser, page: Path) -> None:
    tab.open(page, 1200, media="print")
    assert tab.evaluate("[...document.images].map(each => each.naturalWidth > 0)") == [True] * 8
    assert tab.evaluate("document.title") == "digits-cnn · run 001"


def test_a_page_that_asks_for_something_is_caught(tab: Browser, tmp_path: Path) -> None:
    (tmp_path / "a.html").write_text('<img src="http://127.0.0.1:9/a.png"><script>undefined_name</script>')
    tab.requests.clear()
    tab.errors.clear()
    tab.open(tmp_path / "a.html", 400)
    assert "http://127.0.0.1:9/a.png" in tab.requests
    assert "undefined_name" in tab.errors[0]


def test_the_page_follows_light_and_dark_and_prints_on_white(tab: Browser, page: Path) -> None:
    def background(**how: object) -> str:
        tab.open(page, 1200, **how)  # type: ignore[arg-type]
        return str(tab.evaluate("getComputedStyle(document.body).backgroundColor"))

    assert background() == "rgb(250, 250, 248)"
    assert background(dark=True) == "rgb(17, 19, 21)"
    assert background(dark=True, media="print") == "rgb(255, 255, 255)"
