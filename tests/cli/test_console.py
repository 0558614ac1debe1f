from __future__ import annotations

import fcntl
import io
import json
import math
import os
import pty
import re
import signal
import struct
import subprocess
import sys
import termios
import time

import pytest

from loopwright.cli.console import ERASE, Console, fitting
from tests.running.processes import SLOW, start


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self):
        return True


class Gone(io.StringIO):
    """A stream whose reader has gone."""

    def write(self, text):
        raise BrokenPipeError


def step(number, loss=0.5, seconds=0.0):
    numbers = {"lr": 0.1, "loss": {"total": loss}, "grad_norm": 1.0, "samples": 8, "seconds": seconds}
    return {"kind": "step", "step": number, "epoch": 0, **numbers}


def validation(number):
    return {"kind": "validation", "step": number, "epoch": 0, "metrics": {"accuracy": 0.9, "loss": 0.3}}


def shown(stream, **settings):
    with Console(stream=stream, **settings) as console:
        console.begin(100, 50)
        console.say("a line that stays")
        for number in range(1, 101):
            console(step(number))
            if number % 50 == 0:
                console(validation(number))
    return stream.getvalue()


def test_without_a_terminal_the_first_three_steps_are_told_and_then_few():
    lines = shown(io.StringIO()).splitlines()
    assert lines[0] == "a line that stays"
    assert [f"step {number}/100" in line for number, line in enumerate(lines[1:], start=1)] == [True] * 3
    assert "loss 0.5" in lines[1]
    assert re.match(r"\d\d:\d\d:\d\d  step 1/100   1%", lines[1])
    assert not any("\r" in line or "\x1b" in line for line in lines)


def test_on_a_terminal_one_line_is_redrawn_and_taken_away():
    text = shown(Terminal())
    assert "a line that stays\n" in text
    draws = text.split(ERASE)
    assert 1 < len(draws) < 10  # a hundred steps at once are not a hundred lines
    assert draws[-1] == ""


def test_no_color_is_ever_used(monkeypatch):
    plain = shown(Terminal())
    monkeypatch.setenv("NO_COLOR", "1")
    assert re.sub(r"step.*?(?=\r|\n|$)", "", shown(Terminal())) == re.sub(r"step.*?(?=\r|\n|$)", "", plain)
    assert set(re.findall(r"\x1b\[[0-9;]*[a-zA-Z]", plain)) == {"\x1b[K"}


def test_a_dumb_terminal_gets_plain_lines(monkeypatch):
    monkeypatch.setenv("TERM", "dumb")
    text = shown(Terminal())
    assert "\r" not in text
    assert "\x1b" not in text
    assert len(text.splitlines()) == 4


def test_columns_drop_from_the_right_as_the_terminal_narrows():
    columns = ["step 1/100   1%", "loss 0.5", "lr 0.1"]
    assert fitting(columns, 80) == "step 1/100   1%  loss 0.5  lr 0.1"
    assert fitting(columns, 26) == "step 1/100   1%  loss 0.5"
    assert fitting(columns, 20) == "step 1/100   1%"
    assert fitting(columns, 6) == "step 1"


@pytest.mark.parametrize("width", [30, 60, 80, 120])
def test_the_live_line_of_a_real_terminal_never_wraps(width):
    controller, terminal = pty.openpty()
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 24, width, 0, 0))
    stream = Terminal()
    stream.fileno = lambda: terminal
    with Console(stream=stream) as console:
        console.begin(100, 50)
        for number in range(1, 51):
            console.drawn = -math.inf  # as if a tenth of a second had passed
            console(step(number, seconds=0.01 * number))
        console(validation(50))
        text = stream.getvalue()
    os.close(controller)
    os.close(terminal)
    lines = [line for line in text.split(ERASE) if line.startswith("step ")]
    assert len(lines) == 50
    assert max(len(line) for line in lines) < width
    assert ("gnorm 1" in lines[-1]) == (width >= 60)
    assert ("800 samples/s" in lines[-1]) == (width >= 80)


def test_the_time_of_a_long_run_is_told_once_it_is_known():
    stream = io.StringIO()
    with Console(stream=stream) as console:
        console.begin(1000, 1000)
        for number in range(1, 20):
            console(step(number, seconds=0.2 * number))
    (line,) = [line for line in stream.getvalue().splitlines() if "about" in line]
    assert line == "about 3 min 18 s for the 990 steps to come (5 steps/s, 40 samples/s), without the evaluations"


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


def test_ctrl_c_once_finishes_the_step_and_saves_and_twice_stops_at_once(tmp_path):
    process = start("train", SLOW, "--run-dir", str(tmp_path), "--task.pause", "5")
    while not (tmp_path / "slow/001/logs/history.jsonl").exists():  # the first step begins, and takes five seconds
        assert process.poll() is None
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    while "finishing the step" not in (line := process.stderr.readline()):
        assert line
    process.send_signal(signal.SIGINT)
    sent = time.monotonic()
    _, err = process.communicate(timeout=30)
    assert time.monotonic() - sent < 4
    assert process.returncode == 130
    assert err.startswith("loopwright: stopped at once")
    assert json.loads((tmp_path / "slow/001/metrics.json").read_text())["status"] == "interrupted"
