"""Validation without `model.eval()`: dropout and batch statistics are at work in it.

Nothing breaks, and the training is as good as ever. Its numbers are not: validation is worse than the model, differs
each time, and depends on the size of the validation batches. Whoever stops early by it stops at the wrong place.
"""

from __future__ import annotations

from torch import nn

from loopwright.core.experiment import Experiment
from loopwright.faults.fault import Fault
from loopwright.faults.seams import MetricsOf, with_metrics
from loopwright.faults.train_mode_missing import has_modes
from loopwright.protocols import Split


def awake(evaluate: MetricsOf, model: nn.Module, split: Split) -> dict[str, float]:
    """The metrics, in training mode."""
    model.train()
    return evaluate(model, split)


def inject(experiment: Experiment) -> Experiment:
    """Evaluate in training mode."""
    return with_metrics(experiment, awake)


FAULT = Fault(
    name="eval-mode-missing",
    number=31,
    line="# model.eval()   (before the validation)",
    symptom="training as usual; validation is worse than it should be and wobbles",
    why="dropout removes units in validation, and batch normalization uses the statistics of validation batches",
    causes=("eval-mode-missing",),
    inject=inject,
    applies=has_modes,
    since=lambda experiment: experiment.cadence().evaluation,
)
