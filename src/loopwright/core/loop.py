"""The loop. Everything that Loopwright trains, it trains here.

A step is a pure function of the state and its number: the samples, every random number and the learning rate are
computed from integers, so a run can be stopped anywhere and go on with the same bits.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from typing import Literal

from loopwright.core.evaluate import evaluate
from loopwright.core.experiment import Cadence, Experiment
from loopwright.core.gradients import OneShard, clip, total_norm
from loopwright.core.guard import stop_if_not_finite
from loopwright.core.interrupt import Interrupt
from loopwright.core.parallel import ALONE, Workers
from loopwright.core.state import State
from loopwright.core.totals import Totals, pairwise
from loopwright.errors import ConfigError, Interrupted, nearest
from loopwright.protocols import Batch, Hook, Journal, StepReport, Store, Together
from loopwright.seeding import Purpose, fold, seed_generators

Ended = Literal["budget", "patience", "interrupt"]


def train(
    experiment: Experiment,
    state: State,
    *,
    journal: Journal,
    store: Store,
    hooks: Sequence[Hook] = (),
    interrupt: Interrupt | None = None,
    workers: Workers = ALONE,
) -> Ended:
    """Train until the budget is spent, patience is exhausted or a signal came; say which. Changes `state` in place.

    Of several workers each calls this with a state of its own; journal, store and hooks are the first one's. Raises
    NonFiniteError before the update that would have ruined the weights, StoreError where a checkpoint cannot be
    written, WorkerError where another worker is gone.
    """
    interrupt, hook = interrupt or Interrupt(), Together(hooks)
    cadence = experiment.cadence()
    batches = experiment.task.data.batches(experiment.plan(workers.worker), start=state.step)
    state.model.train()
    while True:
        with suppress(Interrupted):
            close_step(experiment, state, cadence, journal=journal, hook=hook, interrupt=interrupt, workers=workers)
        ended = reason_to_end(experiment, state, cadence, interrupt.agree(workers))
        save_if_due(state, cadence, journal, store, workers, ended=ended)
        if ended:
            return ended
        if cadence.ends_epoch(state.step):
            hook.on_epoch_start(state.step // cadence.epoch)
        report = train_step(experiment, state, cadence, next(batches), workers)
        journal.step(report)
        hook.on_step_end(report)
        store.check()


def train_step(
    experiment: Experiment, state: State, cadence: Cadence, shards: Sequence[Batch], workers: Workers = ALONE
) -> StepReport:
    """One optimizer update from the shards of one batch: forward, loss, backward, clip, step, zero_grad."""
    factor = experiment.schedule(state.step, cadence.total) * state.rate.factor
    for group in state.optimizer.param_groups:
        group["lr"] = group["initial_lr"] * factor

    totals = Totals(shards, workers)
    tree = state.tree(totals.total, workers) if experiment.shards > 1 else OneShard(state.parameters)
    for number, shard in zip(totals.numbers, shards, strict=True):
        seed_generators(fold(experiment.seed, Purpose.STEP, state.step, number))
        with state.precision.autocast():
            sums = experiment.task.loss(state.forward, shard.to(state.device))
            loss = totals.share(sums)
        state.scaler.scale(loss).backward()
        tree.collect(number)
    tree.release()

    parts = totals.parts(state.device)
    loss = pairwise(list(parts.values()))
    state.scaler.unscale_(state.optimizer)
    norm = total_norm(state.parameters, state.layout.norms)
    stop_if_not_finite(state, parts, loss, norm, samples=totals.sample_numbers)
    clip(state.parameters, norm, experiment.clip_norm)
    state.scaler.step(state.optimizer)
    state.scaler.update()
    state.optimizer.zero_grad(set_to_none=True)
    state.average.update(state.model)
    state.step += 1
    return StepReport(
        step=state.step,
        epoch=(state.step - 1) // cadence.epoch,
        lr=state.optimizer.param_groups[0]["lr"],
        samples=totals.samples,
        loss=loss,
        parts=parts,
        grad_norm=norm,
    )


def close_step(
    experiment: Experiment,
    state: State,
    cadence: Cadence,
    *,
    journal: Journal,
    hook: Hook,
    interrupt: Interrupt,
    workers: Workers,
) -> None:
    """What belongs to the last step besides its update: the evaluation and the end of the epoch, where due; done once.

    Raises Interrupted out of the evaluation; the step then stays open, and a resumed run closes it.
    """
    if state.closed == state.step:
        return
    epoch = (state.step - 1) // cadence.epoch
    if cadence.evaluates(state.step):
        model, breakable = state.average.module, interrupt.breakable(workers)
        metrics = workers.from_model(
            lambda: evaluate(experiment.task, model, "val", experiment.seed, breakable=breakable)
        )
        observe(experiment, state, metrics)
        journal.validation(state.step, epoch, metrics)
        hook.on_validation_end(state.step, metrics)
    if cadence.ends_epoch(state.step):
        journal.epoch(state.step, epoch)
        hook.on_epoch_end(epoch)
    state.closed = state.step


def observe(experiment: Experiment, state: State, metrics: dict[str, float]) -> None:
    """Let best-model selection, early stopping and schedule see the deciding metric; ConfigError if there is none."""
    if experiment.metric not in metrics:
        hint = nearest(experiment.metric, metrics)
        raise ConfigError(f"metric: {experiment.metric!r} is not what the evaluation gives, {hint} Set --metric")
    value, mode = metrics[experiment.metric], experiment.mode
    state.progress = state.progress.after(value, step=state.step, mode=mode, min_delta=experiment.min_delta)
    state.rate = experiment.schedule.observe(state.rate, value, mode)


def reason_to_end(experiment: Experiment, state: State, cadence: Cadence, signal: int | None) -> Ended | None:
    """Why no further step is to be done, or None; `signal` is one that has come."""
    if signal is not None:
        return "interrupt"
    if state.step >= cadence.total:
        return "budget"
    return "patience" if state.progress.exhausted(experiment.patience) else None


def save_if_due(
    state: State, cadence: Cadence, journal: Journal, store: Store, workers: Workers, *, ended: Ended | None
) -> None:
    """Save at the interval, at a new best, and at the end, when all workers wait for it.

    The journal is made durable first, so it is never behind.
    """
    best = state.closed == state.step == state.progress.best_step and state.step > 0
    if ended or best or cadence.saves(state.step):
        journal.flush()
        store.save(state.state_dict(), state.step, best=best)
    if ended:
        store.wait()
        workers.exchange("saved")
