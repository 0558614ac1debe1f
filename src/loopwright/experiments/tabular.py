"""Tables of numbers: a network through the loop, and in the same record the baselines that it has to beat."""

from __future__ import annotations

from dataclasses import replace

from loopwright.core import AdamW, Cosine, Experiment
from loopwright.tasks.tabular import Tabular


def tabular() -> Experiment:
    """178 wines by 13 measurements, or a CSV file: --task.data FILE --task.label COLUMN."""
    return Experiment(
        name="tabular",
        task=Tabular(),
        epochs=40,
        batch_size=32,
        optimizer=AdamW(lr=3e-3, weight_decay=1.0),
        schedule=Cosine(warmup=0.1),
        metric="loss",
        mode="min",
        threads=1,
    )


def tabular_breast_cancer() -> Experiment:
    """569 tumors by 30 measurements, malignant or benign."""
    return replace(tabular(), name="tabular-breast-cancer", task=Tabular(source="breast-cancer"))


def tabular_digits() -> Experiment:
    """1,797 digits as rows of 64 numbers."""
    return replace(tabular(), name="tabular-digits", task=Tabular(source="digits"), batch_size=64)
