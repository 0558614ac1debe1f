"""A process is killed, or refused by the system, at each single system call on its files; then it is looked at."""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from guarantees.faults import REFUSED, Call, Ending, calls, in_memory, inject, need_strace
from guarantees.forks import FINE, KILLED
from guarantees.scenarios import Scenario, Scenarios, copy, leftovers
from guarantees.section import Scale, Section, shown
from guarantees.short_writes import short_writes
from loopwright.errors import LoopwrightError

KILL = "signal=SIGKILL"
ERRORS = ("ENOSPC", "EIO", "EINTR")
CHANGING = (
    *("write", "pwrite64", "ftruncate", "truncate", "fsync", "fdatasync"),
    *("openat", "mkdir", "symlink", "link", "linkat", "rename", "renameat", "renameat2", "unlink", "unlinkat"),
)


@dataclass
class FaultCounts:
    """What came of the tries at the calls of one scenario."""

    title: str
    calls: int
    kills: int = 0
    errors: Counter[str] = field(default_factory=Counter)
    refused: int = 0
    missed: int = 0
    short: object = "no compiler"
    lost: int = 0
    violations: list[str] = field(default_factory=list)

    def add(self, fault: str, outcome: Ending) -> None:
        """Note a try."""
        self.missed += not outcome.hit
        self.refused += outcome.code == REFUSED
        if outcome.hit and fault == KILL:
            self.kills += 1
        elif outcome.hit:
            self.errors[fault.removeprefix("error=")] += 1

    def add_short_writes(self, found: dict[str, dict[str, Any]] | None) -> None:
        """Note what came of the writes that were cut short, where there was a compiler."""
        if found is not None:
            self.short = found[self.title]["tried"]
            self.violations += found[self.title]["violations"]

    def row(self) -> tuple[object, ...]:
        """One line of the table."""
        errors = [self.errors[name] for name in ERRORS]
        tried = self.kills, *errors, self.short
        return self.title, self.calls, *tried, self.refused, self.missed, self.lost, len(self.violations)


def measure(scale: Scale) -> Section:
    """Every call of every scenario, at the full scale; some of them at the quick one."""
    need_strace()
    with tempfile.TemporaryDirectory(dir=in_memory()) as scratch:
        shorts = short_writes(Path(scratch), scale.pick(quick=9, full=1, nightly=1))
        scenarios = Scenarios(Path(scratch))
        tallies = [attack(scenario, scenarios, Path(scratch), scale) for scenario in scenarios.all]
    for tally in tallies:
        tally.add_short_writes(shorts)
    return Section(
        title="Killed or refused at every system call",
        columns=("work", "calls on its files", "SIGKILL", *ERRORS, "short write", *CAME_OF_IT),
        rows=tuple(tally.row() for tally in tallies),
        notes=NOTES,
        violations=tuple(violation for tally in tallies for violation in tally.violations),
    )


CAME_OF_IT = ("ended with an error", "call not reached", "most steps lost", "violations")

NOTES = (
    "strace stops the process at the k-th call of each kind that touches the run's files, for every k of a real trace "
    "(open, read, seek, stat, write, fsync, rename, link, unlink, truncate, mkdir, close …), and kills it there, or "
    "answers a call that changes files (any open counted) with an error; a preloaded library lets each write write "
    "only half. After each try every checkpoint holds exactly what some save wrote, `best.pt` and `last.pt` among "
    "them; the run goes on, and its weights, optimizer state, history and metrics equal those of a run that was left "
    "alone, bit for bit; an error leaves no temporary file. A checkpoint is due every 2 steps "
    "and is written while the training goes on; the next one waits for it. So more than 2 steps, and 4 at most, are "
    "lost only where the newest checkpoint was still being written, or was refused.",
)


def attack(scenario: Scenario, scenarios: Scenarios, scratch: Path, scale: Scale) -> FaultCounts:
    """All tries at one scenario."""
    template, place, memory = scratch / "template", scratch / "place", scenarios.progress.memory
    before = scenarios.prepare(scenario, template)
    copy(template, place)
    found = calls(lambda: scenario.work(place), place, scratch)
    tally = FaultCounts(scenario.title, len(found))
    tries = list(faults(found))[:: scale.pick(quick=97, full=1, nightly=1)]
    for call, fault in shown(tries, scenario.title):
        copy(template, place)
        memory[:] = before
        outcome = inject(lambda: scenario.work(place), scratch, call, fault)
        tally.add(fault, outcome)
        try:
            check_end(outcome, fault, place)
            tally.lost = max(tally.lost, scenario.check(place))
        except (AssertionError, LoopwrightError, OSError) as broken:
            said = outcome.stderr.strip().rpartition("\n")[2]
            tally.violations.append(f"{scenario.title}, {fault} at {call.name} {call.number}: {broken} ({said})")
    return tally


def faults(found: list[Call]) -> Iterator[tuple[Call, str]]:
    """What is done to each call."""
    for call in found:
        yield call, KILL
        if call.name in CHANGING:
            yield from ((call, f"error={name}") for name in ERRORS)


def check_end(outcome: Ending, fault: str, place: Path) -> None:
    """A kill kills; after an error the work is done all the same or says why not, and nothing lies about."""
    if outcome.hit and fault == KILL:
        assert outcome.code == KILLED, f"ended with {outcome.code}"
        return
    assert outcome.code in (FINE, REFUSED), f"ended with {outcome.code}: {outcome.stderr}"
    assert not leftovers(place), f"left {leftovers(place)}"
