"""What an audit proves, row by row: each runs the experiment in another way and compares with the baseline."""

from __future__ import annotations

import re
import signal
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import torch

from loopwright.config import replace_at
from loopwright.core.experiment import Experiment
from loopwright.core.schedules import Schedule
from loopwright.errors import LoopwrightError, UsageError
from loopwright.lines import revive
from loopwright.proving.bench import Bench
from loopwright.proving.comparing import Comparison, compare_runs, compare_states
from loopwright.proving.rescan import spread, tolerance
from loopwright.running.config import values
from loopwright.running.summary import read_json
from loopwright.store import read_saved

Verdict = Literal["same", "DIFFERS", "FAILED", "refused", "not applicable"]

EVERYTHING = "everything"
WORKERS = (1, 2, 4)
LOADERS = (0, 1, 2)
PARTS = ("model", "optimizer", "scaler", "average", "step")
NO_DETERMINISTIC = re.compile(r"(\S+) does not have a deterministic implementation")


@dataclass(frozen=True)
class Finding:
    """What a row found: what was done (`how`), what was `compared`, and the verdict with its `detail`.

    `pair` are the two runs that differ, where there are two.
    """

    how: str
    verdict: Verdict
    detail: str = ""
    compared: str = EVERYTHING
    pair: tuple[Path, Path] | None = None


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


def twice(bench: Bench) -> Finding:
    """Run twice."""
    return judged("run twice", {"": (bench.baseline, bench.train("twice", bench.experiment))})


def sigterm(bench: Bench) -> Finding:
    """Stopped by SIGTERM after a random step, resumed in a fresh process."""
    if bench.steps < 2:
        return not_applicable("stopped and resumed", "a run of one step has no middle; give --steps 2 or more")
    step = bench.random("sigterm").randrange(1, bench.steps)
    stop(bench, "sigterm", step, expected=128 + signal.SIGTERM)
    how = f"SIGTERM after step {step} of {bench.steps}, resumed"
    return judged(how, {"": (bench.baseline, bench.resume("sigterm"))})


def sigkill(bench: Bench) -> Finding:
    """SIGKILL at a random instant, resumed in a fresh process."""
    if bench.steps < 2:
        return not_applicable("killed and resumed", "a run of one step has no middle; give --steps 2 or more")
    random = bench.random("sigkill")
    step = random.randrange(1, bench.steps)
    trained = read_json(bench.baseline / "metrics.json")["timing"]["train_seconds"]
    delay = random.random() * trained / bench.steps
    stop(bench, "sigkill", step, "--delay", str(delay), expected=-signal.SIGKILL)
    how = f"SIGKILL {1000 * delay:.1f} ms after step {step} of {bench.steps}, resumed"
    return judged(how, {"": (bench.baseline, bench.resume("sigkill"))})


def stop(bench: Bench, name: str, step: int, *options: str, expected: int) -> None:
    """Train until a signal comes after `step`."""
    bench.trial("stop", name, bench.experiment, "--step", str(step), *options, expected=expected)


def silent(bench: Bench) -> Finding:
    """Hooks, journal, checkpoints and evaluations off."""
    watched, total = listens(bench.experiment), bench.experiment.cadence().total
    quiet = bench.experiment if watched else replace(bench.experiment, eval_every=total)
    out = bench.trial("silent", "silent.pt", quiet)
    left, right = (read_saved(path)["state"] for path in (bench.baseline / "checkpoints" / "last.pt", out))
    comparison = compare_states(*({part: state[part] for part in PARTS} for state in (left, right)))
    how = "no hooks, journal or checkpoints" + ("" if watched else ", no evaluation")
    if watched:
        how += "; evaluation stays on, for patience or schedule look at it"
    if comparison.same:
        return same(how, comparison, "weights and optimizer")
    return Finding(how, "DIFFERS", comparison.first, "weights and optimizer")


def listens(experiment: Experiment) -> bool:
    """Whether the training depends on its evaluations: by patience, or by a schedule that observes them."""
    return experiment.patience is not None or type(experiment.schedule).observe is not Schedule.observe


def loader(bench: Bench) -> Finding:
    """Any number of loader workers."""
    how = f"{', '.join(map(str, LOADERS))} loader workers"
    known = values(bench.experiment)
    paths = [path for path in known if path.rpartition(".")[2] == "num_workers"]
    if not paths:
        return not_applicable(how, "the task has no field num_workers")
    pairs = {}
    for number in LOADERS:
        if known[paths[0]] != number:
            run = bench.train(f"loader-{number}", replace_at(bench.experiment, paths[0], number))
            pairs[f"{number} loader workers"] = (bench.baseline, run)
    return judged(how, pairs)


def workers(bench: Bench) -> Finding:
    """Any number of training workers that is not above the number of shards."""
    try:
        experiment, baseline = sharded(bench)
    except LoopwrightError as error:
        return not_applicable("training workers", f"it does not train in shards: {error}")
    shards = experiment.shards
    numbers = [number for number in WORKERS if number <= min(shards, devices(experiment))]
    how = f"{', '.join(map(str, numbers))} training workers, {shards} shards"
    try:
        pairs = {
            f"{number} training workers": (baseline, bench.train(f"workers-{number}", experiment, number))
            for number in numbers
        }
    except UsageError as refusal:
        return not_applicable(how, str(refusal))
    return judged(how, pairs)


def sharded(bench: Bench) -> tuple[Experiment, Path]:
    """The experiment in shards and its run on one worker: as it is, else in 4, else in 2.

    Raises LoopwrightError where it does not train in 2, as where a normalization needs more samples than a shard has.
    """
    if bench.experiment.shards > 1:
        return bench.experiment, bench.baseline
    four, two = (replace(bench.experiment, shards=number) for number in (4, 2))
    try:
        return four, bench.train("shards-4", four)
    except LoopwrightError:
        return two, bench.train("shards-2", two)


def devices(experiment: Experiment) -> int:
    """How many training workers the machine has a device for."""
    return torch.cuda.device_count() if experiment.device.startswith("cuda") else WORKERS[-1]


def deterministic(bench: Bench) -> Finding:
    """Deterministic operations alone: on a CPU they change no bit, elsewhere they are the same twice."""
    how, strict = "--deterministic", replace(bench.experiment, deterministic=True)
    try:
        run = bench.train("deterministic", strict, strict=True)
        if bench.experiment.device == "cpu":
            return judged(how, {"": (bench.baseline, run)})
        return judged(f"{how}, run twice", {"": (run, bench.train("deterministic-twice", strict, strict=True))})
    except LoopwrightError as error:
        if refused := NO_DETERMINISTIC.search(str(error)):
            return Finding(how, "refused", f"op {refused[1]} has no deterministic form", "not promised")
        raise


def evaluation(bench: Bench) -> Finding:
    """The metrics of a model do not depend on how many samples are looked at together."""
    checkpoint = bench.baseline / "checkpoints" / "last.pt"
    out = bench.trial("evaluate", "evaluation.json", bench.experiment, "--checkpoint", str(checkpoint))
    results = revive(read_json(out)["results"])
    how = "evaluated in batches of other sizes"
    if not results:
        return not_applicable(how, "the task evaluates whole splits, without data.scan")
    how = f"evaluated in batches of {', '.join(results)}"
    relative = tolerance(bench.experiment.precision, bench.experiment.device)
    found = spread(results, relative)
    compared = "val metrics"
    if found.broken:
        return Finding(how, "DIFFERS", found.broken, compared)
    if not found.largest:
        return Finding(how, "same", "bits", compared)
    why = "kernels are chosen by the batch's shape, and round differently"
    return Finding(how, "same", f"to {relative:g}, {found.name} differs by {found.largest:.1e}: {why}", compared)


def not_applicable(how: str, reason: str) -> Finding:
    """There is nothing to prove."""
    return Finding(how, "not applicable", reason, "")


ROWS: dict[str, Callable[[Bench], Finding]] = {
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
