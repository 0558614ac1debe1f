"""What a run directory holds, read from its files. What is missing or damaged is listed, never raised."""

from __future__ import annotations

import json
import re
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from loopwright.errors import RunError
from loopwright.lines import revive
from loopwright.reading import read_at_most
from loopwright.report.history import History
from loopwright.values import Table, table, tables


@dataclass(frozen=True, slots=True)
class Record:
    """The files of one run. What could not be read is empty, and `notes` has a line on it.

    `patch`: what was changed in the working tree since the commit. `findings`: None where nobody has looked for any.
    """

    directory: Path
    config: Table
    config_text: str
    patch: str
    env: Table
    metrics: Table
    findings: list[Table] | None
    history: History
    notes: list[str]

    @staticmethod
    def load(run: Path) -> Record:
        """Read the run directory `run`, however little is in it.

        Raises RunError where there is no such directory.
        """
        if not run.is_dir():
            raise RunError(f"{run}: there is no such directory; name a run directory, such as runs/NAME/001")
        notes: list[str] = []
        env = _read_table(run / "env.json", notes)
        config_text = _read_text(run / "config.toml", notes)
        return Record(
            directory=run,
            config=_parse_toml(config_text, notes),
            config_text=config_text,
            patch=_read_text(run / "code.diff", []),
            env=env,
            metrics=_read_table(run / "metrics.json", notes),
            findings=_read_findings(run / "findings.json", notes),
            history=History.load(run / "logs" / "history.jsonl", [] if "members" in env else notes),
            notes=notes,
        )

    @property
    def experiment(self) -> str:
        """The experiment's name; without a summary, the name of the directory above the run's."""
        return str(self.metrics.get("experiment") or self.directory.absolute().parent.name)

    @property
    def deciding(self) -> tuple[str, str]:
        """The validation metric that decides which step is best, and `min` or `max`; empty where unknown."""
        decided = table(self.metrics, "decided_by") or self.config
        return str(decided.get("metric") or ""), str(decided.get("mode") or "")

    @property
    def is_study(self) -> bool:
        """Whether this is a study, whose members have run directories of their own below it."""
        return "members" in self.env


def broke_at(metrics: Table) -> int | None:
    """The step that could not be done, by a run's summary; None where it was not a step that ended the run."""
    reason = metrics.get("reason")
    found = re.match(r"step (\d{1,15}):", reason) if isinstance(reason, str) else None
    return int(found[1]) if found and metrics.get("status") == "failed" else None


def _read_text(path: Path, notes: list[str]) -> str:
    try:
        return read_at_most(path).decode("utf-8", "replace")
    except FileNotFoundError:
        notes.append(f"{path.name} is missing")
    except OSError as error:
        notes.append(f"{path.name} could not be read: {error.strerror}")
    return ""


def _read_json(path: Path, notes: list[str]) -> Any:
    text = _read_text(path, notes)
    try:
        return revive(json.loads(text)) if text else None
    except (ValueError, RecursionError):
        notes.append(f"{path.name} is damaged: it is not JSON")
    return None


def _read_findings(path: Path, notes: list[str]) -> list[Table] | None:
    found = _read_json(path, notes)
    found = found.get("findings") if isinstance(found, dict) else found
    return None if found is None else tables(found)


def _read_table(path: Path, notes: list[str]) -> Table:
    return table(_read_json(path, notes))


def _parse_toml(text: str, notes: list[str]) -> Table:
    try:
        return tomllib.loads(text)
    except (ValueError, RecursionError):  # an integer of thousands of digits is a plain ValueError
        notes.append("config.toml is damaged: it is not TOML")
    return {}
