"""The command that trains again what a record says: the engine's, or that of the project whose train.py made it."""

from __future__ import annotations

import hashlib
import os
import shlex
from collections.abc import Sequence
from pathlib import Path

from loopwright.report.record import Record
from loopwright.values import texts

OF_PROJECTS = {"--optimizer.lr": "--lr", "--optimizer.weight-decay": "--weight-decay"}
"""How a project's train.py calls some flags of the engine."""
CODE = ("train.py", "order.py", "models/*.py", "data/*.py")
"""What a project's record.py takes the digest of."""


def of_project(record: Record) -> bool:
    """Whether the train.py of a project made it, which the engine cannot run."""
    return "loopwright" not in record.config and texts(record.env.get("command"))[:1] == ["train.py"]


def train_again(record: Record, flags: Sequence[str] = (), place: Sequence[str] = ()) -> str:
    """The command, for a shell. `flags`, quoted where they need it: what is to be otherwise, `--seed $s` say; `place`:
    where the run goes. Of a project's flags those are left out that its train.py lacks."""
    if of_project(record):
        given = [shlex.quote(word) for word in texts(record.env.get("command"))[1:] if word != "--unless-done"]
        return in_project(record, [*given, *project_flags(record, flags)])
    config, name = str(record.directory / "config.toml"), str(record.config.get("experiment") or "")
    # Code of one's own is named by whoever types the command: a record may not choose what is run.
    own = ["--experiment", name] if record.config.get("code_sha256") and name else []
    return " ".join([shlex.join(["loopwright", "train", "--config", config, *own]), *flags, *place])


def project_of(record: Record) -> Path | None:
    """The project that a run is in; None where it lies elsewhere by now."""
    found = record.directory.absolute().parents
    project = found[2] if len(found) > 2 else None
    there = project is not None and (project / "train.py").is_file() and (project / ".loopwright").is_dir()
    return project if there else None


def in_project(record: Record, words: Sequence[str]) -> str:
    """`python train.py` in a run's project, from here."""
    line, project = " ".join(["python", "train.py", *words]), project_of(record)
    if project is None or project == Path.cwd():
        return line
    return f"(cd {shlex.quote(os.path.relpath(project))} && {line})"


def changed_since(record: Record) -> bool:
    """Whether the project's code is not that of the run any more, so that the command trains something else."""
    project, told = project_of(record), record.config.get("code_sha256")
    if not of_project(record) or project is None or not told:
        return False
    digest = hashlib.sha256()
    for path in sorted(path for pattern in CODE for path in project.glob(pattern)):
        digest.update(path.read_bytes())
    return digest.hexdigest() != str(told)


def project_flags(record: Record, flags: Sequence[str]) -> list[str]:
    """The flags as train.py calls them, those that it has."""
    kept: list[str] = []
    known = False
    for word in flags:
        if word.startswith("--"):
            known = has(record, word)
        kept += [OF_PROJECTS.get(word, word)] if known else []
    return kept


def lacking(record: Record, flags: Sequence[str]) -> list[str]:
    """The flags that a project's train.py lacks."""
    return [word for word in flags if word.startswith("--") and not has(record, word)] if of_project(record) else []


def has(record: Record, flag: str) -> bool:
    """Whether a project's train.py has a setting for a flag of the engine."""
    return OF_PROJECTS.get(flag, flag)[2:].replace("-", "_") in record.config
