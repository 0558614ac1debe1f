"""The charts in a real browser: drawn, switched, smoothed, zoomed, read by mouse and by keyboard."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path

import pytest
from browser import CHROMIUM, Browser, browser

from loopwright.report.charts import Chart, line, mark
from loopwright.report.clock import Clock
from loopwright.report.history import History, Series
from loopwright.report.page import environment

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine")

PAGE = """<!doctype html><html><head>{% import "charts.html.j2" as charts with context %}{{ charts.head() }}
<style>{% include "report.css.j2" %}</style></head><body><main>
{% call charts.group() %}{% for chart in drawn %}{{ charts.figure(chart, svg) }}{% endfor %}{% endcall %}
</main><script>document.title = "ran"</script>{{ charts.foot() }}</body></html>"""
SVG = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9"><rect width="9" height="9"/></svg>'


@pytest.fixture(scope="module")
def tab() -> Iterator[Browser]:
    with browser() as opened:
        yield opened


def series(values: list[float]) -> Series:
    return Series.of(range(1, len(values) + 1), values)


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    clock = Clock.of(History({"samples": series([8.0] * 100), "busy_seconds": series([0.5] * 100)}))
    noisy = [2.0 + (-1) ** step for step in range(100)]
    noisy[50] = math.nan
    loss = Chart(
        "loss",
        "Loss",
        [
            line("training", series(noisy), clock, smoothed=True),
            line("validation", Series.of([20, 40, 60, 80], [4.0, 2.0, 3.0, 5.0]), clock, color=2, best=40),
        ],
        marks=[mark(40, "onset of overfitting", clock, "warn")],
    )
    rate = Chart("rate", "Rate", [line("rate", series([0.1] * 100), clock)], small=True, from_zero=True)
    path = tmp_path_factory.mktemp("page") / "page.html"
    path.write_text(environment().from_string(PAGE).render(drawn=[loss, rate], svg=SVG))
    return path


def shown(tab: Browser, selector: str) -> list[bool]:
    return list(tab.evaluate(f"[...document.querySelectorAll('{selector}')].map(each => each.offsetHeight > 0)"))


def values(tab: Browser) -> list[str]:
    return list(tab.evaluate("[...document.querySelectorAll('#chart-loss .value')].map(each => each.textContent)"))


def point(tab: Browser, share: float) -> dict[str, float]:
    """The place in the first chart that is `share` of its width from the left."""
    box = tab.evaluate(
        "(() => { const box = document.querySelector('.u-over').getBoundingClientRect();"
        " return [box.left, box.top, box.width] })()"
    )
    return {"x": box[0] + box[2] * share, "y": box[1] + 40}


def mouse(tab: Browser, kind: str, share: float, **others: object) -> None:
    tab.call("Input.dispatchMouseEvent", type=kind, **point(tab, share), **others)


def press(tab: Browser, key: str) -> None:
    tab.call("Input.dispatchKeyEvent", type="keyDown", key=key)
    tab.call("Input.dispatchKeyEvent", type="keyUp", key=key)


def hidden(tab: Browser) -> bool:
    return bool(tab.evaluate("document.querySelector('.reset').hidden"))


def readout(tab: Browser, chart: str = "loss") -> str:
    return str(tab.evaluate(f"document.querySelector('#chart-{chart} .readout').textContent"))


def test_the_charts_are_drawn_in_place_of_their_static_pictures(tab: Browser, page: Path) -> None:
    tab.open(page, 1000)
    assert tab.evaluate("document.documentElement.dataset.charts") == "drawn"
    assert shown(tab, "canvas") == [True, True]
    assert shown(tab, ".static") == [False, False]
    assert values(tab) == ["1.234 · 1 not finite", "5"]


def test_in_print_and_without_script_the_static_pictures_are_seen(tab: Browser, page: Path) -> None:
    tab.open(page, 1000, media="print")
    assert (shown(tab, ".static"), shown(tab, "canvas")) == ([True, True], [False, False])
    tab.call("Emulation.setScriptExecutionDisabled", value=True)
    try:
        tab.open(page, 1000)
    finally:
        tab.call("Emulation.setScriptExecutionDisabled", value=False)
    assert (shown(tab, ".static"), shown(tab, "canvas")) == ([True, True], [])


def test_no_other_script_runs_and_nothing_is_asked_for(tab: Browser, page: Path) -> None:
    tab.requests.clear()
    tab.open(page, 1000)
    assert tab.evaluate("document.title") != "ran"
    assert [asked for asked in tab.requests if not asked.startswith("data:")] == [page.absolute().as_uri()]


def test_the_cursor_reads_the_values_and_moves_in_all_charts(tab: Browser, page: Path) -> None:
    tab.open(page, 1000)
    mouse(tab, "mouseMoved", 0.62)
    assert (readout(tab), readout(tab, "rate")) == ("step 63", "step 63")
    assert values(tab)[1] == "3"


def test_the_axis_can_be_samples_or_time(tab: Browser, page: Path) -> None:
    tab.open(page, 1000)
    labels = "[...document.querySelectorAll('.choice label')].map(each => each.textContent)"
    assert tab.evaluate(labels) == ["steps", "samples", "time"]
    for place, expected in ((1, "403 samples"), (2, "25.2 s")):
        tab.evaluate(f"document.querySelectorAll('.choice input')[{place}].click()")
        mouse(tab, "mouseMoved", 0.5)
        assert readout(tab) == expected


def test_smoothing_is_computed_in_the_page_and_can_be_switched_off(tab: Browser, page: Path) -> None:
    tab.open(page, 1000)
    slide = "(() => {{ const range = document.querySelector('.smoothing input'); range.value = {}; "
    slide += "range.dispatchEvent(new Event('input')) }})()"
    tab.evaluate(slide.format(0))
    assert values(tab)[0].startswith("1 ")
    tab.evaluate(slide.format(100))
    assert 1.9 < float(values(tab)[0].split()[0]) < 2.1
    assert values(tab)[1] == "5"


def test_dragging_zooms_all_charts_and_a_double_click_shows_all_again(tab: Browser, page: Path) -> None:
    tab.open(page, 1000)
    mouse(tab, "mouseMoved", 0.2)
    mouse(tab, "mousePressed", 0.2, button="left", clickCount=1)
    mouse(tab, "mouseMoved", 0.4, button="left")
    mouse(tab, "mouseReleased", 0.4, button="left", clickCount=1)
    assert not hidden(tab)
    mouse(tab, "mouseMoved", 0.5)
    assert (readout(tab), readout(tab, "rate")) == ("step 30", "step 30")
    for count in (1, 2):
        mouse(tab, "mousePressed", 0.5, button="left", clickCount=count)
        mouse(tab, "mouseReleased", 0.5, button="left", clickCount=count)
    assert hidden(tab)


def test_the_keyboard_moves_the_cursor_zooms_and_switches_lines(tab: Browser, page: Path) -> None:
    tab.open(page, 1000)

    tab.evaluate("document.querySelector('.plot').focus()")
    press(tab, "ArrowLeft")
    assert readout(tab) == "step 100"
    press(tab, "+")
    assert not hidden(tab)
    press(tab, "0")
    assert hidden(tab)
    tab.evaluate("document.querySelectorAll('#chart-loss .legend button')[1].click()")
    assert values(tab)[1] == "–"


def test_a_logarithmic_axis_and_a_narrow_window_do_not_break_it(tab: Browser, page: Path) -> None:
    tab.open(page, 360)
    tab.evaluate("document.querySelector('.log input').click()")
    assert shown(tab, "canvas") == [True, True]
    assert tab.evaluate("document.documentElement.scrollWidth") == 360
