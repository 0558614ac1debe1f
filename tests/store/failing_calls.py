"""Kills a process, or lets the system refuse it, at every single system call of a few saves or of a journal.

Run as `python failing_calls.py store|journal DIRECTORY`; needs strace. Prints how many calls were hit, and raises where
anything is lost. Each try is a fork of this process, which has imported everything already.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import torch

from loopwright.errors import StoreError
from loopwright.journal import RunJournal, read_history
from loopwright.protocols import StepReport
from loopwright.store import CheckpointStore, newest_good, read_checkpoint

CALLS = ("openat", "write", "fsync", "rename", "link", "unlink", "ftruncate")
FAULTS = ("signal=SIGKILL", "error=ENOSPC", "error=EIO")
FINE, REFUSED = 0, 7
LAST = 100


def save(directory: Path) -> None:
    with CheckpointStore(directory, keep=1) as store:
        for step in (1, 2, 3):
            store.save({"weights": torch.full((20_000,), float(step))}, step, best=step == 2)


def check_saved(directory: Path, fault: str) -> None:
    """Every checkpoint is whole, there is a best and a newest one, and only a kill leaves something half-written."""
    for path in directory.glob("*.pt"):
        content = read_checkpoint(path)
        assert bool((content["state"]["weights"] == content["step"]).all()), path
    assert (directory / "best.pt").exists()
    newest_good(directory)
    assert "SIGKILL" in fault or not list(directory.glob(".*"))


def tell(directory: Path) -> None:
    """Write a journal, or go on with it; every record lies a second after the one before, whatever the clock says."""
    with RunJournal(directory) as journal:
        for step in range(1, LAST + 1):
            loss = torch.tensor(1 / step)
            report = StepReport(
                step=step, epoch=0, lr=0.1, samples=8, loss=loss, parts={"mse": loss}, grad_norm=torch.tensor(2.0)
            )
            journal.step(report)
            if step % 10 == 0:
                journal.flush()
        journal.validation(LAST, 0, {"accuracy": 0.5})
        journal.epoch(LAST, 0)


def check_told(directory: Path, fault: str) -> None:
    """What was told is there in its order, and a resumed run adds what is missing."""
    told = [record["step"] for record in read_history(directory / "logs/history.jsonl")]
    assert told[:LAST] == list(range(1, LAST + 1))[: len(told)]
    tell(directory)
    records = read_history(directory / "logs/history.jsonl")
    assert [record["step"] for record in records] == [*range(1, LAST + 1), LAST, LAST]
    assert [record["kind"] for record in records] == ["step"] * LAST + ["validation", "epoch"]


def work(directory: Path, do: Callable[[Path], None], start: int) -> None:
    """What the child does, once it is told to start."""
    os.read(start, 1)
    try:
        do(directory)
    except StoreError:
        os._exit(REFUSED)
    os._exit(FINE)


def attempt(directory: Path, do: Callable[[Path], None], call: str, fault: str, count: int) -> tuple[int, bool]:
    """The exit code of a child whose `count`-th `call` meets `fault`, and whether it came that far."""
    ready, start = os.pipe()
    child = os.fork()
    if child == 0:
        work(directory, do, ready)
    trace = directory.parent / "trace"
    options = ["-f", "-qq", "-p", str(child), "-o", str(trace), "-e", f"trace={call}", "-e"]
    command = ["strace", *options, f"inject={call}:{fault}:when={count}"]
    with subprocess.Popen(command, stderr=subprocess.PIPE) as strace:
        while b"TracerPid:\t0\n" in Path(f"/proc/{child}/status").read_bytes():
            if strace.poll() is not None:
                sys.exit("strace may not attach here")
        os.write(start, b"x")
        _, status = os.waitpid(child, 0)
        strace.wait()
    os.close(ready)
    os.close(start)
    seen = trace.read_text()
    return os.waitstatus_to_exitcode(status), "(INJECTED)" in seen or "SIGKILL" in seen


def main(scenario: str, directory: Path) -> None:
    do, check = {"store": (save, check_saved), "journal": (tell, check_told)}[scenario]
    place, hits = directory / "place", 0
    for call in CALLS:
        for fault in FAULTS:
            count, hit = 0, True
            while hit:
                count += 1
                shutil.rmtree(place, ignore_errors=True)
                place.mkdir()
                if scenario == "store":
                    with CheckpointStore(place) as store:
                        store.save({"weights": torch.zeros(20_000)}, 0, best=True)
                code, hit = attempt(place, do, call, fault, count)
                assert code in ((-9,) if hit and "SIGKILL" in fault else (FINE, REFUSED)), (call, fault, count, code)
                check(place, fault)
                hits += hit
    print(hits)


if __name__ == "__main__":
    torch.set_num_threads(1)
    main(sys.argv[1], Path(sys.argv[2]))
