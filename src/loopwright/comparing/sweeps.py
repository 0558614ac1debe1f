"""The sweep that compared runs belong to, and the command that adds a value to it."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from loopwright.comparing.subject import Subject
from loopwright.config import read_toml
from loopwright.errors import ConfigError
from loopwright.journal.runs import ROOT, SWEEP
from loopwright.values import Table, texts, whole

DEPTH = 3
"""A sweep's run is `SWEEP/members/LABEL/NNN`."""


def grown(runs: Sequence[Subject], field: str, value: str) -> str | None:
    """The command that adds a value of `field` to the sweep of all `runs`; None where it has no such list of values."""
    homes = {run.path.absolute().parents[DEPTH - 1] for run in runs if len(run.path.absolute().parents) > DEPTH}
    sweep = homes.pop() if len(homes) == 1 else None
    asked = read(sweep / SWEEP) if sweep else {}
    fields = dict(zip(texts(asked.get("varied")), texts(asked.get("set")), strict=False))
    known = field.removesuffix(".type")
    if sweep is None or known not in fields or ".." in fields[known] or asked.get("random"):
        return None
    fields[known] += f",{value}"
    root = next((run.path.parents[DEPTH + 1] for run in runs if len(run.path.parents) > DEPTH + 1), ROOT)
    words = ["loopwright", "sweep", str(asked.get("experiment"))]
    words += [word for text in fields.values() for word in ("--set", text)]
    words += ["--seeds", str(whole(asked.get("seeds")) or 1), *texts(asked.get("flags"))]
    return shlex.join(words + ([] if root == ROOT else ["--run-dir", str(root)]))


def read(path: Path) -> Table:
    """What a sweep was asked for; nothing where that cannot be read."""
    with suppress(ConfigError):
        return dict(read_toml(path).data)
    return {}
