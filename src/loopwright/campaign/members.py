"""A member of a sweep or a study: its configuration `members/NAME.toml`, and its runs `members/NAME/NNN`."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterable, Mapping
from pathlib import Path

from loopwright import __version__
from loopwright.config import read_toml
from loopwright.errors import ConfigError, RunError
from loopwright.journal.lock import being_trained
from loopwright.journal.runs import FIRST_FILES, numbered
from loopwright.reading import open_plain
from loopwright.values import read_json

PATIENCE_SECONDS = 60.0
TAIL_BYTES = 8192
STEP = re.compile(rb'"kind":"step","step":([0-9]{1,18})')
FINAL = ("NonFiniteError",)
"""What ends a run for good: it would meet the same numbers again. After anything else it may go on."""


def newest_run(folder: Path) -> Path | None:
    """The newest run in `folder`; None where there is none."""
    runs = numbered(folder) if folder.is_dir() else []
    return next((run for run in reversed(runs) if all((run / name).is_file() for name in FIRST_FILES)), None)


def over(run: Path | None) -> bool:
    """Whether nothing is left to be done for a run: it is finished, or its numbers were not finite."""
    metrics = read_json(run / "metrics.json") if run else {}
    return metrics.get("status") == "finished" or metrics.get("error") in FINAL


def to_do(config: Path, reference: str | None = None) -> tuple[str, ...] | None:
    """What brings the run of the configuration `members/NAME.toml` to its end: the arguments of `loopwright`.

    None where it is over. `reference` names the experiment again where it is one's own.
    """
    named = ("--experiment", reference) if reference else ()
    run = newest_run(config.with_suffix(""))
    if run is None:
        return ("train", "--config", str(config), "--run-dir", str(config.parent), "--quiet", *named)
    return None if over(run) else ("resume", str(run), "--quiet", *named)


def share_done(folder: Path, total: int) -> float:
    """How much of its `total` steps the newest run in `folder` has done, by the end of its history."""
    run = newest_run(folder)
    if run is None:
        return 0.0
    try:
        with open_plain(run / "logs" / "history.jsonl") as file:
            file.seek(max(0, file.seek(0, os.SEEK_END) - TAIL_BYTES))
            steps = STEP.findall(file.read(TAIL_BYTES))
    except OSError:
        return 0.0
    return min(1.0, int(steps[-1]) / max(1, total)) if steps else 0.0


def wait_until_free(folders: Iterable[Path]) -> None:
    """Wait for processes that a killed sweep has left and that are still saving. Raises RunError where one goes on."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    for run in filter(None, map(newest_run, folders)):
        while being_trained(run):
            if time.monotonic() > deadline:
                raise RunError(f"{run}: another process is training it; wait for that one, or stop it first")
            time.sleep(0.1)


def hold(directory: Path, configs: Mapping[str, str]) -> bool:
    """Whether `directory` has the configurations `configs`, by file name, and no others."""
    files = {path.name for path in directory.glob("*.toml")}
    return files == configs.keys() and all(holds(directory / name, text) for name, text in configs.items())


def holds(path: Path, config: str) -> bool:
    """Whether the file at `path` is the configuration `config`, whichever version of ours has written it."""
    try:
        file = read_toml(path)
        written = path.read_text(encoding="utf-8", errors="replace")
    except (OSError, ConfigError):
        return False
    return written.replace(f'"{file.data.get("loopwright")}"', f'"{__version__}"', 1) == config
