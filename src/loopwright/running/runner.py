"""Training an experiment in a run directory of its own, and going on with one."""

from __future__ import annotations

import hashlib
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

from loopwright.core.arithmetic import arithmetic
from loopwright.core.experiment import Experiment, Parallel
from loopwright.core.fsdp import arranged, layout_of
from loopwright.core.parallel import ALONE, Workers
from loopwright.core.precision import matmul_error
from loopwright.core.state import State
from loopwright.errors import ConfigError, RunError, WorkerError
from loopwright.files import reading, write_text
from loopwright.initializers import weights_sha256
from loopwright.journal import create_run, describe_machine, describe_run, open_run, uncommitted
from loopwright.journal.lock import check_unclaimed
from loopwright.running.config import Origin, dump_config, load_config
from loopwright.running.introducing import circumstances
from loopwright.running.session import Session, Watchers, complete, finished, write_report
from loopwright.running.summary import parameter_count, write_json
from loopwright.store import newest_good
from loopwright.values import read_json

ALIKE = ("loopwright", "python", "torch", "cuda", "gpu", "cpu", "cpu_capability")
"""What has to be the same on each worker's machine."""


def train_one_experiment(
    experiment: Experiment,
    root: Path = Path("runs"),
    watchers: Watchers | None = None,
    *,
    origin: Origin | None = None,
    workers: Workers = ALONE,
) -> Path:
    """Train `experiment` in a new run directory below `root`, test the last and the best weights, and report.

    Seed, data, model, optimizer, train, test, artifacts; what comes back is the directory. `origin` says where the
    experiment comes from, so that the record can be resumed and rerun; without it, a name of `loopwright list`.
    `workers` are those of `core.group.joined()`, where `torchrun` has started several: the first keeps the record.

    Raises Interrupted after Ctrl-C or SIGTERM (the run is saved), ConfigError and DataError before anything is written,
    NonFiniteError and StoreError while training.
    """
    watchers, asked = watchers or Watchers(), experiment
    experiment = experiment.resolved().check()
    check_workers(experiment, workers)
    workers = arranged(experiment, workers)
    with arithmetic(experiment):
        state = begin(experiment, workers)
        facts = agreed(experiment, state, workers)
        run = Path(workers.from_first(lambda: str(record(experiment, facts, root, origin or Origin(experiment.name)))))
        watchers.say(f"run {run}")
        watchers.say(circumstances(asked, experiment))
        return complete(Session(run, experiment, state, watchers, workers))


def record(experiment: Experiment, facts: dict[str, Any], root: Path, origin: Origin) -> Path:
    """A new run directory that says what is about to be run; its path."""
    run = create_run(root, run_name(origin.member or experiment.name))
    config = dump_config(experiment, origin)
    write_text(run / "config.toml", config)
    write_text(run / "code.diff", uncommitted(Path.cwd()))
    write_json(run / "findings.json", [])
    keep_source(run, experiment.name)
    # Last: without it a directory is no run, so whatever kills this leaves a whole record or none.
    write_json(run / "env.json", {**describe_run(facts), "config_sha256": digest(config)})
    return run


def resume_run(
    run: Path,
    watchers: Watchers | None = None,
    reference: str | None = None,
    *,
    workers: Workers = ALONE,
    parallel: Parallel | None = None,
) -> Path:
    """Go on with the run in the directory `run` from its newest good checkpoint; the directory.

    On `workers`, of which there may be another number than before; with `parallel` they hold the weights another way.

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
    if workers.worker.rank == 0:
        check_unclaimed(run)  # before anything is said of going on
    experiment = load_config(run / "config.toml", reference).resolved()
    experiment = replace(experiment, parallel=parallel or experiment.parallel).check()
    check_workers(experiment, workers)
    workers = arranged(experiment, workers)
    with arithmetic(experiment):
        state = begin(experiment, workers)
        several = workers.worker.size > 1  # one worker need not hash its weights to agree with itself
        if several:
            agreed(experiment, state, workers)
        check_unchanged(run, experiment)
        rejected = restore(state, run, watchers)
        watchers.say(circumstances(experiment, experiment, "as recorded"))
        if several:
            check_same_state(state, workers)
        return complete(Session(run, experiment, state, watchers, workers), rejected=rejected)


def restore(state: State, run: Path, watchers: Watchers) -> tuple[str, ...]:
    """Bring `state` to the newest good checkpoint of `run`; what had to be passed over.

    A run that was stopped before its first checkpoint begins again: its first state is a function of the seed.
    """
    directory = run / "checkpoints"
    with reading(directory):
        checkpoints = list(directory.glob("*.pt"))
    if not checkpoints:
        watchers.say(f"resuming {run} from the beginning, it has no checkpoint")
        return ()
    found = newest_good(directory, watchers.say)
    state.load_state_dict(found.content["state"], str(found.path))
    watchers.say(f"resuming {run} from {found.path.name}, step {state.step}")
    return found.rejected


def check_same_state(state: State, workers: Workers) -> None:
    """Raise WorkerError where the workers do not go on from one checkpoint, a file that one could not read, say."""
    told = workers.exchange({"step": state.step, "weights": weights_sha256(state.model, state.layout.whole)})
    if any(other != told[0] for other in told):
        steps = ", ".join(str(of_worker["step"]) for of_worker in told)
        raise WorkerError(
            f"the workers read different checkpoints, of steps {steps}; the run directory must be the same for all"
        )


def begin(experiment: Experiment, workers: Workers = ALONE) -> State:
    """The first state. Raises ConfigError where model or optimizer refuse the experiment's values."""
    try:
        return State.create(experiment, layout_of(experiment, workers))
    except ValueError as error:
        raise ConfigError(f"{experiment.name}: {error}; change the field that this speaks of") from error


def keep_source(run: Path, name: str) -> None:
    """Keep a copy of the file that one's own experiment `file.py:function` comes from, as `source.py`."""
    place = Path(name.rpartition(":")[0])
    if place.suffix == ".py" and place.is_file():
        with reading(place):
            source = place.read_text(encoding="utf-8")
        write_text(run / "source.py", source)


def facts_of(experiment: Experiment, state: State) -> dict[str, Any]:
    """What a run's bits depend on, besides its configuration and its machine.

    `exact` says whether the same bits are promised: on a GPU only where operations that are not deterministic are
    refused.
    """
    precision = {"name": experiment.precision, "matmul_error": matmul_error() if state.device.type == "cpu" else None}
    return {
        "seed": experiment.seed,
        "init_sha256": weights_sha256(state.model, state.layout.whole),
        "data_sha256": experiment.task.data.sha256(),
        "parameters": parameter_count(state.model),
        "device": experiment.device,
        "threads": experiment.threads,
        "shards": experiment.shards,
        "parallel": experiment.parallel,
        "exact": state.device.type == "cpu" or experiment.deterministic,
        "precision": precision,
        "deterministic": experiment.deterministic,
    }


def agreed(experiment: Experiment, state: State, workers: Workers) -> dict[str, Any]:
    """The facts of the run, and how many workers begin it. Raises WorkerError where they do not agree on one of them.

    Another processor or another version would make another run of the same configuration.
    """
    machine = {key: value for key, value in describe_machine().items() if key in ALIKE}
    facts = facts_of(experiment, state)
    config = digest(dump_config(experiment, Origin(experiment.name)))
    first, *others = workers.exchange({**facts, **machine, "configuration": config})
    for rank, other in enumerate(others, start=1):
        different = [name for name in first if first[name] != other[name]]
        if different:
            name = different[0]
            raise WorkerError(
                f"{name}: the first worker has {first[name]}, worker {rank} has {other[name]}; "
                "workers of one run need the same configuration, data, versions and kind of processor"
            )
    return {**facts, "workers": workers.worker.size}


def check_unchanged(run: Path, experiment: Experiment) -> None:
    """Raise RunError where configuration or data are not those that the run began with."""
    began = read_json(run / "env.json")
    with reading(run / "config.toml"):
        config = (run / "config.toml").read_text(encoding="utf-8")
    if began.get("config_sha256") != digest(config):
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


def check_workers(experiment: Experiment, workers: Workers) -> None:
    """Raise ConfigError where the workers cannot share the experiment's shards."""
    size = workers.worker.size
    if size > experiment.shards:
        raise ConfigError(
            f"shards: received {experiment.shards} for {size} workers, each needs a shard at least; "
            f"start at most {experiment.shards} workers, or train anew with --shards {size}"
        )
    started = int(os.environ.get("WORLD_SIZE", "1"))
    if size != started:
        raise ConfigError(
            f"WORLD_SIZE: torchrun has started {started} processes, this run was given {size}; "
            "pass workers=… from `with joined() as workers`, or start one process"
        )


def digest(text: str) -> str:
    """The SHA-256 of a text."""
    return hashlib.sha256(text.encode()).hexdigest()


def run_name(name: str) -> str:
    """The directory that an experiment's runs go to: its name, of `file.py:function` the function's."""
    return name.rpartition(":")[2].replace("_", "-")
