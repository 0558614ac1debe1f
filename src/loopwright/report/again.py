"""The command that trains again what a record says: the engine's, or that of the project whose train.py made it."""

from __future__ import annotations

import os
import shlex
from collections.abc import Sequence
from pathlib import Path

from loopwright.report.record import Record
from loopwright.values import texts

OF_PROJECTS = {"--optimizer.lr": "--lr", "--optimizer.weight-decay": "--weight-decay"}
"""How a project's train.py calls some flags of the engine."""


def of_project(record: Record) -> bool:
    """Whether the train.py of a project made it, which the engine cannot run."""
    return "loopwright" not in record.config and texts(record.env.get("command"))[:1] == ["train.py"]


def train_again(record: Record, flags: Sequence[str] = (), place: Sequence[str] = ()) -> str:
    """The command, for a shell. `flags`: what is to be otherwise, `--seed $s` say; `place`: where the run goes.

    Of a project's flags those are left out that its train.py does not have.
    """
    if of_project(record):
        given = [shlex.quote(word) for word in texts(record.env.get("command"))[1:]]
        return in_project(record.directory.absolute().parents[2], [*given, *project_flags(record, flags)])
    config, name = str(record.directory / "config.toml"), str(record.config.get("experiment") or "")
    # Code of one's own is named by whoever types the command: a record may not choose what is run.
    own = ["--experiment", name] if record.config.get("code_sha256") and name else []
    return " ".join([shlex.join(["loopwright", "train", "--config", config, *own]), *flags, *place])


def in_project(project: Path, words: Sequence[str]) -> str:
    """`make train` in a project, from here."""
    away = [] if project == Path.cwd() else ["-C", os.path.relpath(project)]
    given = " ".join(word for word in words if word != "--unless-done")
    return shlex.join(["make", *away, "train"]) + (f' ARGS="{given}"' if given else "")


def project_flags(record: Record, flags: Sequence[str]) -> list[str]:
    """The flags as train.py calls them, those that it has."""
    kept: list[str] = []
    known = False
    for word in flags:
        if word.startswith("--"):
            name = OF_PROJECTS.get(word, word)
            known = name[2:].replace("-", "_") in record.config
            word = name
        kept += [word] if known else []
    return kept
