"""Running programs under the doctor, each in a process of its own, two at a time."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
import tomllib
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
LIMIT_SECONDS = 300


@dataclass(frozen=True)
class Watched:
    """A program that was run under the doctor: exit code, seconds, findings, the most probable cause first."""

    name: str
    seed: int
    code: int
    seconds: float
    findings: list[dict[str, Any]]
    failures: dict[str, str] = field(default_factory=dict)
    steps: int = 0

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
        command = [sys.executable, "-m", "loopwright", "watch", "--report", folder, str(path), "--seed", str(seed)]
        began = time.perf_counter()
        try:
            done = subprocess.run(command, capture_output=True, env=quiet(), cwd=folder, timeout=LIMIT_SECONDS)
            code = done.returncode
        except subprocess.TimeoutExpired:
            code = -1
        seconds = time.perf_counter() - began
        kept = Path(folder) / "findings.json"
        told = json.loads(kept.read_text()) if kept.is_file() else {}
    return Watched(
        path.stem, seed, code, seconds, told.get("findings", []), told.get("failures", {}), told.get("steps", 0)
    )


def quiet() -> dict[str, str]:
    """An environment of one thread, without a network."""
    return {**os.environ, "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1", "TQDM_DISABLE": "1"}


def watch_all(wanted: Sequence[tuple[Path, int]], workers: int = 2) -> list[Watched]:
    """Run many, in their order."""
    with ThreadPoolExecutor(workers) as pool:
        return list(pool.map(lambda one: watch(*one), wanted))
