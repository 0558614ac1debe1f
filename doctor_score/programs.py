"""Running programs under the doctor, each in a process of its own, two at a time."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
import tomllib
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

A = TypeVar("A")
B = TypeVar("B")
HERE = Path(__file__).parent
LIMIT_SECONDS = 300


@dataclass(frozen=True)
class Watched:
    """A program that was run under the doctor: exit code, seconds, findings, the most probable cause first, and what it
    printed."""

    name: str
    seed: int
    code: int
    seconds: float
    findings: list[dict[str, Any]]
    failures: dict[str, str] = field(default_factory=dict)
    steps: int = 0
    printed: bytes = field(default=b"", repr=False)

    @property
    def serious(self) -> list[dict[str, Any]]:
        """What is of warning level or above."""
        return [one for one in self.findings if one["severity"] != "info"]

    @property
    def first(self) -> str:
        """The most probable cause; empty where nothing serious was found."""
        return str(self.serious[0]["cause"]) if self.serious else ""


@dataclass(frozen=True)
class Pair:
    """A program with a mistake, its healthy twin, and the causes that are right."""

    name: str
    causes: tuple[str, ...]
    style: str
    bug: str
    needs: tuple[str, ...]

    @property
    def broken(self) -> Path:
        """The file with the mistake."""
        return HERE / "unseen" / f"{self.name}_bug.py"

    @property
    def healthy(self) -> Path:
        """The file without it."""
        return HERE / "unseen" / f"{self.name}_ok.py"


def pairs(folder: str = "unseen") -> Iterator[Pair]:
    """The labelled pairs."""
    for labels in sorted((HERE / folder).glob("labels*.toml")):
        for name, told in tomllib.loads(labels.read_text()).items():
            needs = tuple(told.get("needs", ()))
            yield Pair(name, tuple(told["causes"]), told.get("style", ""), told.get("bug", ""), needs)


def watch(path: Path, seed: int = 0) -> Watched:
    """Run one program under the doctor."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "loopwright", "watch", "--report", folder, *asked(path, seed)]
        began = time.perf_counter()
        code, printed = run(command, folder)
        seconds = time.perf_counter() - began
        kept = Path(folder) / "findings.json"
        told = json.loads(kept.read_text()) if kept.is_file() else {}
    findings, failures, steps = told.get("findings", []), told.get("failures", {}), told.get("steps", 0)
    return Watched(path.stem, seed, code, seconds, findings, failures, steps, printed)


def bare(path: Path, seed: int = 0) -> tuple[int, bytes]:
    """Run one program by itself: its exit code, and what it prints."""
    with tempfile.TemporaryDirectory() as folder:
        return run([sys.executable, *asked(path, seed)], folder)


def asked(path: Path, seed: int) -> list[str]:
    """A program and its arguments: the seed, where it takes one."""
    text = path.read_text(encoding="utf-8")
    return [str(path), *(["--seed", str(seed)] if "--seed" in text or "argv" in text else [])]


def run(command: list[str], folder: str) -> tuple[int, bytes]:
    """Run a command in a folder: its exit code, -1 where it took too long, and what it printed."""
    try:
        done = subprocess.run(command, capture_output=True, env=quiet(), cwd=folder, timeout=LIMIT_SECONDS)
    except subprocess.TimeoutExpired:
        return -1, b""
    return done.returncode, done.stdout


def quiet() -> dict[str, str]:
    """An environment of one thread, without a network."""
    return {**os.environ, "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1", "TQDM_DISABLE": "1"}


def watch_all(wanted: Sequence[tuple[Path, int]], workers: int = 2) -> list[Watched]:
    """Run many, in their order."""
    return in_turn(lambda one: watch(*one), wanted, workers)


def in_turn(act: Callable[[A], B], wanted: Sequence[A], workers: int = 2) -> list[B]:
    """Do something with each of many, so many at a time, in their order."""
    with ThreadPoolExecutor(workers) as pool:
        return list(pool.map(act, wanted))
