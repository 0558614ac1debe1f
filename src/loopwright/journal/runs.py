"""Run directories: `runs/<experiment>/<NNN>/`, counted up, made without a race, never overwritten."""

from __future__ import annotations

import os
from pathlib import Path

from loopwright.errors import RunError, StoreError, nearest

FIRST_FILES = ("config.toml", "env.json")


def create_run(root: Path, experiment: str) -> Path:
    """A new directory `root/experiment/NNN` with the next free number; `latest` beside it points at it.

    Raises StoreError where it cannot be made.
    """
    parent = root / experiment
    try:
        parent.mkdir(parents=True, exist_ok=True)
        run = claim(parent)
        (run / "logs").mkdir()
        point_latest(run)
    except OSError as error:
        raise StoreError(f"{parent}: {error.strerror}; choose a directory you may write with --run-dir") from error
    return run


def claim(parent: Path) -> Path:
    """Make the next numbered directory; `mkdir` decides between two processes that want the same number."""
    number = max((int(path.name) for path in parent.iterdir() if path.name.isdigit()), default=0)
    while True:
        number += 1
        run = parent / f"{number:03d}"
        try:
            run.mkdir()
        except FileExistsError:
            continue
        return run


def point_latest(run: Path) -> None:
    """Let `latest` beside `run` point at it."""
    temporary = run.parent / f".latest.{os.getpid()}.tmp"
    temporary.unlink(missing_ok=True)
    temporary.symlink_to(run.name)
    os.replace(temporary, run.parent / "latest")


def open_run(path: Path) -> Path:
    """The run directory that `path` names, `latest` resolved. Raises RunError where it is not one."""
    if not path.exists():
        siblings = [str(other) for other in path.parent.iterdir()] if path.parent.is_dir() else []
        raise RunError(f"{path}: no such run; {nearest(str(path), siblings)}")
    missing = [name for name in FIRST_FILES if not (path / name).is_file()]
    if missing:
        raise RunError(
            f"{path}: not a run, it has no {' and no '.join(missing)}; `loopwright runs` lists those there are"
        )
    return path.parent / os.readlink(path) if path.is_symlink() else path


def list_runs(root: Path) -> list[Path]:
    """All run directories below `root`, by experiment and number."""
    runs = [path for path in root.glob("*/*") if path.name.isdigit() and (path / "config.toml").is_file()]
    return sorted(runs, key=lambda run: (run.parent.name, int(run.name)))
