"""Run directories: `runs/<experiment>/<NNN>/`, counted up, made without a race, never overwritten."""

from __future__ import annotations

import os
import re
import stat
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from loopwright.errors import ConfigError, RunError, nearest
from loopwright.files import make_directory, refusals, sync_directory

SWEEP = "sweep.toml"
"""By this file a directory is a sweep: it says what was asked for."""
SWEPT = "-sweep"
"""How the name of a directory ends whose runs are sweeps, with members that are runs too."""
ROOT = Path("runs")
"""Where runs are, if nothing else is said."""
FIRST_FILES = ("config.toml", "env.json")
NUMBER = re.compile("[0-9]+")


def create_run(root: Path, experiment: str) -> Path:
    """A new directory `root/experiment/NNN` with the next free number; `latest` beside it points at it.

    Raises ConfigError where `experiment` is not the plain name of a directory, StoreError where it cannot be made.
    """
    if Path(experiment).name != experiment or experiment in ("", "..") or not experiment.isprintable():
        raise ConfigError(f"name: received {experiment!r}, it must do as the name of a directory; choose a plain one")
    parent = root / experiment
    make_directory(parent)
    with refusals(parent):
        run = claim(parent)
        sync_directory(parent)
    make_directory(run / "logs")
    point_latest(parent)
    return run


def claim(parent: Path) -> Path:
    """Make the next numbered directory; `mkdir` decides between two processes that want the same number."""
    number = max((int(run.name) for run in numbered(parent)), default=0)
    while True:
        number += 1
        run = parent / f"{number:03d}"
        try:
            run.mkdir()
        except FileExistsError:
            continue
        return run


def point_latest(parent: Path, symlink: Callable[[str, Path], None] = os.symlink) -> None:
    """Let `latest` in `parent` point at the newest run; there is none where the file system has no symbolic links.

    Raises StoreError where a `latest` that is no link is in the way.
    """
    newest = None
    with refusals(parent):
        # Whoever makes another run meanwhile links it later than this, or is seen here.
        while newest != (found := numbered(parent)[-1].name):
            newest = found
            relink(parent / "latest", newest, symlink)


def relink(link: Path, target: str, symlink: Callable[[str, Path], None]) -> None:
    """Let `link` point at `target`, at once and durably; leave it where `symlink` is refused."""
    temporary = link.with_name(f".{link.name}.{threading.get_native_id()}.tmp")
    with refusals(link):
        temporary.unlink(missing_ok=True)
        try:
            symlink(target, temporary)
        except OSError:
            return
        try:
            os.replace(temporary, link)
            sync_directory(link.parent)
        finally:
            temporary.unlink(missing_ok=True)


def numbered(parent: Path) -> list[Path]:
    """The numbered directories in `parent`, oldest first."""
    runs = [path for path in parent.iterdir() if NUMBER.fullmatch(path.name) and path.is_dir()]
    return sorted(runs, key=lambda run: int(run.name))


def open_run(path: Path, root: Path = ROOT, *, sweeps: bool = False) -> Path:
    """The run directory that `path` names, by itself or below `root`, links such as `latest` followed; with `sweeps`
    also that of a sweep.

    Raises RunError where it is not one, or where something in it leads out of it.
    """
    found = located(path, root)
    if (found / SWEEP).is_file():
        if not sweeps:
            raise RunError(f"{path}: a sweep, not a run; name one of its members, {found}/members/NAME/NNN")
        check_contents(found)
        return found
    missing = [name for name in FIRST_FILES if not os.path.isfile(found / name)]
    if missing:
        raise RunError(
            f"{path}: not a run, it has no {' and no '.join(missing)}; `loopwright runs` lists those there are"
        )
    check_contents(found)
    return found


def located(path: Path, root: Path = ROOT) -> Path:
    """What `path` names, by itself or below `root`, links such as `latest` followed.

    Raises RunError, with what is probably meant, where there is nothing.
    """
    if not os.path.exists(path) and os.path.isdir(root / path):
        path = root / path
    if not os.path.exists(path):
        siblings: list[str] = []
        with suppress(OSError):
            # Beside runs/NAME lie runs with a number each; of those the newest is meant.
            places = (path, root / path)
            beside = [other for each in places for name in ("*", "*/latest") for other in each.parent.glob(name)]
            siblings = list(dict.fromkeys(str(other) for other in beside if (other / "config.toml").is_file()))
        meant = nearest(str(path), siblings) if siblings else "`loopwright runs` lists those there are"
        raise RunError(f"{path}: no such run; {meant}")
    return followed(path)


def followed(path: Path) -> Path:
    """What `path` names, links such as `latest` followed."""
    while path.is_symlink():
        path = path.parent / os.readlink(path)
    return path


def check_contents(run: Path) -> None:
    """Raise RunError unless `run` holds files, directories, and links among them, alone.

    Of a run that a stranger made, a link could lead what is written into any file, and a pipe would never be read.
    """
    home = os.path.realpath(run)
    for directory, names, others in os.walk(run):
        for path in (Path(directory, name) for name in (*names, *others)):
            with suppress(FileNotFoundError):  # of a run that is being written, temporary files come and go
                mode = os.lstat(path).st_mode
                if stat.S_ISLNK(mode) and not Path(os.path.realpath(path)).is_relative_to(home):
                    raise RunError(f"{path}: a link out of the run; put the file itself there, or remove the link")
                if not (stat.S_ISLNK(mode) or stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
                    raise RunError(f"{path}: neither a file nor a directory; remove it")


def kind_of(run: Path) -> str:
    """What a directory with members is: `sweep` or `study`."""
    return "sweep" if (run / SWEEP).is_file() else "study"


def list_runs(root: Path) -> list[Path]:
    """All run directories below `root`, by experiment and number."""
    runs = [path for path in root.glob("*/*") if NUMBER.fullmatch(path.name) and os.path.isfile(path / "config.toml")]
    return sorted(runs, key=lambda run: (run.parent.name, int(run.name)))
