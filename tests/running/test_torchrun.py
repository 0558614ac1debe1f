"""Real `torchrun`, real signals: a run on two workers that loses one goes on with those that are left."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import pytest

from loopwright.errors import ConfigError, WorkerError
from loopwright.protocols import Worker
from loopwright.running.runner import agreed, check_same_state, check_workers
from tests.running.processes import ROOT, SLOW, check_equal, history, start, wait_for_step
from tests.toys import run, toy


def torchrun(*arguments: str, workers: int = 2) -> subprocess.Popen:
    launcher = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", str(workers)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    return subprocess.Popen(
        [*launcher, "-m", "loopwright", *arguments],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def workers_of(launcher: subprocess.Popen) -> list[int]:
    """The processes that torchrun has started, the first worker first."""
    found = []
    for status in Path("/proc").glob("[0-9]*/status"):
        try:
            text, environment = status.read_text(), (status.parent / "environ").read_bytes().split(b"\0")
        except OSError:
            continue
        if f"PPid:\t{launcher.pid}\n" in text:
            rank = next((int(entry[5:]) for entry in environment if entry.startswith(b"RANK=")), None)
            found += [(rank, int(status.parent.name))] if rank is not None else []
    return [process for _, process in sorted(found)]


@pytest.fixture(scope="module")
def alone(tmp_path_factory):
    """The run on one worker that nothing happens to."""
    root = tmp_path_factory.mktemp("alone")
    process = start("train", SLOW, "--shards", "2", "--run-dir", str(root), "--quiet")
    _, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    return root / "slow/001"


def end(process: subprocess.Popen) -> None:
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)


@pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="needs /proc to find the workers")
@pytest.mark.parametrize("rank", [0, 1])
def test_a_worker_that_dies_takes_the_group_down_and_the_run_goes_on_without_it(alone, tmp_path, rank):
    process = torchrun("train", SLOW, "--shards", "2", "--run-dir", str(tmp_path), "--quiet")
    try:
        run = tmp_path / "slow/001"
        wait_for_step(run, 8, process)
        os.kill(workers_of(process)[rank], signal.SIGKILL)
        killed = time.monotonic()
        _, err = process.communicate(timeout=30)
        assert time.monotonic() - killed < 30
    finally:
        end(process)
    said = [line for line in err.splitlines() if line.startswith("loopwright: ")]
    assert len(said) == 1, err
    assert "a worker of this run is gone" in said[0]
    assert f"torchrun --nproc-per-node N -m loopwright resume {run}" in err
    resumed = start("resume", str(run), "--quiet") if rank else torchrun("resume", str(run), "--quiet")
    out, err = resumed.communicate(timeout=120)
    assert resumed.returncode == 0, err
    assert out.splitlines()[-1] == str(run)
    check_equal(run, alone)
    assert json.loads((run / "env.json").read_text())["workers"] == 2


def test_a_signal_to_torchrun_stops_all_workers_after_the_same_step(alone, tmp_path):
    process = torchrun("train", SLOW, "--shards", "2", "--run-dir", str(tmp_path), "--quiet")
    try:
        run = tmp_path / "slow/001"
        wait_for_step(run, 8, process)
        process.send_signal(signal.SIGTERM)
        _, err = process.communicate(timeout=60)
    finally:
        end(process)
    assert "and saved; go on with: torchrun --nproc-per-node N -m loopwright resume" in err
    assert json.loads((run / "metrics.json").read_text())["status"] == "interrupted"
    resumed = start("resume", str(run), "--quiet")
    _, err = resumed.communicate(timeout=120)
    assert resumed.returncode == 0, err
    assert history(run) == history(alone)


def test_a_run_in_parts_is_the_run_of_one_worker_from_the_first_step_to_the_tests(alone, tmp_path):
    process = torchrun("train", SLOW, "--shards", "2", "--parallel", "fsdp", "--run-dir", str(tmp_path), "--quiet")
    try:
        _, err = process.communicate(timeout=120)
    finally:
        end(process)
    assert process.returncode == 0, err
    check_equal(tmp_path / "slow/001", alone)
    told = json.loads((tmp_path / "slow/001/env.json").read_text())
    assert (told["parallel"], told["workers"], told["exact"]) == ("fsdp", 2, True)
    first = json.loads((alone / "env.json").read_text())
    assert (first["parallel"], first["workers"], first["exact"]) == ("replicate", 1, True)
    assert told["init_sha256"] == first["init_sha256"]


def test_a_run_that_began_whole_goes_on_in_parts_after_a_signal_and_whole_again(alone, tmp_path):
    def stopped(*arguments: str, step: int) -> None:
        process = torchrun(*arguments, "--quiet")
        try:
            wait_for_step(run, step, process)
            process.send_signal(signal.SIGTERM)
            _, err = process.communicate(timeout=60)
        finally:
            end(process)
        assert "and saved; go on with: torchrun --nproc-per-node N -m loopwright resume" in err

    run = tmp_path / "slow/001"
    stopped("train", SLOW, "--shards", "2", "--run-dir", str(tmp_path), step=8)
    stopped("resume", str(run), "--parallel", "fsdp", step=25)
    resumed = start("resume", str(run), "--quiet")
    _, err = resumed.communicate(timeout=120)
    assert resumed.returncode == 0, err
    check_equal(run, alone)


class Others:
    """Workers of whom this is the first, and the others tell something else."""

    def __init__(self, size: int, **told: object) -> None:
        self.worker = Worker(0, size)
        self.told = told

    def exchange(self, fact):
        return [fact, *({**fact, **self.told} for _ in range(self.worker.size - 1))]


def test_more_workers_than_shards_are_refused():
    with pytest.raises(ConfigError, match=r"received 2 for 3 workers, .*; start at most 2"):
        check_workers(toy(shards=2), Others(3))


def test_torchrun_without_the_workers_handed_over_is_refused(monkeypatch):
    monkeypatch.setenv("WORLD_SIZE", "2")
    with pytest.raises(ConfigError, match="torchrun has started 2 processes, this run was given 1"):
        check_workers(toy(shards=2), SimpleNamespace(worker=Worker()))


def test_workers_that_are_not_alike_are_refused():
    experiment = toy(shards=2)
    state, _, _ = run(experiment)
    assert agreed(experiment, state, Others(2))["workers"] == 2
    with pytest.raises(WorkerError, match=r"torch: the first worker has .*, worker 1 has 1\.0;"):
        agreed(experiment, state, Others(2, torch="1.0"))


def test_workers_that_read_different_checkpoints_are_refused():
    state, _, _ = run(toy(shards=2))
    check_same_state(state, Others(2))
    with pytest.raises(WorkerError, match="different checkpoints, of steps 14, 3; the run directory"):
        check_same_state(state, Others(2, step=3))


def test_workers_of_another_configuration_are_refused():
    experiment = toy(shards=2)
    state, _, _ = run(experiment)
    with pytest.raises(WorkerError, match=r"configuration: the first worker has \w+, worker 1 has another;"):
        agreed(experiment, state, Others(2, configuration="another"))
