"""What two records say about their runs: in what they differ before the first step."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from loopwright.bits import leaves
from loopwright.config import read_toml
from loopwright.errors import RunError
from loopwright.journal import describe_run, open_run
from loopwright.matching.histories import history
from loopwright.reading import file_sha256
from loopwright.running.studying import is_study
from loopwright.values import read_json

Part = Literal["config", "data", "first weights", "code", "versions", "hardware", "variables", "must not matter"]

FACTS: dict[str, Part] = {
    "data_sha256": "data",
    "init_sha256": "first weights",
    "git_commit": "code",
    "git_dirty": "code",
    "loopwright": "versions",
    "python": "versions",
    "torch": "versions",
    "cuda": "versions",
    "platform": "versions",
    "cpu": "hardware",
    "cpu_capability": "hardware",
    "gpu": "hardware",
    "workers": "must not matter",
}
"""Which keys of env.json bits may depend on."""

LISTS: dict[str, Part] = {"packages": "versions", "variables": "variables"}
"""Keys of env.json whose values are mappings."""

HEAD: dict[str, Part] = {"code_sha256": "code", "loopwright": "versions"}
"""Keys of config.toml that are no field of the experiment."""


@dataclass(frozen=True)
class Change:
    """Something that two records say differently: its part of the record and name, both values (None: not there)."""

    part: Part
    name: str
    a: Any
    b: Any


LAUNCHED = ("TORCH_NCCL_", "TORCHELASTIC_", "OMP_NUM_THREADS")
"""Variables that a launcher sets and that no bit depends on; the run sets its threads itself."""


def different_experiments(a: Path, b: Path) -> bool:
    """Whether the runs are of two experiments; two of one's own are variants of one where their task is the same."""
    ours, theirs = (read_toml(run / "config.toml").data for run in (a, b))
    names = [str(data.get("experiment")).rpartition(":") for data in (ours, theirs)]
    own = all(colon for _, colon, _ in names)
    return names[0][2] != names[1][2] and not (own and task_type(ours) == task_type(theirs))


def task_type(config: Mapping[str, Any]) -> object:
    """The class of the task that a config.toml names."""
    task = config.get("task")
    return task.get("type") if isinstance(task, Mapping) else None


def changes(a: Path, b: Path) -> list[Change]:
    """In what the records of two runs differ, before their first step."""
    ours, theirs = dict(facts(a)), dict(facts(b))
    keys = {**ours, **theirs}
    return [Change(*key, ours.get(key), theirs.get(key)) for key in keys if ours.get(key) != theirs.get(key)]


def changes_since(run: Path) -> list[Change]:
    """In what this process differs from the record of a run: versions, hardware, variables; b is what is here."""
    then, now = dict(conditions(read_json(run / "env.json"))), dict(conditions(describe_run({})))
    return [
        Change(part, name, then.get((part, name)), now.get((part, name)))
        for part, name in {**then, **now}
        if part in ("versions", "hardware", "variables") and then.get((part, name)) != now.get((part, name))
    ]


def facts(run: Path) -> Iterator[tuple[tuple[Part, str], Any]]:
    """All that a record says which bits may depend on, by part and name."""
    for path, value in leaves(read_toml(run / "config.toml").data).items():
        yield (HEAD.get(path, "config"), path), value
    yield ("code", "code.diff"), file_digest(run / "code.diff")
    yield from conditions(read_json(run / "env.json"))


def conditions(environment: Mapping[str, Any]) -> Iterator[tuple[tuple[Part, str], Any]]:
    """What an env.json says which bits may depend on, by part and name."""
    for name, part in FACTS.items():
        yield (part, name), environment.get(name)
    for key, part in LISTS.items():
        listed = environment.get(key)
        for name, value in listed.items() if isinstance(listed, Mapping) else ():
            if name not in FACTS and not name.startswith(LAUNCHED):
                yield (part, name), value


def file_digest(path: Path) -> str | None:
    """The digest of a file; None where it cannot be read."""
    try:
        return file_sha256(path)
    except OSError:
        return None


def run_with_history(path: Path) -> Path:
    """The run directory that `path` names. Raises RunError where it is none, or a study, or has no history."""
    run = run_of_steps(path)
    if next(history(run, "step"), None) is None:
        raise RunError(f"{run}: no step is in its history; name a run that has done one")
    return run


def run_of_steps(path: Path) -> Path:
    """The run directory that `path` names, which may have done no step yet. Raises RunError where it is none, or a
    study."""
    run = open_run(path)
    if is_study(run):
        raise RunError(f"{run}: a study has no steps of its own; name one of the runs below {run / 'members'}")
    return run
