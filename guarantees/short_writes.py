"""The system writes less than it was given, at each single write: it may, and it says so.

Run by the campaign `syscalls` as `python -m guarantees.short_writes DIRECTORY STRIDE`, with the library made of
short_writes.c preloaded; prints one JSON object for each kind of work.
"""

from __future__ import annotations

import ctypes
import json
import os
import shutil
import subprocess
import sys
from itertools import count
from pathlib import Path

from guarantees.faults import Ending, carry_out
from guarantees.forks import FINE, fork, wait
from guarantees.scenarios import Scenario, Scenarios, copy, leftovers
from loopwright.errors import LoopwrightError

NOT_REACHED = 9
SOURCE = Path(__file__).with_suffix(".c")


def short_writes(scratch: Path, stride: int) -> dict[str, dict[str, object]] | None:
    """By title of the work, how many writes were cut short and which promises that broke; None without a compiler."""
    compiler = next(filter(None, map(shutil.which, ("gcc", "cc", "clang"))), None)
    if compiler is None:
        return None
    library = scratch / "short_writes.so"
    subprocess.run([compiler, "-shared", "-fPIC", "-O1", "-o", library, SOURCE], check=True)
    place = scratch / "short"
    place.mkdir()
    command = [sys.executable, "-m", "guarantees.short_writes", str(place), str(stride)]
    done = subprocess.run(command, env={**os.environ, "LD_PRELOAD": str(library)}, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(done.stderr)
    return {found["title"]: found for found in map(json.loads, done.stdout.splitlines())}


def attempt(scenario: Scenario, place: Path, scratch: Path, number: int) -> Ending:
    """Carry out the work in a fork whose `number`-th write is cut short."""
    library = ctypes.CDLL(None)

    def cut_short() -> int:
        ctypes.c_long.in_dll(library, "regular_writes").value = 0
        ctypes.c_long.in_dll(library, "short_at").value = number
        code = carry_out(lambda: scenario.work(place), scratch / "stderr")
        return code if ctypes.c_long.in_dll(library, "regular_writes").value >= number else NOT_REACHED

    (code,) = wait(fork(cut_short))
    return Ending(code, "", (scratch / "stderr").read_text(errors="replace"))


def attack(scenario: Scenario, scenarios: Scenarios, scratch: Path, stride: int) -> dict[str, object]:
    """Every `stride`-th write of one kind of work."""
    template, place = scratch / "template", scratch / "place"
    before = scenarios.prepare(scenario, template)
    tried, violations = 0, []
    for number in count(1, stride):
        copy(template, place)
        scenarios.progress.memory[:] = before
        outcome = attempt(scenario, place, scratch, number)
        if outcome.code == NOT_REACHED:
            break
        tried += 1
        try:
            assert outcome.code == FINE, f"ended with {outcome.code}: {outcome.stderr}"
            assert not leftovers(place), f"left {leftovers(place)}"
            scenario.check(place)
        except (AssertionError, LoopwrightError, OSError) as broken:
            violations.append(f"write {number} cut short: {broken}")
    return {"title": scenario.title, "tried": tried, "violations": violations}


def main(scratch: Path, stride: int) -> None:
    """One line of JSON for each kind of work."""
    scenarios = Scenarios(scratch)
    for scenario in scenarios.all:
        print(json.dumps(attack(scenario, scenarios, scratch, stride)), flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
