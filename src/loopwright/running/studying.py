"""Carrying out a study: each member a run of its own below the study's directory, one table over all of them."""

from __future__ import annotations

import shlex
from contextlib import suppress
from pathlib import Path
from typing import Any

from loopwright.config import dumps
from loopwright.core.experiment import Experiment
from loopwright.core.parallel import Workers
from loopwright.core.study import Results, Study
from loopwright.errors import ConfigError, Interrupted, LoopwrightError, NonFiniteError, RunError, StoreError
from loopwright.files import make_directory, write_text
from loopwright.journal import create_run, describe_run, open_run
from loopwright.journal.lock import claim_run
from loopwright.running.config import Origin, dump_config, recorded
from loopwright.running.runner import resume_run, train_one_experiment
from loopwright.running.session import Watchers, finished, write_report
from loopwright.running.summary import write_json
from loopwright.values import read_json


def train_study(study: Study, root: Path, watchers: Watchers, origin: Origin) -> Path:
    """Train all members of `study` in a new directory below `root`; the directory.

    Raises what train_one_experiment raises, of the member that failed; those before it are complete, `resume_study`
    does the rest.
    """
    return carry_out(study, begin_study(study, root, origin), watchers, origin)


def begin_study(study: Study, root: Path, origin: Origin) -> Path:
    """A new directory below `root` that says what is to be trained; its path."""
    run = create_run(root, study.name)
    write_text(run / "config.toml", dumps(origin.head()))
    write_json(run / "env.json", describe_run({"members": [member.name for member in study.members]}))
    write_json(run / "findings.json", [])
    note(run, study, "running", [])
    (run / "members").mkdir()
    for member in study.members:
        config = dump_config(member, origin.of_member(member.name))
        write_text(run / "members" / f"{member.name}.toml", config)
    return run


def resume_study(path: Path, watchers: Watchers, reference: str | None = None) -> Path:
    """Finish a study: complete members stay, an interrupted one goes on, the rest are trained; the directory."""
    run = open_run(path)
    study, origin = recorded(run / "config.toml", reference)
    if not isinstance(study, Study):
        raise RunError(f"{path}: {origin.experiment} is a run, not a study")
    return carry_out(study, run, watchers, origin)


def carry_out(study: Study, run: Path, watchers: Watchers, origin: Origin) -> Path:
    """Do what is not done yet, then conclude. Raises Interrupted that says how to go on with the whole study.

    Raises RunError where another process is at it.
    """
    done: list[tuple[Experiment, dict[str, Any]]] = []
    with claim_run(run):
        note(run, study, "running", done)
        for number, member in enumerate(study.members, start=1):
            watchers.say(f"member {number} of {len(study.members)}: {member.name}")
            try:
                directory = bring_to_end(member, run, watchers, origin)
            except Interrupted as stop:
                note(run, study, "interrupted", done)
                message = (
                    f"stopped in member {member.name} and saved; go on with: loopwright resume {shlex.quote(str(run))}"
                )
                raise interrupted(message, stop.exit_code, run) from stop
            except LoopwrightError as error:
                with suppress(StoreError):  # on a full disk the reason is still told to whoever reads the error
                    note(run, study, "failed", done, reason=f"member {member.name}: {error}")
                raise
            done.append((member, {**read_json(directory / "metrics.json"), "run": str(directory)}))
            note(run, study, "running", done)
        make_directory(run / "artifacts")
        study.conclude(done, run / "artifacts")
        note(run, study, "finished", done)
    write_report(run, watchers.say)
    return run


def note(run: Path, study: Study, status: str, done: Results, **more: str) -> None:
    """Write down how far a study is."""
    members = [metrics for _, metrics in done]
    write_json(run / "metrics.json", {"experiment": study.name, "status": status, "members": members, **more})


def interrupted(message: str, exit_code: int, run: Path) -> Interrupted:
    """The end of a study by a signal, with the study's own directory."""
    error = Interrupted(message, exit_code - 128)
    error.run = run
    return error


def bring_to_end(member: Experiment, run: Path, watchers: Watchers, origin: Origin) -> Path:
    """The finished run of one member: as it is, resumed, or trained. Numbers that are not finite are a result too."""
    directory = run / "members" / member.name / "001"
    if finished(directory):
        return directory
    try:
        if (directory / "checkpoints").is_dir():
            return resume_run(directory, watchers)
        return train_one_experiment(member, run / "members", watchers, origin=origin.of_member(member.name))
    except NonFiniteError:
        return directory


def refuse_studies(workers: Workers, name: str) -> None:
    """Raise ConfigError where several workers would carry out a study."""
    if workers.worker.size > 1:
        raise ConfigError(f"{name}: a study, whose members are runs of their own; start it without torchrun")


def is_study(run: Path) -> bool:
    """Whether the directory `run` holds a study."""
    return "members" in read_json(run / "env.json")
