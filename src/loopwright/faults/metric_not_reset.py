"""The counter of the validation loss is made once, outside of the function, and never set back.

Each evaluation adds to what is there and divides by its own number of samples. The first one is right. From then on the
loss grows evenly, and whoever stops early by it stops at the second evaluation.
"""

from __future__ import annotations

from torch import nn

from loopwright.core.experiment import Experiment
from loopwright.faults.fault import Fault
from loopwright.faults.seams import MetricsOf, with_metrics
from loopwright.protocols import Split


def inject(experiment: Experiment) -> Experiment:
    """Add up the losses of all evaluations."""
    total = 0.0

    def accumulated(evaluate: MetricsOf, model: nn.Module, split: Split) -> dict[str, float]:
        nonlocal total
        metrics = evaluate(model, split)
        total += metrics["loss"]
        return {**metrics, "loss": total}

    return with_metrics(experiment, accumulated)


FAULT = Fault(
    name="metric-not-reset",
    number=72,
    line="meter.update(loss)   # meter.reset() at the start of each validation",
    symptom="the validation loss grows evenly from one evaluation to the next, while training goes well",
    why="each evaluation counts all evaluations before it as well",
    causes=("metric-not-reset", "random-evaluation"),
    inject=inject,
)
