from __future__ import annotations

import io
import json
import subprocess
import sys

import pytest

from loopwright.cli.console import Console


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self):
        return True


class Gone(io.StringIO):
    """A stream whose reader has gone."""

    def write(self, text):
        raise BrokenPipeError


def step(number, loss=0.5):
    return {"kind": "step", "step": number, "epoch": 0, "lr": 0.1, "loss": {"total": loss}, "grad_norm": 1.0}


def validation(number):
    return {"kind": "validation", "step": number, "epoch": 0, "metrics": {"accuracy": 0.9, "loss": 0.3}}


def shown(stream, **settings):
    with Console(stream=stream, **settings) as console:
        console.begin(100)
        console.say("a line that stays")
        for number in range(1, 101):
            console(step(number))
            if number % 50 == 0:
                console(validation(number))
    return stream.getvalue()


def test_without_a_terminal_there_are_few_plain_lines_with_the_time():
    lines = shown(io.StringIO()).splitlines()
    assert lines[0] == "a line that stays"
    assert "step 1/100" in lines[1]
    assert "loss 0.5" in lines[1]
    assert len(lines) <= 4
    assert not any("\r" in line or "\x1b" in line for line in lines)


def test_on_a_terminal_one_line_is_redrawn_and_taken_away():
    text = shown(Terminal())
    assert "a line that stays\n" in text
    assert "\r" in text
    assert "100" in text


def test_quiet_is_silent():
    assert shown(io.StringIO(), quiet=True) == ""
    assert shown(Terminal(), quiet=True) == ""


@pytest.mark.parametrize("closed", ["2>&1 >/dev/null | head -c 1 >/dev/null", "2>&-"])
def test_a_run_goes_on_when_nobody_reads_its_lines(tmp_path, closed):
    command = f"{sys.executable} -m loopwright train points-linear --steps 20 --threads 1 --run-dir {tmp_path} {closed}"
    subprocess.run(command, shell=True, check=True, stdout=subprocess.DEVNULL)
    assert json.loads((tmp_path / "points-linear/001/metrics.json").read_text())["status"] == "finished"


def test_a_stream_whose_reader_has_gone_ends_the_lines_and_nothing_else():
    for stream in (Gone(), type("GoneTerminal", (Gone, Terminal), {})()):
        assert shown(stream) == ""
