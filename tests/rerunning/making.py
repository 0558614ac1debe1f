"""Runs of the experiments in own.py, recorded as the command line records them."""

from __future__ import annotations

import json
import shutil
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from loopwright.errors import NonFiniteError
from loopwright.journal import open_run
from loopwright.protocols import Hook, StepReport
from loopwright.running import Origin, Watchers, resume_run, train_one_experiment
from loopwright.running.registry import find

ROOT = Path(__file__).parents[2]
OWN = "tests/rerunning/own.py"


def trained(name: str, root: Path, file: str = OWN, **changes: Any) -> Path:
    """A run of the experiment `name` of `file`, or of ours, with some of its values changed, all its steps done.

    It is stopped by hand after the last step, since nothing here looks at its tests and its report.
    """
    entry = find(f"{file}:{name}" if file else name)
    experiment = replace(entry.make(), name=entry.name, **changes)
    enough = Watchers(hooks=[Enough(experiment.cadence().total)])
    with suppress(KeyboardInterrupt):
        train_one_experiment(experiment, root, enough, origin=Origin(entry.name, code_sha256=entry.sha256))
    return open_run(root / name.replace("_", "-") / "latest")


def resumed(name: str, root: Path, after: int, **changes: Any) -> Path:
    """Such a run, stopped after a step and resumed to the end of its steps."""
    entry = find(f"{OWN}:{name}")
    experiment = replace(entry.make(), name=entry.name, **changes)
    watchers = (Watchers(hooks=[Enough(step)]) for step in (after, experiment.cadence().total))
    with suppress(KeyboardInterrupt):
        train_one_experiment(experiment, root, next(watchers), origin=Origin(entry.name, code_sha256=entry.sha256))
    run = open_run(root / name / "latest")
    with suppress(KeyboardInterrupt):
        resume_run(run, next(watchers))
    return run


def broken(name: str, root: Path, **changes: Any) -> Path:
    """Such a run, of which a step is not finite."""
    with suppress(NonFiniteError):
        trained(name, root, **changes)
    return open_run(root / name / "latest")


class Enough(Hook):
    """Ctrl-C after a step."""

    def __init__(self, step: int) -> None:
        self.step = step

    def on_step_end(self, report: StepReport) -> None:
        if report.step == self.step:
            raise KeyboardInterrupt


def files(run: Path) -> dict[str, tuple[int, bytes]]:
    """Every file below a run: when it was written, and what it holds."""
    return {
        str(path.relative_to(run)): (path.stat().st_mtime_ns, path.read_bytes())
        for path in sorted(run.rglob("*"))
        if path.is_file()
    }


def copied(run: Path, to: Path) -> Path:
    """A copy of a run that can be edited."""
    return Path(shutil.copytree(run, to))


def edit_history(run: Path, step: int, **values: Any) -> None:
    """Put other values into the record of a step."""
    path = run / "logs/history.jsonl"
    records = [json.loads(line) for line in path.read_text().splitlines()]
    for record in records:
        if record["kind"] == "step" and record["step"] == step:
            record.update(values)
    path.write_text("".join(json.dumps(record) + "\n" for record in records))


def edit_json(path: Path, **values: Any) -> None:
    """Put other values into a JSON file."""
    path.write_text(json.dumps({**json.loads(path.read_text()), **values}))
