"""What a study of growing sets and batch sizes concludes: whether time grows in proportion, what stays stable."""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

from loopwright.core import Experiment
from loopwright.core.study import Results
from loopwright.metrics import Table as ReportTable
from loopwright.studies.members import panels, reached, records, shared_legend
from loopwright.tasks.tables import write_table

PROPORTIONAL = 0.15  # how far from 1 a slope may be
COLUMNS = ["n", "batch size", "steps", "steps/s", "seconds per epoch", "samples/s", "final loss", "accuracy"]
EXPLAINED = (
    "All runs make the same number of steps at a constant rate. Steps/s come from the median time of a step, which "
    "evaluations, checkpoints and other programs do not move; seconds per epoch and samples/s follow from it. Final "
    "loss and accuracy are those of the last weights on test points. Loss noise: the standard deviation of the steps' "
    "loss over the last tenth of the run. Largest spike: the largest loss in its second half. Slope: that of "
    "log(seconds per epoch) against log(n) at this batch size; 1 is growth in proportion."
)


@dataclass(frozen=True)
class Measured:
    """What a finished run gave; times in seconds, `noise` and `spike` as the table's note explains them."""

    n: int
    batch_size: int
    steps: int
    step_seconds: float
    epoch_seconds: float
    loss: float
    accuracy: float
    noise: float
    spike: float

    def cells(self) -> list[str | int | float]:
        """The run as a row of the table, the slope left out."""
        times = [1 / self.step_seconds, self.epoch_seconds, self.n / self.epoch_seconds]
        return [self.n, self.batch_size, self.steps, *times, self.loss, self.accuracy, self.noise, self.spike]


def conclude(results: Results, directory: Path) -> None:
    """Write the table scale.json with its conclusion, and the picture scaling.svg."""
    runs, failures = [], []
    for experiment, metrics in results:
        if metrics["status"] == "finished" and metrics["steps"] > 1:
            runs.append(measured(experiment, metrics))
        else:
            reason, _, _ = str(metrics.get("reason", "one step is too short to be timed")).partition("\n")
            failures.append(
                f"{experiment.name} is left out, {metrics['status']} with step {metrics['steps']}: {reason}."
            )
    slopes = fitted(runs)
    rows = [[*run.cells(), slopes.get(run.batch_size, math.nan)] for run in runs]
    note = " ".join([*conclusion(runs, slopes), *failures, EXPLAINED])
    table = ReportTable(title="Scale", columns=[*COLUMNS, "loss noise", "largest spike", "slope"], rows=rows, note=note)
    write_table(table, directory / "scale.json")
    draw(runs, directory / "scaling.svg")


def measured(experiment: Experiment, metrics: Mapping[str, Any]) -> Measured:
    """The numbers of a finished run of two steps or more, from its metrics.json and its history."""
    steps, last = records(metrics, "step"), reached(metrics, "test", "last")
    losses = [float(record["loss"]["total"]) for record in steps]
    step_seconds = statistics.median(later["seconds"] - one["seconds"] for one, later in pairwise(steps))
    return Measured(
        n=experiment.task.data.size("train"),
        batch_size=experiment.batch_size,
        steps=len(steps),
        step_seconds=step_seconds,
        epoch_seconds=step_seconds * experiment.cadence().epoch,
        loss=float(last["loss"]),
        accuracy=float(last["accuracy"]),
        noise=statistics.stdev(losses[-max(2, len(losses) // 10) :]),
        spike=max(losses[len(losses) // 2 :]),
    )


def by_batch_size(runs: Sequence[Measured]) -> dict[int, list[Measured]]:
    """The runs of each batch size, by n."""
    return {
        size: sorted((run for run in runs if run.batch_size == size), key=lambda run: run.n)
        for size in sorted({run.batch_size for run in runs})
    }


def fitted(runs: Sequence[Measured]) -> dict[int, float]:
    """For each batch size with two sizes of the set or more: the slope of log(seconds per epoch) against log(n)."""
    slopes = {}
    for batch_size, group in by_batch_size(runs).items():
        x, y = [math.log(run.n) for run in group], [math.log(run.epoch_seconds) for run in group]
        if len(set(x)) > 1:
            slopes[batch_size] = statistics.linear_regression(x, y).slope
    return slopes


def conclusion(runs: Sequence[Measured], slopes: Mapping[int, float]) -> list[str]:
    """What the numbers say about time, stability and convergence, in sentences."""
    most = max((run.n for run in runs), default=0)
    largest_sets = sorted((run for run in runs if run.n == most), key=lambda run: run.batch_size)
    smallest_batches = next(iter(by_batch_size(runs).values()), [])
    sentences = [growth(slopes)] if slopes else []
    sentences += batches(largest_sets) if len(largest_sets) > 1 else []
    return sentences + ([converging(smallest_batches)] if len(smallest_batches) > 1 else [])


def growth(slopes: Mapping[int, float]) -> str:
    """Whether the time of an epoch grows in proportion to the set."""
    powers = ", ".join(f"{slope:.2f} at batch size {size:,}" for size, slope in slopes.items())
    far = ", ".join(f"{size:,}" for size, slope in slopes.items() if abs(slope - 1) > PROPORTIONAL)
    verdict = f"not in proportion at batch size {far}" if far else "in proportion to n, so it can be predicted"
    return f"The time of an epoch grows as n to the power of {powers}: {verdict}."


def batches(group: Sequence[Measured]) -> list[str]:
    """What the batch size changes among runs on the same number of points, given by batch size."""
    first, last, worst = group[0], group[-1], max(group, key=lambda run: run.noise)
    noises = ", ".join(f"{run.noise:.2g} at {run.batch_size:,}" for run in group)
    step, epoch = last.step_seconds / first.step_seconds, last.epoch_seconds / first.epoch_seconds
    return [
        f"On {first.n:,} points a step of {last.batch_size:,} takes {step:.1f} times as long as one of "
        f"{first.batch_size:,}, an epoch {epoch:.2f} times as long.",
        f"There batch size {worst.batch_size:,} was the least stable (loss noise {noises}).",
    ]


def converging(group: Sequence[Measured]) -> str:
    """What more points change among runs of the same batch size, given by n."""
    first, last = group[0], group[-1]
    return (
        f"At batch size {first.batch_size:,} the accuracy went from {first.accuracy:.4g} with {first.n:,} points "
        f"to {last.accuracy:.4g} with {last.n:,}."
    )


def draw(runs: Sequence[Measured], path: Path) -> None:
    """Time per epoch and loss noise against n, a line for each batch size."""
    with panels(path, 2, (10, 4)) as (left, right):
        for batch_size, group in by_batch_size(runs).items():
            sizes, label = [run.n for run in group], f"batch size {batch_size:,}"
            left.plot(sizes, [run.epoch_seconds for run in group], "o-", markersize=4, label=label)
            right.plot(sizes, [run.noise for run in group], "o-", markersize=4, label=label)
        x = {"xscale": "log", "yscale": "log", "xlabel": "n, training points"}
        left.set(**x, title="Seconds per epoch")
        right.set(**x, title="Standard deviation of the last losses")
        shared_legend(left)
