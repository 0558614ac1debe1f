from __future__ import annotations

import io

from loopwright.cli.again import Again
from loopwright.cli.console import QUIET_SECONDS
from tests.cli.test_console import Terminal, step


def walk(watchers, steps):
    watchers.begin(steps, 0)
    for number in range(1, steps + 1):
        for sink in watchers.sinks:
            sink(step(number))


def test_walks_that_are_over_soon_are_not_told_and_long_ones_with_the_run():
    stream = io.StringIO()
    with Again(stream=stream) as console:
        for title in ("A", "B", "A"):
            walk(console.watching(title), 3)
        assert stream.getvalue() == ""
        console.said -= QUIET_SECONDS  # as if they had taken so long
        walk(console.watching("B"), 3)
    (line,) = stream.getvalue().splitlines()
    assert "  B again, step 1/3  33%  loss 0.500" in line


def test_on_a_terminal_the_run_is_named_too():
    stream = Terminal()
    with Again(stream=stream) as console:
        walk(console.watching("A"), 3)
    assert "A again, " in stream.getvalue()
