"""What an audit proves, check by check: each runs the experiment in another way and compares with the baseline."""

from __future__ import annotations

import re
import signal
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import torch

from loopwright.auditing.rescan import spread, tolerance
from loopwright.auditing.workspace import TaskError, Workspace
from loopwright.config import replace_at
from loopwright.core.experiment import Experiment
from loopwright.core.schedules import Schedule
from loopwright.errors import LoopwrightError, UsageError, counted
from loopwright.lines import revive
from loopwright.matching import Comparison, compare_runs, compare_states
from loopwright.matching.histories import last_resume
from loopwright.running.config import values
from loopwright.store import read_saved
from loopwright.values import read_json

Verdict = Literal["same", "DIFFERS", "FAILED", "refused", "not applicable"]

EVERYTHING = "everything"
WORKERS = (1, 2, 4)
LOADERS = (0, 1, 2)
PARTS = ("model", "optimizer", "scaler", "average", "step")
AVERAGE = "next   evaluation: average over samples, not over batches"
AGAIN = "begun again"
UNRESUMED = "no checkpoint of a later step than 0 was there to resume from; try another --audit-seed"
CHANGE_NOTHING = (
    "silent: where a run is the same twice, an evaluation, a hook or the journal has changed something besides "
    "parameters and buffers, an attribute or a module-level variable; let it change nothing"
)
NO_DETERMINISTIC = re.compile(r"deterministic: (\S+) has no deterministic implementation")


@dataclass(frozen=True)
class Finding:
    """What a check found: what was done (`how`), what was `compared`, and the verdict with its `detail`.

    `pair` are the two runs that differ, where there are two; `further` is a line that says how to go on.
    """

    how: str
    verdict: Verdict
    detail: str = ""
    compared: str = EVERYTHING
    pair: tuple[Path, Path] | None = None
    further: str = ""


def judged(how: str, pairs: Mapping[str, tuple[Path, Path]]) -> Finding:
    """Compare pairs of runs, each named; the first that differs is told."""
    found = {name: compare_runs(*pair) for name, pair in pairs.items()}
    for name, comparison in found.items():
        if not comparison.same:
            named = f"{name}: " if name else ""
            return Finding(how, "DIFFERS", f"{named}{comparison.first}", pair=pairs[name])
    return same(how, next(iter(found.values())))


def same(how: str, comparison: Comparison, compared: str = EVERYTHING) -> Finding:
    """All bits were the same."""
    return Finding(how, "same", f"bits, weights {comparison.digest}", compared)


def twice(space: Workspace) -> Finding:
    """Run twice."""
    return judged("run twice", {"": (space.baseline, space.train("twice", space.experiment))})


def sigterm(space: Workspace) -> Finding:
    """Stopped by SIGTERM after a random step, resumed in a fresh process."""
    if space.steps < 2:
        return not_applicable("stopped and resumed", "a run of one step has no middle; give --steps 2 or more")
    step = space.random("sigterm").randrange(1, space.steps)
    space.trial("stop", "sigterm", space.experiment, "--step", str(step), expected=128 + signal.SIGTERM)
    return resumed(space, "sigterm", f"SIGTERM after step {step} of {space.steps}")


def sigkill(space: Workspace) -> Finding:
    """SIGKILL at a random instant after a checkpoint, resumed in a fresh process."""
    if space.steps < 3:
        reason = f"a run of {counted(space.steps, 'step')} has no checkpoint in its middle; give --steps 3 or more"
        return not_applicable("killed and resumed", reason)
    random = space.random("sigkill")
    every = min(space.experiment.cadence().save, max(1, space.steps // 4))
    step = random.randrange(every + 1, space.steps)
    trained = read_json(space.baseline / "metrics.json")["timing"]["train_seconds"]
    delay = random.random() * trained / space.steps
    saving = replace(space.experiment, save_every=every)
    space.trial("stop", "sigkill", saving, "--step", str(step), "--delay", str(delay), expected=-signal.SIGKILL)
    return resumed(space, "sigkill", f"SIGKILL {1000 * delay:.1f} ms after step {step} of {space.steps}")


def resumed(space: Workspace, name: str, how: str) -> Finding:
    """Go on with the run `name` and compare it; that proves nothing of a resume where it went on from step 0."""
    run = space.resume(name)
    began = last_resume(run, space.steps + 1)
    finding = judged(f"{how}, {f'resumed from step {began.step}' if began else AGAIN}", {"": (space.baseline, run)})
    return finding if began or finding.verdict != "same" else not_applicable(finding.how, UNRESUMED)


def silent(space: Workspace) -> Finding:
    """Hooks, journal, checkpoints and evaluations off."""
    watched, total = listens(space.experiment), space.experiment.cadence().total
    quiet = space.experiment if watched else replace(space.experiment, eval_every=total)
    out = space.trial("silent", "silent.pt", quiet)
    left, right = (read_saved(path)["state"] for path in (space.baseline / "checkpoints" / "last.pt", out))
    comparison = compare_states(*({part: state[part] for part in PARTS} for state in (left, right)))
    how = "no hooks, journal or checkpoints" + ("" if watched else ", no evaluation")
    if watched:
        how += "; evaluation stays on, for patience or schedule look at it"
    if comparison.same:
        return same(how, comparison, "weights and optimizer")
    return Finding(how, "DIFFERS", comparison.first, "weights and optimizer", further=CHANGE_NOTHING)


def listens(experiment: Experiment) -> bool:
    """Whether the training depends on its evaluations: by patience, or by a schedule that observes them."""
    return experiment.patience is not None or type(experiment.schedule).observe is not Schedule.observe


def loader(space: Workspace) -> Finding:
    """Any number of loader workers."""
    how = f"{', '.join(map(str, LOADERS))} loader workers"
    known = values(space.experiment)
    paths = [path for path in known if path.rpartition(".")[2] == "num_workers"]
    if not paths:
        return not_applicable(how, "the task has no field num_workers")
    pairs = {}
    for number in LOADERS:
        if known[paths[0]] != number:
            run = space.train(f"loader-{number}", replace_at(space.experiment, paths[0], number))
            pairs[counted(number, "loader worker")] = (space.baseline, run)
    return judged(how, pairs)


def workers(space: Workspace) -> Finding:
    """Any number of training workers that is not above the number of shards."""
    try:
        experiment, baseline = sharded(space)
    except (UsageError, TaskError) as error:
        return not_applicable("training workers", f"it does not train in shards: {error}")
    shards = experiment.shards
    numbers = [number for number in WORKERS if number <= min(shards, devices(experiment))]
    how = f"{', '.join(map(str, numbers))} training workers, compared with 1 without torchrun, all at {shards} shards"
    if experiment.shards != space.experiment.shards:
        how += "; other weights than at 1 shard"
    try:
        pairs = {
            counted(number, "training worker"): (baseline, space.train(f"workers-{number}", experiment, number))
            for number in numbers
        }
    except UsageError as refusal:
        return not_applicable(how, str(refusal))
    return judged(how, pairs)


def sharded(space: Workspace) -> tuple[Experiment, Path]:
    """The experiment in shards and its run on one worker: as it is, else in 4, else in 2.

    Raises UsageError or TaskError where neither the engine nor the task can do it in 2, which nobody has asked for: a
    normalization may need more samples than a shard has. Any other failure is one of the promise, and is raised.
    """
    if space.experiment.shards > 1:
        return space.experiment, space.baseline
    four, two = (replace(space.experiment, shards=number) for number in (4, 2))
    try:
        return four, space.train("shards-4", four)
    except (UsageError, TaskError):
        return two, space.train("shards-2", two)


def devices(experiment: Experiment) -> int:
    """How many training workers the machine has a device for."""
    return torch.cuda.device_count() if experiment.device.startswith("cuda") else WORKERS[-1]


def deterministic(space: Workspace) -> Finding:
    """Deterministic operations alone: on a CPU they change no bit, elsewhere they are the same twice."""
    how, strict = "--deterministic", replace(space.experiment, deterministic=True)
    try:
        run = space.train("deterministic", strict, strict=True)
        if space.experiment.device == "cpu":
            return judged(how, {"": (space.baseline, run)})
        return judged(f"{how}, run twice", {"": (run, space.train("deterministic-twice", strict, strict=True))})
    except LoopwrightError as error:
        if refused := NO_DETERMINISTIC.search(str(error)):
            return Finding(how, "refused", f"op {refused[1]} has no deterministic form", "not promised")
        raise


def evaluation(space: Workspace) -> Finding:
    """The metrics of a model do not depend on how many samples are looked at together."""
    checkpoint = space.baseline / "checkpoints" / "last.pt"
    out = space.trial("evaluate", "evaluation.json", space.experiment, "--checkpoint", str(checkpoint))
    told = revive(read_json(out))
    results = told["results"]
    how = "evaluated in batches of other sizes"
    if not results:
        return not_applicable(how, "the task evaluates whole splits, without data.scan")
    how = f"evaluated in batches of {', '.join(results)}"
    relative = tolerance(space.experiment.precision, space.experiment.device)
    found = spread(results, relative, told["samples"])
    compared = "val metrics"
    if found.broken:
        return Finding(how, "DIFFERS", found.broken, compared, further=AVERAGE)
    if not found.largest:
        return Finding(how, "same", "bits", compared)
    why = "kernels are chosen by the batch's shape, and round differently"
    return Finding(how, "same", f"to {relative:g}, {found.name} differs by {found.largest:.1e}: {why}", compared)


def not_applicable(how: str, reason: str) -> Finding:
    """There is nothing to prove."""
    return Finding(how, "not applicable", reason, "")


CHECKS: dict[str, Callable[[Workspace], Finding]] = {
    "twice": twice,
    "sigterm": sigterm,
    "sigkill": sigkill,
    "silent": silent,
    "loader": loader,
    "workers": workers,
    "deterministic": deterministic,
    "evaluation": evaluation,
}
"""By name, in the order of the table."""
