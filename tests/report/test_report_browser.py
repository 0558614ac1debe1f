"""The page in a real browser: all pictures show, nothing overflows, nothing is asked of the network."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from browser import CHROMIUM, Browser, browser
from fake_run import write_run

from loopwright.report import write_report

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


@pytest.mark.parametrize("width", [360, 400, 768, 1200])
def test_nothing_is_wider_than_the_window(tab: Browser, page: Path, width: int) -> None:
    tab.open(page, width)
    tab.evaluate("document.querySelectorAll('details').forEach(each => each.open = true)")
    assert tab.evaluate("document.documentElement.scrollWidth") == width


def test_every_picture_shows_and_nothing_is_asked_of_the_network(tab: Browser, page: Path) -> None:
    tab.requests.clear()
    tab.open(page, 1200)
    assert tab.evaluate("[...document.images].map(each => each.naturalWidth > 0)") == [True] * 8
    asked = [address for address in tab.requests if not address.startswith("data:")]
    assert asked == [page.absolute().as_uri()]
    assert tab.evaluate("document.title") == "digits-cnn · run 001"


def test_the_page_follows_light_and_dark_and_prints_on_white(tab: Browser, page: Path) -> None:
    def background(**how: object) -> str:
        tab.open(page, 1200, **how)  # type: ignore[arg-type]
        return str(tab.evaluate("getComputedStyle(document.body).backgroundColor"))

    assert background() == "rgb(250, 250, 248)"
    assert background(dark=True) == "rgb(17, 19, 21)"
    assert background(dark=True, media="print") == "rgb(255, 255, 255)"
