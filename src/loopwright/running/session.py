"""From a state to a finished run directory: train, test, artifacts; and the record of what ended it before."""

from __future__ import annotations

import math
import shlex
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

import torch

from loopwright.core.evaluate import untouched
from loopwright.core.experiment import Experiment
from loopwright.core.fsdp import layout_of
from loopwright.core.interrupt import Interrupt
from loopwright.core.loop import Ended, train
from loopwright.core.parallel import ALONE, Workers
from loopwright.core.precision import refusals_named
from loopwright.core.state import State
from loopwright.core.statistics import single_samples_named
from loopwright.errors import CheckpointError, Interrupted, LoopwrightError, NonFiniteError, StoreError, WorkerError
from loopwright.files import reading, refusals
from loopwright.journal import RunJournal, Sink
from loopwright.journal.tensorboard import TensorBoardSink
from loopwright.lines import scan_history
from loopwright.protocols import Hook, NoJournal, NoStore
from loopwright.running.doctored import doctored
from loopwright.running.introducing import introduction
from loopwright.running.summary import summarize, write_json
from loopwright.seeding import preserved_generators
from loopwright.store import CheckpointStore, newest_good, read_saved
from loopwright.values import number, read_json, table

Say = Callable[[str], None]


@dataclass(frozen=True)
class Watchers:
    """Who looks on: hooks of the loop, sinks of the journal, where messages for people go (`say`), and who is told
    how many steps a run will have and after how many it is evaluated (0: never) when it begins. None of them changes a
    bit."""

    hooks: Sequence[Hook] = ()
    sinks: Sequence[Sink] = ()
    say: Say = field(default=lambda line: None)
    begin: Callable[[int, int], None] = field(default=lambda total, evaluation: None)


@dataclass(frozen=True)
class Session:
    """A run that is being carried out: its directory, its experiment, its state, who looks on, and on which workers."""

    run: Path
    experiment: Experiment
    state: State
    watchers: Watchers
    workers: Workers = ALONE


def complete(session: Session, *, rejected: Sequence[str] | None = None) -> Path:
    """Train to the end and write what a finished run has; `rejected` is given where the run is resumed.

    Whatever ends it before, a signal, our errors or a task's own, is in the record, and raised. The record is the first
    worker's; the others compute and go.
    """
    run, state, watchers = session.run, session.state, session.watchers
    if session.workers.worker.rank:
        return follow(session)
    write_json(run / "metrics.json", {"experiment": session.experiment.name, "status": "running"})
    watchers.say(introduction(session.experiment, state.model, session.workers))
    with (
        tensorboard(session) as extra,
        interrupt_of(session) as interrupt,
        RunJournal(run, sinks=[*watchers.sinks, *extra], resumed_at=state.step) as journal,
    ):
        if rejected is not None:
            size, parallel = session.workers.worker.size, session.experiment.parallel
            journal.event("resumed", state.step, rejected=list(rejected), workers=size, parallel=parallel)
        try:
            ended, timing = timed_training(session, journal, interrupt)
            if ended == "interrupt":
                raise stopped(session, interrupt)
            try:
                with interrupt.breakable(session.workers), failures_named(session):
                    finish(session, ended, timing)
            except Interrupted:
                raise stopped(session, interrupt) from None
            if journal.differences:
                watchers.say(f"{journal.differences} records differ from those before the resume: see history.jsonl")
        except BaseException as error:
            broke_off(session, journal, error)
            raise
    write_report(run, watchers.say)
    return run


def timed_training(session: Session, journal: RunJournal, interrupt: Interrupt) -> tuple[Ended, dict[str, float]]:
    """The loop, with the run's store; how it ended, and how long it took, the parts before a resume included."""
    experiment, state = session.experiment, session.state
    start = time.perf_counter() - journal.earlier
    cadence = experiment.cadence()
    session.watchers.begin(cadence.total, cadence.evaluation)
    alone = session.workers.worker.size == 1  # a probe calls the model, which all workers would have to do together
    watched = doctored(session.run, state, session.watchers.say) if alone else nullcontext()
    with failures_named(session), watched, CheckpointStore(session.run / "checkpoints", experiment.keep) as store:
        ended = train(
            experiment,
            state,
            journal=journal,
            store=store,
            hooks=session.watchers.hooks,
            interrupt=interrupt,
            workers=session.workers,
        )
    seconds = time.perf_counter() - start
    samples = samples_seen(experiment, state.step)
    speed = {"steps_per_second": state.step / seconds, "samples_per_second": samples / seconds}
    return ended, {"train_seconds": seconds, **speed}


def follow(session: Session) -> Path:
    """What a worker does that is not the first: the same steps, without a record; and the tests, where the weights are
    in parts."""
    with interrupt_of(session) as interrupt, failures_named(session):
        ended = train(
            session.experiment,
            session.state,
            journal=NoJournal(),
            store=NoStore(),
            interrupt=interrupt,
            workers=session.workers,
        )
        if ended == "interrupt":
            raise stopped(session, interrupt)
        if session.workers.worker.strided:
            best = best_state(session)
            summarize(session.experiment, session.state, best, stopped=ended, initial_loss=math.nan)
            best.state_dict()
    return session.run


def interrupt_of(session: Session) -> Interrupt:
    """What notes signals; among several workers it waits with a word, for the sender may be taking the group down."""
    return Interrupt(session.watchers.say, patience=0.0 if session.workers.worker.size == 1 else 2.0)


@contextmanager
def failures_named(session: Session) -> Iterator[None]:
    """Say how to go on where another worker is gone, a disk is full or a step broke; which operation is not
    deterministic, which shard is too small."""
    try:
        with refusals_named(), single_samples_named():
            yield
    except NonFiniteError as error:
        error.add_note(f"to see this step: loopwright replay {shlex.quote(str(session.run))} --step {error.step}")
        raise
    except StoreError as error:
        if isinstance(error.__cause__, OSError):
            error.add_note(f"then go on with: {resuming(session)}")
        raise
    except WorkerError as error:
        raise WorkerError(
            f"{error}\nwhat was saved is whole; go on with as many workers as are left: "
            f"torchrun --nproc-per-node N -m loopwright resume {shlex.quote(str(session.run))}"
        ) from error


def samples_seen(experiment: Experiment, steps: int) -> int:
    """How many samples the first `steps` steps of a run see."""
    size = experiment.task.data.size("train")
    epoch, first, _ = experiment.plan().span(steps, size)
    return epoch * size + first


def finish(session: Session, ended: Ended, timing: dict[str, float]) -> None:
    """Test the last and the best weights on every split, write metrics.json, let the task show what it has.

    Where the weights are in parts, all workers test; the task gets the whole model, on the first worker's CPU.
    """
    start = time.perf_counter()
    best = best_state(session)
    session.watchers.say(f"testing the last weights (step {session.state.step}) and the best (step {best.step})")
    start_loss = first_loss(session.run)
    metrics = summarize(session.experiment, session.state, best, stopped=ended, initial_loss=start_loss)
    metrics["timing"] = {**timing, "test_seconds": time.perf_counter() - start}
    model, artifacts = in_full(session, best).average.module, session.run / "artifacts"
    with refusals(artifacts), untouched(model), preserved_generators(), torch.no_grad():
        artifacts.mkdir(exist_ok=True)
        model.eval()
        session.experiment.task.artifacts(model, artifacts)
    write_json(session.run / "metrics.json", metrics)


def in_full(session: Session, state: State) -> State:
    """`state` itself, or where its weights are in parts a whole one on the CPU."""
    if not session.workers.worker.strided:
        return state
    whole = State.create(replace(session.experiment, device="cpu"))
    whole.load_state_dict(state.state_dict())
    return whole


def first_loss(run: Path) -> float:
    """The loss of the first step in the history, before any update; NaN where there is none."""
    path = run / "logs" / "history.jsonl"
    steps = (record for record in scan_history(path, revived=True) if record.get("kind") == "step")
    with reading(path):
        loss = number(next((table(step, "loss").get("total") for step in steps if step.get("step") == 1), None))
    return math.nan if loss is None else loss


def broke_off(session: Session, journal: RunJournal, error: BaseException) -> None:
    """Write down that, where and why a run stopped before its end."""
    status = "interrupted" if isinstance(error, Interrupted | KeyboardInterrupt) else "failed"
    reason = str(error) if isinstance(error, LoopwrightError) else f"{type(error).__name__}: {error}"
    if isinstance(error, LoopwrightError):
        error.run = session.run
    with suppress(StoreError):  # on a full disk the reason is still told to whoever reads the error
        journal.event(status, session.state.step, reason=reason)
        journal.flush()
    about = {"experiment": session.experiment.name, "status": status, "steps": session.state.step, "reason": reason}
    about["error"] = type(error).__name__
    with suppress(StoreError):
        write_json(session.run / "metrics.json", about)
    if not isinstance(error, KeyboardInterrupt):  # whoever pressed Ctrl-C twice does not want to wait for a report
        write_report(session.run, session.watchers.say, seconds=5)


def best_state(session: Session) -> State:
    """The state of the best step; the newest good one, said aloud, where that is gone or damaged or was never found."""
    best = State.create(session.experiment, layout_of(session.experiment, session.workers))
    step = session.state.progress.best_step
    directory = session.run / "checkpoints"
    problem = "no evaluation gave a number" if step == 0 else f"none is of the best step, {step}"
    for path in (directory / "best.pt", directory / f"step-{step:08d}.pt"):
        try:
            content = read_saved(path)
        except CheckpointError as error:
            problem = str(error)
            continue
        if content["step"] == step:
            best.load_state_dict(content["state"], str(path))
            return best
    session.watchers.say(f"the newest weights stand in for the best: {problem}")
    newest = newest_good(directory)
    best.load_state_dict(newest.content["state"], str(newest.path))
    return best


def stopped(session: Session, interrupt: Interrupt) -> Interrupted:
    """The message after a signal."""
    number = interrupt.requested or 2
    return Interrupted(f"stopped after step {session.state.step} and saved; go on with: {resuming(session)}", number)


def resuming(session: Session) -> str:
    """The command that goes on with the run."""
    several = session.workers.worker.size > 1
    return f"{'torchrun --nproc-per-node N -m ' * several}loopwright resume {shlex.quote(str(session.run))}"


@contextmanager
def tensorboard(session: Session) -> Iterator[list[Sink]]:
    """A TensorBoard sink where the experiment wants one, closed at the end."""
    if not session.experiment.tensorboard:
        yield []
        return
    sink = TensorBoardSink(session.run / "logs" / "tensorboard")
    try:
        yield [sink]
    finally:
        sink.close()


def write_report(run: Path, say: Say, *, seconds: float | None = None) -> None:
    """Make plots and report in a process of their own, given up after `seconds`: the run is complete without them."""
    command = [sys.executable, "-P", "-m", "loopwright.report", str(run)]
    by_hand = f"make it with: loopwright report {shlex.quote(str(run))}"
    try:
        subprocess.run(command, capture_output=True, check=True, timeout=seconds)
    except subprocess.TimeoutExpired:
        say(f"no report yet, it takes longer than {seconds:g} s; {by_hand}")
    except subprocess.CalledProcessError as error:
        last = error.stderr.decode(errors="replace").strip().rpartition("\n")[2]
        say(f"no report: {last}; {by_hand}")


def finished(run: Path) -> bool:
    """Whether the record says that the run came to its end."""
    return bool(read_json(run / "metrics.json").get("status") == "finished")
