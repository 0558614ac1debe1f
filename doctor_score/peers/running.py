"""Running tools on faults, each run in a process of its own."""

from __future__ import annotations

import importlib
import importlib.metadata
import json
import subprocess
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import redirect_stdout
from dataclasses import asdict, dataclass, field
from typing import Any

from doctor_score.peers.reports import FAULTS, HEALTHY, SEEDS, Said
from doctor_score.peers.tools import TOOLS
from doctor_score.peers.training import train
from doctor_score.programs import HERE, LIMIT_SECONDS, quiet


@dataclass(frozen=True)
class Run:
    """A tool on a program: its alarms, or why there are none to be had."""

    tool: str
    fault: str
    seed: int
    said: tuple[Said, ...] = ()
    accuracy: float = 0.0
    seconds: float = 0.0
    error: str = ""

    @property
    def alarms(self) -> list[Said]:
        """What is of warning level or above."""
        return [one for one in self.said if one.alarm]


@dataclass
class Row:
    """All runs of one tool. `unusable` says why there are none."""

    tool: str
    version: str = ""
    called: str = ""
    unusable: str = ""
    faults: dict[str, Run] = field(default_factory=dict)
    healthy: list[Run] = field(default_factory=list)

    def beyond(self, fault: str) -> list[Said]:
        """The alarms that the healthy twin of the same seed does not raise."""
        usual = {(one.rule, one.level) for one in self.healthy[0].alarms}
        return [one for one in self.faults[fault].alarms if (one.rule, one.level) not in usual]

    def verdict(self, fault: str) -> str:
        """Of a fault: named, alarm only, silent; or error, where the run failed."""
        if self.unusable:
            return "-"
        if self.faults[fault].error:
            return "error"
        found = self.beyond(fault)
        if any(cause in FAULTS[fault] for one in found for cause in one.causes(self.tool)):
            return "named"
        return "alarm only" if found else "silent"

    def count(self, verdict: str) -> int:
        """How many faults got this verdict."""
        return sum(self.verdict(fault) == verdict for fault in FAULTS)

    def false_alarms(self) -> list[Said]:
        """What was said of healthy runs."""
        return [one for run in self.healthy for one in run.alarms]

    def cell(self, fault: str) -> dict[str, Any]:
        """A fault, for JSON."""
        run = self.faults[fault]
        alarms = [{**asdict(one), "causes": one.causes(self.tool)} for one in self.beyond(fault)]
        told = {"accuracy": run.accuracy, "seconds": run.seconds, "error": run.error}
        return {"verdict": self.verdict(fault), "accepted": FAULTS[fault], "alarms": alarms, **told}


def work(tool: str, fault: str, seed: int) -> dict[str, Any]:
    """One run, in this process."""
    with redirect_stdout(sys.stderr):
        said, accuracy = train(fault, seed, TOOLS[tool](seed))
    return {"said": [asdict(one) for one in said], "accuracy": accuracy}


def spawn(python: str, arguments: Sequence[str]) -> tuple[dict[str, Any], str]:
    """What a process of another interpreter answers in its last line, or its error."""
    command = [python, "-m", "doctor_score.peers", *arguments]
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, env=quiet(), cwd=HERE.parent, timeout=LIMIT_SECONDS
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return {}, str(error)
    if done.returncode:
        return {}, (done.stderr.strip().splitlines() or [f"exit code {done.returncode}"])[-1]
    return json.loads(done.stdout.splitlines()[-1]), ""


def run(python: str, tool: str, fault: str, seed: int) -> Run:
    """One run, in a process of its own."""
    began = time.perf_counter()
    told, error = spawn(python, ["--work", tool, fault, str(seed)])
    seconds = round(time.perf_counter() - began, 1)
    said = tuple(Said(**each) for each in told.get("said", ()))
    return Run(tool, fault, seed, said, round(told.get("accuracy", 0.0), 3), seconds, error)


def probe(tool: str) -> dict[str, str]:
    """The version of a tool, and whether it can be imported."""
    try:
        importlib.import_module(TOOLS[tool].package)
        return {"version": importlib.metadata.version(tool)}
    except Exception as error:
        return {"version": "", "unusable": f"{type(error).__name__}: {error}"}


def measure(python: str, tool: str) -> Row:
    """All runs of a tool, two at a time."""
    told, error = spawn(python, ["--probe", tool])
    row = Row(tool, told.get("version", ""), TOOLS[tool].called, error or told.get("unusable", ""))
    if row.unusable:
        return row
    wanted = [(HEALTHY, seed) for seed in SEEDS] + [(fault, 0) for fault in FAULTS]
    with ThreadPoolExecutor(2) as pool:
        runs = list(pool.map(lambda one: run(python, tool, *one), wanted))
    row.healthy = runs[: len(SEEDS)]
    row.faults = {each.fault: each for each in runs[len(SEEDS) :]}
    return row
