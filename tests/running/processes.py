"""The command line in processes of its own, and what they leave compared bit by bit."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import pytest
from torch import Tensor

from loopwright.bits import leaves, same_bits
from loopwright.journal import comparable, read_history
from loopwright.store import read_checkpoint

ROOT = Path(__file__).parents[2]
SLOW = "tests/slow_toy.py:slow"


def start(*arguments: str) -> subprocess.Popen:
    command = [sys.executable, "-m", "loopwright", *arguments]
    environment = {**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'src'}", "OMP_NUM_THREADS": "1"}
    return subprocess.Popen(
        command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def wait_for_step(run: Path, step: int, process: subprocess.Popen) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and process.poll() is None:
        done = [r["step"] for r in read_history(run / "logs/history.jsonl") if r["kind"] == "step"]
        if done and max(done) >= step:
            return
        time.sleep(0.01)
    pytest.fail(f"the run did not reach step {step}: {process.communicate()}")


def history(run: Path) -> list[dict]:
    return [comparable(r) for r in read_history(run / "logs/history.jsonl") if r["kind"] != "event"]


def state(run: Path) -> dict:
    return read_checkpoint(run / "checkpoints/last.pt")["state"]


def same(a: object, b: object) -> bool:
    """Whether two states are equal bit by bit."""
    left, right = leaves(a), leaves(b)
    return left.keys() == right.keys() and all(same_leaf(left[name], right[name]) for name in left)


def same_leaf(a: object, b: object) -> bool:
    if isinstance(a, Tensor) and isinstance(b, Tensor):
        return same_bits(a, b)
    return repr(a) == repr(b)


def check_equal(run: Path, whole: Path) -> None:
    assert history(run) == history(whole)
    assert same(state(run), state(whole))
    metrics = [{**json.loads((r / "metrics.json").read_text()), "timing": None} for r in (run, whole)]
    assert metrics[0] == metrics[1]


@contextmanager
def held(run):
    """Another process has claimed the run."""
    code = "import sys, pathlib; from loopwright.journal.lock import claim_run\n"
    code += "file = claim_run(pathlib.Path(sys.argv[1])); print('held', flush=True); sys.stdin.read()"
    command = [sys.executable, "-c", code, str(run)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout.readline() == b"held\n"
        yield
        process.stdin.close()
