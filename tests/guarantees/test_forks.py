from __future__ import annotations

import os
import signal

import pytest

from guarantees.forks import CRASHED, KILLED, fork, until, wait


def test_a_fork_ends_with_what_its_work_says_and_never_goes_on_with_its_parent():
    works = (lambda: None, lambda: 5, lambda: exit(6), lambda: [][0], lambda: os.kill(os.getpid(), signal.SIGKILL))
    assert wait(*map(fork, works)) == [0, 5, 6, CRASHED, KILLED]


def test_an_error_in_a_fork_is_told(capfd):
    wait(fork(lambda: [][0]))
    assert "IndexError: list index out of range" in capfd.readouterr().err


def test_what_never_comes_is_waited_for_no_longer_than_that():
    until(lambda: True, 0.0)
    with pytest.raises(TimeoutError, match=r"within 0\.01 s"):
        until(lambda: False, 0.01)
