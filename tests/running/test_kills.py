"""Real processes, real signals: whatever happens to a run, the resumed one equals the one that was left alone."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time

import pytest

from loopwright.journal import read_history
from loopwright.store import read_checkpoint
from tests.running.processes import ROOT, SLOW, check_equal, history, start, wait_for_step


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    root = tmp_path_factory.mktemp("whole")
    process = start("train", SLOW, "--run-dir", str(root), "--quiet")
    out, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    run = root / "slow/001"
    assert out.splitlines()[-1] == str(run)
    return run


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_signal_saves_says_how_to_resume_and_loses_nothing(whole, tmp_path, number, code):
    process = start("train", SLOW, "--run-dir", str(tmp_path))
    run = tmp_path / "slow/001"
    wait_for_step(run, 10, process)
    sent = time.monotonic()
    process.send_signal(number)
    out, err = process.communicate(timeout=30)
    assert time.monotonic() - sent < 10
    assert process.returncode == code
    assert f"loopwright resume {run}" in err
    assert out.splitlines()[-1] == str(run)
    saved = read_checkpoint(run / "checkpoints/last.pt")["step"]
    assert saved == max(r["step"] for r in history(run) if r["kind"] == "step")
    resumed = start("resume", str(run), "--quiet")
    out, err = resumed.communicate(timeout=120)
    assert resumed.returncode == 0, err
    assert out.splitlines()[-1] == str(run)
    check_equal(run, whole)
    clock = max(record["seconds"] for record in read_history(run / "logs/history.jsonl") if record["kind"] == "step")
    timing = json.loads((run / "metrics.json").read_text())["timing"]
    assert timing["train_seconds"] > 0.9 * clock  # the part before the signal counts, too


@pytest.mark.parametrize("step", [2, 23])
def test_a_killed_run_goes_on_as_if_nothing_had_happened(whole, tmp_path, step):
    process = start("train", SLOW, "--run-dir", str(tmp_path), "--quiet")
    run = tmp_path / "slow/001"
    wait_for_step(run, step, process)
    process.kill()
    process.communicate(timeout=30)
    again = start("resume", str(run), "--quiet")
    _, err = again.communicate(timeout=120)
    assert again.returncode == 0, err
    check_equal(run, whole)


def test_a_second_resume_is_refused_with_the_number_of_the_first(whole, tmp_path):
    first = start("train", SLOW, "--run-dir", str(tmp_path), "--quiet")
    run = tmp_path / "slow/001"
    wait_for_step(run, 5, first)
    first.send_signal(signal.SIGSTOP)  # so that it is not done before the second has started
    second = start("resume", str(run))  # not quiet: nothing is said of going on
    _, err = second.communicate(timeout=120)
    first.send_signal(signal.SIGCONT)
    out, late = first.communicate(timeout=120)
    assert (second.returncode, err) == (
        2,
        f"loopwright: {run}: another process (PID {first.pid}) is training it; wait for that one, or stop it first\n",
    )
    assert first.returncode == 0, (out, late)
    check_equal(run, whole)


@pytest.mark.slow
def test_a_run_that_is_killed_again_and_again_at_random_instants_still_equals_the_whole(whole, tmp_path):
    import random

    moments = random.Random(0)
    run = tmp_path / "slow/001"
    process = start("train", SLOW, "--run-dir", str(tmp_path), "--quiet")
    kills = 0
    while True:
        try:
            process.communicate(timeout=3.0 + 1.5 * moments.random())
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
            kills += 1
            process = start("resume", str(run), "--quiet")
            continue
        if (run / "metrics.json").is_file() and json.loads((run / "metrics.json").read_text())["status"] == "finished":
            break
        process = start("resume", str(run), "--quiet")
        assert kills < 100
    assert kills >= 1
    check_equal(run, whole)


def test_a_signal_to_the_whole_process_group_leaves_the_loader_workers_to_the_run(tmp_path):
    command = [sys.executable, "-m", "loopwright", "train", "digits-loader", "--task.num-workers", "1", "--quiet"]
    command += ["--threads", "1", "--run-dir", str(tmp_path), "--epochs", "100"]
    process = subprocess.Popen(command, cwd=ROOT, start_new_session=True, stderr=subprocess.PIPE, text=True)
    run = tmp_path / "digits-loader/001"
    wait_for_step(run, 5, process)
    os.killpg(process.pid, signal.SIGTERM)
    _, err = process.communicate(timeout=30)
    assert process.returncode == 143, err
    assert "and saved" in err
    assert json.loads((run / "metrics.json").read_text())["status"] == "interrupted"
