"""Where lies what is derived from runs: one hidden folder under their root, which can be deleted at any time.

Nothing of it is ever needed; where it cannot be written, looking at runs takes longer.
"""

from __future__ import annotations

import os
import re
from contextlib import suppress
from pathlib import Path

HIDDEN = ".loopwright"
NUMBER = re.compile("[0-9]+")
DEPTH = 6
"""How far above a run its root may be: four directories above the runs of a study."""

TAG = """\
Signature: 8a477f597d28d172789f06886806bc55
# What Loopwright derived from the runs beside this folder, so that looking at them is fast.
# Delete it whenever you like: it is made again.
"""
"""The sign by which programs that make backups know what they need not keep (bford.info/cachedir)."""


def folder_of(run: Path) -> Path | None:
    """The folder for what is derived from the directory `run`; None where it lies under no root of runs, or where there
    can be none.

    A root is known by that folder, or by its run as `create_run` makes it: `root/NAME/NNN` beside a link `latest`.
    """
    place = Path(os.path.realpath(run))
    for parent in list(place.parents)[:DEPTH]:
        if plain_directory(parent / HIDDEN):
            return parent / HIDDEN
    root = root_of(place)
    return None if root is None else make_folder(root)


def root_of(run: Path) -> Path | None:
    """The root that `run` was made under, of the whole study where it is a part of one."""
    made = NUMBER.fullmatch(run.name) and (run / "config.toml").is_file() and (run.parent / "latest").is_symlink()
    if not made:
        return None
    root = run.parent.parent
    return (root_of(root.parent) if root.name == "members" else None) or root


def make_folder(root: Path) -> Path | None:
    """The folder under `root`, made where it is missing; None where it cannot be made."""
    folder = root / HIDDEN
    with suppress(OSError):
        if not folder.exists():
            folder.mkdir(exist_ok=True)
            (folder / "CACHEDIR.TAG").write_text(TAG)
            (folder / ".gitignore").write_text("*\n")
    return folder if plain_directory(folder) else None


def plain_directory(path: Path) -> bool:
    """Whether a directory lies there itself: a link could lead what is written anywhere."""
    return path.is_dir() and not path.is_symlink()
