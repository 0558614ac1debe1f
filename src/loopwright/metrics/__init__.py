"""Metrics: counted in whole numbers, summed exactly, so that the batch size of an evaluation never shows."""

from loopwright.metrics.calibration import Calibration, expected_calibration_error
from loopwright.metrics.classification import Classification, classification
from loopwright.metrics.counts import (
    PerClass,
    Table,
    accuracy,
    confusion_matrix,
    confusion_table,
    macro_f1,
    per_class,
    per_class_report,
)
from loopwright.metrics.lengths import LengthBin, length_binned_accuracy
from loopwright.metrics.likelihood import Likelihood, nll, perplexity
from loopwright.metrics.sums import ExactSum

__all__ = [
    "Calibration",
    "Classification",
    "ExactSum",
    "LengthBin",
    "Likelihood",
    "PerClass",
    "Table",
    "accuracy",
    "classification",
    "confusion_matrix",
    "confusion_table",
    "expected_calibration_error",
    "length_binned_accuracy",
    "macro_f1",
    "nll",
    "per_class",
    "per_class_report",
    "perplexity",
]
