from __future__ import annotations

import sys

import pytest

from guarantees.kills import SAVE_EVERY, Killer


@pytest.fixture
def killer(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "executable", sys.executable)
    killer = Killer(tmp_path, reports=False)
    killer.run = killer.whole
    return killer


def test_a_checkpoint_that_is_gone_after_a_kill_is_found_out_whatever_was_hit(killer):
    steps = killer.count_lost(0) or killer.durable
    assert killer.tally.violations == []
    for name in ("last.pt", f"step-{steps:08d}.pt"):
        (killer.whole / "checkpoints" / name).unlink()
    assert killer.count_lost(0) == SAVE_EVERY
    assert f"was durable up to step {steps}" in killer.tally.violations[0]


def test_only_runs_that_differ_are_counted_as_differing(killer):
    killer.conclude("ended with 8")
    assert (len(killer.tally.violations), killer.tally.differing, killer.tally.runs) == (1, 0, 1)
    killer.run = killer.whole.parent / "nowhere"
    killer.conclude("")
    assert (len(killer.tally.violations), killer.tally.differing, killer.tally.runs) == (2, 1, 2)
