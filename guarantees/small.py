"""A small real run, carried out as far as a campaign wants it, without the seconds that a report takes."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import cast

from loopwright.core import Experiment, State, train
from loopwright.experiments.points import points
from loopwright.files import write_text
from loopwright.initializers import weights_sha256
from loopwright.journal import RunJournal, create_run
from loopwright.protocols import Hook, StepReport
from loopwright.running.config import Origin, dump_config
from loopwright.running.runner import digest
from loopwright.running.summary import write_json
from loopwright.store import CheckpointStore
from loopwright.tasks.points import Points


class BrokenOffError(Exception):
    """The end of a run before its end."""


class BreakOff(Hook):
    """Ends a run after step 12, two steps behind its newest checkpoint."""

    def on_step_end(self, report: StepReport) -> None:
        """Raise at step 12."""
        if report.step == 12:
            raise BrokenOffError


def experiment() -> Experiment:
    """`points` with a small network, of 20 steps, with checkpoints of steps 5, 10, 15, 20."""
    base = points()
    small = replace(cast(Points, base.task), hidden=(16, 16))
    return replace(base, task=small, steps=20, save_every=5, eval_every=5, threads=1, device="cpu").resolved().check()


def unfinished_run(root: Path) -> Path:
    """The directory of a run that broke off after step 12."""
    chosen = experiment()
    state, run = State.create(chosen), create_run(root, chosen.name)
    facts = {"seed": chosen.seed, "init_sha256": weights_sha256(state.model), "data_sha256": chosen.task.data.sha256()}
    config = dump_config(chosen, Origin(chosen.name))
    write_text(run / "config.toml", config)
    write_json(run / "env.json", {**facts, "config_sha256": digest(config)})
    write_json(run / "findings.json", [])
    write_json(
        run / "metrics.json", {"experiment": chosen.name, "status": "failed", "steps": 12, "reason": "broken off"}
    )
    with (
        suppress(BrokenOffError),
        RunJournal(run) as journal,
        CheckpointStore(run / "checkpoints") as store,
    ):
        train(chosen, state, journal=journal, store=store, hooks=[BreakOff()])
    return run
