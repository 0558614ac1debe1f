"""Evaluations: the same twice, at any batch size, of the whole split, of samples that stay the same."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice, pairwise

import torch

from loopwright.auditing.rescan import RELATIVE, Scans, rescanning, sizes, spread
from loopwright.checking.check import NotApplicableError, Told, check
from loopwright.checking.subject import Subject
from loopwright.core.evaluate import evaluate
from loopwright.core.state import State
from loopwright.doctor.finding import Finding
from loopwright.protocols import Batch, Split


@check("two evaluations give the same")
def twice(subject: Subject, told: Told) -> Iterator[Finding]:
    """The same weights are evaluated three times."""
    task, state = subject.experiment.task, subject.state()
    first, second, third = (evaluate(task, state.model, "val", subject.experiment.seed) for _ in range(3))
    told.text = f"{len(first)} metrics"
    different = [name for name in first if not same(first[name], second[name])]
    if not different:
        return
    name = different[0]
    values = [metrics[name] for metrics in (first, second, third)]
    grows = all(b > a for a, b in pairwise(values)) and math.isclose(
        values[2] - values[1], values[1] - values[0], rel_tol=0.05
    )
    yield Finding(
        "error",
        "metric-not-reset" if grows else "random-evaluation",
        f"{name} of the same weights is {', '.join(f'{value:.6g}' for value in values)}",
        0,
        name,
        probe="the same weights were evaluated three times",
        certainty=0.95,
    )


def same(one: float, other: float) -> bool:
    """Equal bits, or both not a number."""
    return one == other or (math.isnan(one) and math.isnan(other))


@dataclass(eq=False)
class Counted(Scans):
    """Counts the samples that are given."""

    samples: int = 0

    def scan(self, split: Split, batch_size: int = 1024) -> Iterator[Batch]:
        """All samples of `split` once, in order."""
        for batch in super().scan(split, batch_size):
            self.samples += len(batch)
            yield batch


@check("metrics do not depend on the batch size, and see the whole split")
def batch_sizes(subject: Subject, told: Told) -> Iterator[Finding]:
    """The same weights, scanned in batches of 1, 7, 64 and all."""
    experiment, state = subject.experiment, subject.state()
    size = experiment.task.data.size("val")
    counting = Counted(experiment.task.data, None)
    reference = scored(subject, state, counting)
    if not counting.asked:
        raise NotApplicableError("the evaluation does not scan the data")
    if counting.samples < size:
        yield Finding(
            "error",
            "partial-evaluation",
            f"an evaluation of the validation split looks at {counting.samples} of {size} samples",
            0,
            certainty=0.95,
        )
        return
    results = {str(counting.asked[0]): reference}
    for number in sizes(size):
        if number > 1 or size <= 256:
            results[str(number)] = scored(subject, state, Scans(experiment.task.data, number))
    found = spread(results, 10 * RELATIVE, size)
    told.text = f"batches of {', '.join(results)}"
    if found.broken and "rounding may" not in found.broken:
        yield Finding(
            "error",
            "batch-size-dependent-metric",
            found.broken,
            0,
            probe="the same weights were evaluated in batches of several sizes",
            certainty=0.85,
        )


def scored(subject: Subject, state: State, scans: Scans) -> dict[str, float]:
    """The validation metrics where the data scan as `scans` does."""
    return evaluate(rescanning(subject.experiment.task, scans), state.model, "val", subject.experiment.seed)


@check("validation samples stay the same")
def fixed_samples(subject: Subject, told: Told) -> Iterator[Finding]:
    """The validation split is scanned twice."""
    data = subject.experiment.task.data
    for first, second in islice(zip(data.scan("val"), data.scan("val"), strict=True), 8):
        told.text = f"{len(first)} samples in the first batch"
        for name in first.tensors:
            if not torch.equal(torch.nan_to_num(first[name]), torch.nan_to_num(second[name])):
                yield Finding(
                    "error",
                    "random-validation",
                    f"{name}: the first batch of the validation split holds other numbers when it is fetched again",
                    0,
                    name,
                    certainty=0.96,
                )
                return
