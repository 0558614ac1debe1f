"""Resuming: eight steps, against four steps, a save, a fresh state, and four more."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any

import torch

from loopwright.checking.check import NotApplicableError, Told, check
from loopwright.checking.subject import Subject
from loopwright.core.loop import train_step
from loopwright.core.state import State
from loopwright.doctor.finding import Finding
from loopwright.errors import NonFiniteError
from loopwright.protocols import StepReport

HALF = 4


@check("a resumed run goes on with the same bits")
def resume(subject: Subject, told: Told) -> Iterator[Finding]:
    """Weights after eight steps, straight and with a save in between, in an experiment made anew."""
    try:
        whole, straight = trained(subject, subject.state(), 2 * HALF)
        begun, _ = trained(subject.fresh(), State.create(subject.experiment), HALF)
        content = io.BytesIO()
        torch.save(begun.state_dict(), content)
        content.seek(0)
        other = subject.fresh()
        resumed = State.create(other.experiment)
        resumed.load_state_dict(torch.load(content, weights_only=True))
        after_load = {"model": bits(resumed.model.state_dict()), "optimizer": bits(resumed.optimizer.state_dict())}
        before = {"model": bits(begun.model.state_dict()), "optimizer": bits(begun.optimizer.state_dict())}
        gone_on, more = trained(other, resumed, HALF)
    except NonFiniteError as error:
        raise NotApplicableError("the run breaks before it could be resumed") from error
    equal = bits(whole.model.state_dict()) == bits(gone_on.model.state_dict())
    told.text = f"{2 * HALF} steps"
    if not equal:
        cause, evidence, named = why(before, after_load, straight[HALF:], more)
        yield Finding(
            "error",
            cause,
            evidence,
            HALF,
            probe=f"{HALF} steps, a save, a fresh state, {HALF} more: other weights than {2 * HALF} steps at once",
            # Where nothing says what was lost, something else may be wrong that a save cannot know of.
            certainty=0.96 if named else 0.8,
        )


def trained(subject: Subject, state: State, steps: int) -> tuple[State, list[tuple[StepReport, list[int]]]]:
    """The state after `steps` more steps; of each its report, and the numbers of its samples."""
    experiment = subject.experiment
    cadence, done = experiment.cadence(), []
    state.model.train()
    for _, shards in zip(range(steps), subject.steps(state.step), strict=False):
        samples = [number for shard in shards for number in shard.samples.tolist()]
        done.append((train_step(experiment, state, cadence, shards), samples))
    return state, done


def bits(value: Any) -> Any:
    """Nested values with tensors as bytes."""
    if isinstance(value, torch.Tensor):
        return value.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy().tobytes()
    if isinstance(value, dict):
        return {str(key): bits(each) for key, each in value.items() if key not in ("lr", "initial_lr")}
    if isinstance(value, list | tuple):
        return [bits(each) for each in value]
    return value


def why(
    before: dict[str, Any],
    after: dict[str, Any],
    straight: list[tuple[StepReport, list[int]]],
    resumed: list[tuple[StepReport, list[int]]],
) -> tuple[str, str, bool]:
    """What a resumed run has lost, the evidence, and whether that names it."""
    lost = [name for name in before["model"] if before["model"][name] != after["model"].get(name)]
    if lost:
        return "weights-not-restored", f"{len(lost)} entries differ after loading, {lost[0]} first", True
    if before["optimizer"] != after["optimizer"]:
        return "optimizer-not-saved", "the optimizer's state after loading is not what it was", True
    for (one, samples), (other, others) in zip(straight, resumed, strict=True):
        if samples != others:
            told = f"step {one.step} sees samples {samples[:4]} … and resumed {others[:4]} …"
            return "position-not-saved", told, True
        if one.lr != other.lr:
            return "schedule-not-saved", f"step {one.step} has rate {one.lr:g}, and resumed {other.lr:g}", True
        if float(one.loss) != float(other.loss):
            return (
                "position-not-saved",
                f"step {one.step} has loss {float(one.loss):.9g}, and resumed {float(other.loss):.9g}, of the same "
                "samples and weights: other random numbers, or a state that is not saved",
                False,
            )
    return "position-not-saved", "losses are the same, and weights differ in the end", False
