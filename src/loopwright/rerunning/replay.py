"""Any step of a run done again, from its nearest earlier checkpoint, and compared with what was recorded of it."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from loopwright.lines import Record, same_number
from loopwright.matching.histories import find_step, last_resume, no_such_step, recorded_step
from loopwright.protocols import Shows
from loopwright.rerunning.differences import ulps
from loopwright.rerunning.records import Change, changes_since, run_of_steps, run_with_history
from loopwright.rerunning.rerun import SILENT, Recorded, Walk
from loopwright.rerunning.trace import Trace, Watching, unwatched
from loopwright.running.session import Watchers, finished
from loopwright.values import read_json


@dataclass(frozen=True)
class Recomputed:
    """A number of a step: as it was recorded, as it was computed now, and by how much the two differ.

    `ulps` counts the numbers in between, None where one of the two is not finite.
    """

    name: str
    recorded: float | None
    replayed: float | None
    equal: bool
    ulps: int | None = 0
    relative: float = 0.0


@dataclass(frozen=True)
class Moved:
    """A parameter in a step: the norms of its gradient (before clipping), of itself before the step, of its update."""

    name: str
    shape: tuple[int, ...]
    gradient: float
    weight: float
    update: float

    @property
    def relative(self) -> float:
        """The size of the update relative to the weights."""
        return self.update / self.weight if self.weight else math.inf if self.update else 0.0


@dataclass(frozen=True)
class Replay:
    """A step that was done again. `origin` is the state it began from, with `began` steps done.

    Of each shard, `content` shows the first samples as the model saw them, where the task can. Of a step that is not
    what was recorded, `elsewhere` tells in what this process (b) differs from the record (a), and `hint` what else may
    be the reason. `shows` is false where the task cannot show samples that are asked for.

    `missing` says why the record has no such step, "" where it has; `failed` how the run ended in it, if it did.
    """

    run: Path
    step: int
    origin: str
    began: int
    trace: Trace
    numbers: tuple[Recomputed, ...]
    content: tuple[tuple[str, ...], ...]
    elsewhere: tuple[Change, ...] = ()
    hint: str = ""
    shows: bool = True
    missing: str = ""
    failed: str = ""

    @property
    def equal(self) -> bool:
        """Whether everything recorded was computed again in every bit; of a step that ended the run, whether it broke
        here as well."""
        if self.missing:
            return bool(self.trace.broke) or not self.failed
        return all(number.equal for number in self.numbers)

    def moved(self) -> list[Moved]:
        """What the step did to each parameter that has a gradient, in the order of the model."""
        return list(moved(self.trace))

    def as_json(self) -> dict[str, Any]:
        """All of it but the tensors."""
        shards = [
            {"samples": shard.samples.tolist(), "shown": list(shown)}
            for shard, shown in zip(self.trace.shards, self.content, strict=True)
        ]
        return {
            "run": str(self.run),
            "step": self.step,
            "from": self.origin,
            "steps_between": self.step - 1 - self.began,
            "equal": None if self.missing else self.equal,
            "missing": self.missing,
            "failed": self.failed,
            "broke": self.trace.broke,
            "record": self.trace.record,
            "numbers": [asdict(number) for number in self.numbers],
            "elsewhere": [asdict(change) for change in self.elsewhere],
            "hint": self.hint,
            "shards": shards,
            "parameters": [{**asdict(row), "relative": row.relative} for row in self.moved()],
        }


def replay(
    path: Path,
    step: int,
    *,
    reference: str | None = None,
    watching: Watching = unwatched,
    watchers: Watchers = SILENT,
    samples: int = 3,
) -> Replay:
    """Do step `step` (from 1) of the run at `path` again, in memory; the run directory is only read.

    Of an unfinished run that may be the step after the last, which the record does not have: the one that broke it.

    `samples` says how many samples of each shard are shown. Raises RunError where the step is not in the history, or
    the run's configuration, code or data are not what they were.
    """
    recorded, record = described_step(path, step, reference, watchers)
    run, walk = recorded.run, recorded.after(step - 1)
    trace = walk.trace(watching)
    task = walk.experiment.task
    content = tuple(
        tuple(task.show(shard, row) for row in range(min(samples, len(shard)))) if isinstance(task, Shows) else ()
        for shard in trace.shards
    )
    compared = tuple(recomputed(record or {}, trace))
    missing, failed = ("", "") if record else why_missing(run, step)
    shows = isinstance(task, Shows) or samples == 0
    about = run, step, walk.origin, walk.began
    done = Replay(*about, trace, compared, content, shows=shows, missing=missing, failed=failed)
    if done.equal:
        return done
    return replace(done, elsewhere=tuple(changes_since(run)), hint=outside_hint(run, walk, step))


def described_step(path: Path, step: int, reference: str | None, watchers: Watchers) -> tuple[Recorded, Record | None]:
    """The run at `path` and its record of `step`, None of the step after the last of a run that is not finished.

    Raises RunError for any other step that the history does not have.
    """
    run = run_of_steps(path)
    record, last = find_step(run, step)
    if finished(run):
        return Recorded.open(run_with_history(run), reference, watchers), record or recorded_step(run, step)
    recorded = Recorded.open(run, reference, watchers)
    most = min(last + 1, recorded.experiment.cadence().total)
    if record is None and not last < step <= most:
        raise no_such_step(run, step, most)
    return recorded, record


def why_missing(run: Path, step: int) -> tuple[str, str]:
    """Why the record ends before `step`, and how the run failed in it, "" where it did not."""
    about = read_json(run / "metrics.json")
    status, reason = about.get("status"), str(about.get("reason")).partition("\n")[0]
    none = f"the record has no step {step}"
    if status == "failed" and reason.startswith(f"step {step}:"):
        return f"{none}, for it broke the run: there is nothing to compare with", reason
    if status == "failed":
        return f"{none}, the run failed before it was done: {reason}", ""
    ended = "for the run was stopped before it" if status == "interrupted" else "it ends before"
    return f"{none}, {ended}: there is nothing to compare with", ""


def outside_hint(run: Path, walk: Walk, step: int) -> str:
    """What may be the reason where the run went through a checkpoint, or the replay did; "" where neither did."""
    resume = last_resume(run, step)
    if resume is None and walk.began == 0:
        return ""
    how = f"the run was resumed after step {resume.step}" if resume else f"this began at the checkpoint {walk.origin}"
    return (
        f"{how}: perhaps the step depends on something that is not in the checkpoint (an attribute of the model or the "
        f"task, a module-level variable); `loopwright audit {walk.experiment.name} --only sigterm` finds out"
    )


def recomputed(recorded: Record, trace: Trace) -> Iterator[Recomputed]:
    """Each number that was recorded of a step beside the one of `trace`."""
    ours, theirs = dict(numbers(recorded)), dict(numbers(trace.record))
    for name in {**ours, **theirs}:
        yield compared_number(name, ours.get(name), theirs.get(name))


def numbers(record: Record) -> Iterator[tuple[str, float]]:
    """The numbers of a step's record; of its losses, the total is called loss."""
    losses = record.get("loss")
    named = losses if isinstance(losses, Mapping) else {}
    told = {("loss" if name == "total" else f"loss {name}"): value for name, value in named.items()}
    told |= {name: record.get(name) for name in ("grad_norm", "lr", "samples", "epoch")}
    for name, value in told.items():
        if isinstance(value, int | float):
            yield name, value


def compared_number(name: str, recorded: float | None, replayed: float | None) -> Recomputed:
    """Two numbers beside each other."""
    if same_number(recorded, replayed):
        return Recomputed(name, recorded, replayed, equal=True)
    if recorded is None or replayed is None:
        return Recomputed(name, recorded, replayed, equal=False, ulps=None, relative=math.nan)
    relative = abs(replayed - recorded) / abs(recorded) if recorded else math.inf
    return Recomputed(name, recorded, replayed, equal=False, ulps=ulps(recorded, replayed), relative=relative)


def moved(trace: Trace) -> Iterator[Moved]:
    """What a step did to each parameter that has a gradient, in the order of the model."""
    for path, before in trace.before.items():
        name = path.removeprefix("model.")
        if path.startswith("model.") and name in trace.gradients:
            update = trace.after[path].double() - before.double()
            norms = (float(t.double().norm()) for t in (trace.gradients[name], before, update))
            yield Moved(name, tuple(before.shape), *norms)
