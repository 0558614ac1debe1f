from __future__ import annotations

from loopwright.errors import printable
from loopwright.weights import mismatches


def test_what_is_printed_moves_no_cursor_and_has_an_end():
    assert printable("a\x1b]0;owned\x07\r\n\tb\ud800é") == "a\\x1b]0;owned\\x07\\r\n\tb\\ud800é"
    assert printable("x" * 10, 4) == "xxxx…"


def test_names_of_weights_are_printed_on_one_line():
    assert mismatches({}, {"a\n\x1b[2J" + "w" * 1000: 3}) == ["unexpected: a \\x1b[2J" + "w" * 94 + " int"]
