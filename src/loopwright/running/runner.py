"""Training an experiment in a run directory of its own, and going on with one."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

from loopwright.core.arithmetic import arithmetic
from loopwright.core.experiment import Experiment
from loopwright.core.precision import matmul_error
from loopwright.core.state import State
from loopwright.errors import ConfigError, RunError
from loopwright.files import write_text
from loopwright.initializers import weights_sha256
from loopwright.journal import create_run, describe_run, open_run, uncommitted
from loopwright.running.config import Origin, dump_config, load_config
from loopwright.running.session import Session, Watchers, complete, finished, write_report
from loopwright.running.summary import parameter_count, read_json, write_json
from loopwright.store import newest_good


def train_one_experiment(
    experiment: Experiment,
    root: Path = Path("runs"),
    watchers: Watchers | None = None,
    *,
    origin: Origin | None = None,
) -> Path:
    """Train `experiment` in a new run directory below `root`, test the last and the best weights, and report.

    Seed, data, model, optimizer, train, test, artifacts; what comes back is the directory. `origin` says where the
    experiment comes from, so that the record can be resumed and rerun; without it, a name of `loopwright list`.

    Raises Interrupted after Ctrl-C or SIGTERM (the run is saved), ConfigError and DataError before anything is written,
    NonFiniteError and StoreError while training.
    """
    watchers = watchers or Watchers()
    experiment = experiment.resolved().check()
    with arithmetic(experiment):
        state = begin(experiment)
        run = create_run(root, run_name(experiment.name))
        config = dump_config(experiment, origin or Origin(experiment.name))
        write_text(run / "config.toml", config)
        write_json(run / "env.json", {**environment(experiment, state), "config_sha256": digest(config)})
        write_text(run / "code.diff", uncommitted(Path.cwd()))
        write_json(run / "findings.json", [])
        keep_source(run, experiment.name)
        watchers.say(f"run {run}")
        return complete(Session(run, experiment, state, watchers))


def resume_run(run: Path, watchers: Watchers | None = None, reference: str | None = None) -> Path:
    """Go on with the run in the directory `run` from its newest good checkpoint; the directory.

    `reference` names the experiment again where it is one's own and does not lie below the current directory. Raises
    RunError where the run cannot go on (not a run, other data), CheckpointError where no checkpoint is good, and what
    train_one_experiment raises.
    """
    watchers = watchers or Watchers()
    run = open_run(run)
    if finished(run):
        watchers.say(f"{run} is finished; there is nothing to go on with")
        if not (run / "report.html").is_file():
            write_report(run, watchers.say)
        return run
    experiment = load_config(run / "config.toml", reference).resolved().check()
    with arithmetic(experiment):
        state = begin(experiment)
        check_unchanged(run, experiment)
        rejected = restore(state, run, watchers)
        return complete(Session(run, experiment, state, watchers), rejected=rejected)


def restore(state: State, run: Path, watchers: Watchers) -> tuple[str, ...]:
    """Bring `state` to the newest good checkpoint of `run`; what had to be passed over.

    A run that was stopped before its first checkpoint begins again: its first state is a function of the seed.
    """
    directory = run / "checkpoints"
    if not any(directory.glob("*.pt")):
        watchers.say(f"resuming {run} from the beginning, it has no checkpoint")
        return ()
    found = newest_good(directory, watchers.say)
    state.load_state_dict(found.content["state"], str(found.path))
    watchers.say(f"resuming {run} from {found.path.name}, step {state.step}")
    return found.rejected


def begin(experiment: Experiment) -> State:
    """The first state. Raises ConfigError where model or optimizer refuse the experiment's values."""
    try:
        return State.create(experiment)
    except ValueError as error:
        raise ConfigError(f"{experiment.name}: {error}; change the field that this speaks of") from error


def keep_source(run: Path, name: str) -> None:
    """Keep a copy of the file that one's own experiment `file.py:function` comes from, as `source.py`."""
    place = Path(name.rpartition(":")[0])
    if place.suffix == ".py" and place.is_file():
        write_text(run / "source.py", place.read_text(encoding="utf-8"))


def environment(experiment: Experiment, state: State) -> dict[str, Any]:
    """The content of env.json."""
    precision = {"name": experiment.precision, "matmul_error": matmul_error() if state.device.type == "cpu" else None}
    return describe_run(
        {
            "seed": experiment.seed,
            "init_sha256": weights_sha256(state.model),
            "data_sha256": experiment.task.data.sha256(),
            "parameters": parameter_count(state.model),
            "device": experiment.device,
            "threads": experiment.threads,
            "precision": precision,
            "deterministic": experiment.deterministic,
        }
    )


def check_unchanged(run: Path, experiment: Experiment) -> None:
    """Raise RunError where configuration or data are not those that the run began with."""
    began = read_json(run / "env.json")
    if began.get("config_sha256") != digest((run / "config.toml").read_text(encoding="utf-8")):
        raise RunError(
            f"{run}: config.toml was changed since the run began; put it back, or train anew with "
            f"loopwright train --config {run / 'config.toml'}"
        )
    found = experiment.task.data.sha256()
    if began.get("data_sha256") != found:
        raise RunError(
            f"{run}: the data have digest {found[:12]}, the run began with {str(began.get('data_sha256'))[:12]}; "
            "bring the same data back, or train anew"
        )


def digest(text: str) -> str:
    """The SHA-256 of a text."""
    return hashlib.sha256(text.encode()).hexdigest()


def run_name(name: str) -> str:
    """The directory that an experiment's runs go to: its name, of `file.py:function` the function's."""
    return name.rpartition(":")[2].replace("_", "-")
