from __future__ import annotations

import signal
from types import SimpleNamespace

import pytest

from loopwright.core import Interrupt
from loopwright.errors import Interrupted


def test_a_signal_is_noted_and_the_old_handlers_come_back():
    before = signal.getsignal(signal.SIGTERM)
    with Interrupt() as interrupt:
        assert interrupt.requested is None
        signal.raise_signal(signal.SIGTERM)
        assert interrupt.requested == signal.SIGTERM
    assert signal.getsignal(signal.SIGTERM) is before


def test_breakable_work_is_left_at_once_with_the_shells_exit_code():
    with Interrupt() as interrupt, pytest.raises(Interrupted, match="SIGTERM") as caught, interrupt.breakable():
        signal.raise_signal(signal.SIGTERM)
    assert caught.value.exit_code == 143


def test_breakable_work_does_not_begin_after_a_signal():
    with Interrupt() as interrupt:
        signal.raise_signal(signal.SIGINT)
        with pytest.raises(Interrupted) as caught, interrupt.breakable():
            pytest.fail("began")
        assert caught.value.exit_code == 130


def test_a_second_ctrl_c_stops_at_once_and_a_second_sigterm_does_not():
    with Interrupt():
        signal.raise_signal(signal.SIGTERM)
        signal.raise_signal(signal.SIGTERM)
        signal.raise_signal(signal.SIGINT)
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)


def test_a_ctrl_c_a_sigterm_and_a_ctrl_c_stop_at_once():
    with Interrupt() as interrupt:
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGTERM)
        assert interrupt.requested == signal.SIGINT
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)


def test_a_ctrl_c_that_comes_twice_at_once_is_one():
    with Interrupt(patience=60) as interrupt:
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGINT)
        assert interrupt.requested == signal.SIGINT


def test_what_one_worker_received_is_what_all_of_them_stop_of():
    said: list[str] = []
    interrupt = Interrupt(said.append, patience=60)
    assert interrupt.agree(SimpleNamespace(exchange=lambda own: [own, None])) is None
    assert said == []
    assert interrupt.agree(SimpleNamespace(exchange=lambda own: [own, 15])) == 15
    assert interrupt.requested == 15
    assert len(said) == 1
