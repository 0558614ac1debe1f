"""Carrying out a study without reports, which take a second each."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

from loopwright.core import Experiment, State, Study, train
from loopwright.core.arithmetic import arithmetic
from loopwright.errors import NonFiniteError
from loopwright.journal import RunJournal
from loopwright.protocols import NoStore
from loopwright.running.summary import summarize


def outcome(member: Experiment, run: Path) -> dict[str, Any]:
    """What metrics.json would say of `member`, whose history is written into `run`."""
    (run / "logs").mkdir(parents=True)
    state = State.create(member)
    try:
        with RunJournal(run) as journal:
            train(member, state, journal=journal, store=NoStore())
    except NonFiniteError as error:
        return {"run": str(run), "status": "failed", "steps": state.step, "reason": str(error)}
    return {"run": str(run), **summarize(member, state, state, stopped="budget", initial_loss=float("nan"))}


def concluded(study: Study, directory: Path) -> dict[str, Any]:
    """The study's table, by the one JSON file that it must leave."""
    results = []
    for member in study.members:
        member = replace(member, device="cpu", threads=1)
        with arithmetic(member):
            results.append((member, outcome(member, directory / "members" / member.name)))
    (directory / "artifacts").mkdir()
    study.conclude(results, directory / "artifacts")
    (table,) = (directory / "artifacts").glob("*.json")
    return {"name": table.name, **json.loads(table.read_text())}
