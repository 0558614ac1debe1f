"""From an experiment to a finished run directory: seed, data, model, optimizer, train, test, artifacts."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch

from loopwright.core.arithmetic import arithmetic
from loopwright.core.evaluate import untouched
from loopwright.core.experiment import Experiment
from loopwright.core.interrupt import Interrupt
from loopwright.core.loop import Ended, train
from loopwright.core.precision import matmul_error
from loopwright.core.state import State
from loopwright.errors import Interrupted, LoopwrightError, RunError
from loopwright.files import write_text
from loopwright.initializers import weights_sha256
from loopwright.journal import RunJournal, Sink, create_run, describe_run, open_run, uncommitted
from loopwright.journal.tensorboard import TensorBoardSink
from loopwright.protocols import Hook
from loopwright.running.config import Origin, dump_config, load_config
from loopwright.running.summary import parameter_count, read_json, summarize, write_json
from loopwright.seeding import preserved_generators
from loopwright.store import CheckpointStore, newest_good, read_checkpoint

Say = Callable[[str], None]


@dataclass(frozen=True)
class Watchers:
    """Who looks on: hooks of the loop, sinks of the journal, where messages for people go (`say`), and who is told
    how many steps a run will have when it begins. None of them changes a bit."""

    hooks: Sequence[Hook] = ()
    sinks: Sequence[Sink] = ()
    say: Say = field(default=lambda line: None)
    begin: Callable[[int], None] = field(default=lambda total: None)


def train_one_experiment(
    experiment: Experiment,
    root: Path = Path("runs"),
    watchers: Watchers | None = None,
    *,
    origin: Origin | None = None,
) -> Path:
    """Train `experiment` in a new run directory below `root`, test the last and the best weights, and report; the
    directory.

    Raises Interrupted after Ctrl-C or SIGTERM (the run is saved), ConfigError and DataError before anything is written,
    NonFiniteError and StoreError while training.
    """
    watchers = watchers or Watchers()
    experiment = experiment.resolved().check()
    with arithmetic(experiment):
        state = State.create(experiment)
        run = create_run(root, run_name(experiment.name))
        write_text(run / "config.toml", dump_config(experiment, origin or Origin(experiment.name)))
        write_json(run / "env.json", environment(experiment, state))
        write_text(run / "code.diff", uncommitted(Path.cwd()))
        write_json(run / "findings.json", [])
        watchers.say(f"run {run}")
        return complete(run, experiment, state, watchers)


def resume_run(run: Path, watchers: Watchers | None = None, reference: str | None = None) -> Path:
    """Go on with the run in the directory `run` from its newest good checkpoint; the directory.

    `reference` names the experiment again where it is one's own and does not lie below the current directory. Raises
    RunError where the run cannot go on (not a run, other data), CheckpointError where no checkpoint is good, and what
    train_one_experiment raises.
    """
    watchers = watchers or Watchers()
    run = open_run(run)
    if read_json(run / "metrics.json").get("status") == "finished":
        watchers.say(f"{run} is finished; there is nothing to go on with")
        return run
    experiment = load_config(run / "config.toml", reference)
    with arithmetic(experiment):
        state = State.create(experiment)
        check_data(run, experiment)
        found = newest_good(run / "checkpoints", watchers.say)
        state.load_state_dict(found.content["state"], str(found.path))
        watchers.say(f"resuming {run} from {found.path.name}, step {state.step}")
        return complete(run, experiment, state, watchers, rejected=found.rejected)


def complete(
    run: Path,
    experiment: Experiment,
    state: State,
    watchers: Watchers,
    *,
    rejected: Sequence[str] | None = None,
) -> Path:
    """Train from `state` to the end and write what a finished run has. `rejected` is given where the run is resumed."""
    write_json(run / "metrics.json", {"experiment": experiment.name, "status": "running"})
    with tensorboard(run, experiment) as extra:
        sinks = [*watchers.sinks, *extra]
        with RunJournal(run, sinks=sinks, resumed_at=state.step) as journal, Interrupt() as interrupt:
            if rejected is not None:
                journal.event("resumed", state.step, rejected=list(rejected))
            try:
                ended, seconds = timed_training(run, experiment, state, journal, watchers, interrupt)
                if ended == "interrupt":
                    raise stopped(run, state, interrupt)
                with interrupt.breakable():
                    finish(run, experiment, state, ended, seconds, watchers)
            except (LoopwrightError, KeyboardInterrupt) as error:
                broke_off(run, experiment, state, journal, error)
                write_report(run, watchers.say)
                raise
    write_report(run, watchers.say)
    return run


def timed_training(
    run: Path,
    experiment: Experiment,
    state: State,
    journal: RunJournal,
    watchers: Watchers,
    interrupt: Interrupt,
) -> tuple[Ended, dict[str, float]]:
    """The loop, with the run's store; how it ended, and the steps done and the seconds they took."""
    first, start = state.step, time.perf_counter()
    watchers.begin(experiment.cadence().total)
    with CheckpointStore(run / "checkpoints", experiment.keep) as store:
        ended = train(experiment, state, journal=journal, store=store, hooks=watchers.hooks, interrupt=interrupt)
    return ended, {"steps": state.step - first, "train_seconds": time.perf_counter() - start}


def finish(
    run: Path,
    experiment: Experiment,
    state: State,
    ended: Ended,
    seconds: dict[str, float],
    watchers: Watchers,
) -> None:
    """Test the last and the best weights on every split, let the task show what it has, and write metrics.json."""
    start = time.perf_counter()
    best = best_state(run, experiment)
    watchers.say(f"testing the last weights (step {state.step}) and the best (step {best.step})")
    metrics = summarize(experiment, state, best, stopped=ended)
    model = best.average.module
    (run / "artifacts").mkdir(exist_ok=True)
    with untouched(model), preserved_generators(), torch.no_grad():
        model.eval()
        experiment.task.artifacts(model, run / "artifacts")
    done, elapsed = seconds["steps"], seconds["train_seconds"]
    metrics["timing"] = {
        "train_seconds": elapsed,
        "test_seconds": time.perf_counter() - start,
        "steps_per_second": done / elapsed if done else 0.0,
        "samples_per_second": done * experiment.batch_size / elapsed if done else 0.0,
    }
    write_json(run / "metrics.json", metrics)


def broke_off(
    run: Path, experiment: Experiment, state: State, journal: RunJournal, error: LoopwrightError | KeyboardInterrupt
) -> None:
    """Write down that, where and why a run stopped before its end."""
    status = "failed"
    if isinstance(error, Interrupted | KeyboardInterrupt):
        status = "interrupted"
    if isinstance(error, LoopwrightError):
        error.run = run
    journal.event(status, state.step, reason=str(error))
    outcome = {"experiment": experiment.name, "status": status, "steps": state.step, "reason": str(error)}
    write_json(run / "metrics.json", outcome)


def best_state(run: Path, experiment: Experiment) -> State:
    """The state that best.pt holds; the newest good checkpoint where nothing was ever best (a metric always NaN)."""
    best = State.create(experiment)
    path = run / "checkpoints" / "best.pt"
    content = read_checkpoint(path) if path.exists() else newest_good(path.parent).content
    best.load_state_dict(content["state"], str(path))
    return best


def stopped(run: Path, state: State, interrupt: Interrupt) -> Interrupted:
    """The message after a signal."""
    number = interrupt.requested or 2
    return Interrupted(f"stopped after step {state.step} and saved; go on with: loopwright resume {run}", number)


def environment(experiment: Experiment, state: State) -> dict[str, Any]:
    """The content of env.json."""
    precision = {
        "name": experiment.precision,
        "matmul_error": matmul_error() if state.device.type == "cpu" else None,
    }
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


def check_data(run: Path, experiment: Experiment) -> None:
    """Raise RunError where the data are not those that the run began with."""
    began, found = read_json(run / "env.json").get("data_sha256"), experiment.task.data.sha256()
    if began != found:
        raise RunError(
            f"{run}: the data have digest {found[:12]}, the run began with {str(began)[:12]}; "
            "bring the same data back, or train anew"
        )


def run_name(name: str) -> str:
    """The directory that an experiment's runs go to: its name, of `file.py:function` the function's."""
    return name.rpartition(":")[2].replace("_", "-")


@contextmanager
def tensorboard(run: Path, experiment: Experiment) -> Iterator[list[Sink]]:
    """A TensorBoard sink where the experiment wants one, closed at the end."""
    if not experiment.tensorboard:
        yield []
        return
    sink = TensorBoardSink(run / "logs" / "tensorboard")
    try:
        yield [sink]
    finally:
        sink.close()


def write_report(run: Path, say: Say) -> None:
    """Make plots and report in a process of their own: whatever happens there, the run is complete."""
    command = [sys.executable, "-m", "loopwright.report", str(run)]
    done = subprocess.run(command, capture_output=True, check=False)
    if done.returncode:
        last = done.stderr.decode(errors="replace").strip().rpartition("\n")[2]
        say(f"no report: {last}; try again with: loopwright report {run}")
