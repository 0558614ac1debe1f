"""Metrics that are ratios of whole numbers; all of them follow from the confusion matrix.

Shape legend: B samples, C classes; `*` any number of dimensions.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NotRequired, TypedDict

import torch
from torch import Tensor


class Table(TypedDict):
    """What a report shows as a table: a title, the columns' names, rows of cells, and perhaps a note under it."""

    title: str
    columns: list[str]
    rows: list[list[str | int | float]]
    note: NotRequired[str]


def accuracy(predictions: Tensor, labels: Tensor, mask: Tensor | None = None) -> float:
    """Share of positions where prediction = label; NaN where there is no position.

    `predictions`, `labels` whole numbers (*), of one shape; `mask` bool (*), True where a position counts.
    """
    right = predictions == labels
    right = right if mask is None else right[mask]
    return int(right.sum()) / right.numel() if right.numel() else float("nan")


def confusion_matrix(predictions: Tensor, labels: Tensor, num_classes: int) -> Tensor:
    """Counts int64 (C, C): row = label, column = prediction. The matrix of a whole is the sum of its parts'.

    `predictions`, `labels` whole numbers (*) in [0, num_classes).
    """
    cells = labels.flatten().long() * num_classes + predictions.flatten().long()
    return torch.bincount(cells, minlength=num_classes * num_classes).reshape(num_classes, num_classes)


@dataclass(frozen=True, slots=True)
class PerClass:
    """For each class, float64 (C,), a ratio 0 / 0 being 0; `support` int64 (C,) counts the labels."""

    precision: Tensor
    recall: Tensor
    f1: Tensor
    support: Tensor


def per_class(confusion: Tensor) -> PerClass:
    """By class: precision = right / predicted, recall = right / labeled, F1 = 2 right / (both added up).

    `confusion` int64 (C, C) as `confusion_matrix` gives it.
    """
    right = confusion.diagonal()
    predicted, labeled = confusion.sum(0), confusion.sum(1)
    return PerClass(
        precision=_ratio(right, predicted),
        recall=_ratio(right, labeled),
        f1=_ratio(2 * right, predicted + labeled),
        support=labeled,
    )


def _ratio(numerator: Tensor, denominator: Tensor) -> Tensor:
    return numerator.double() / denominator.clamp(min=1)


def macro_f1(confusion: Tensor) -> float:
    """Mean F1 over the classes that occur among labels or predictions, each counted alike; NaN of nothing.

    Unlike accuracy it falls when rare classes are missed. `confusion` int64 (C, C).
    """
    occurs = (confusion.sum(0) + confusion.sum(1)) > 0
    return float(per_class(confusion).f1[occurs].mean())


def per_class_report(confusion: Tensor, names: Sequence[str] | None = None) -> Table:
    """Precision, recall, F1 and support of each class, then their plain and their support-weighted means.

    `confusion` int64 (C, C); `names` of the C classes, else their numbers.
    """
    scores = per_class(confusion)
    values = torch.stack([scores.precision, scores.recall, scores.f1], dim=1)
    total = int(scores.support.sum())
    share = _ratio(scores.support, scores.support.sum())
    rows: list[list[str | int | float]] = [
        [name, *row, int(count)]
        for name, row, count in zip(_names(names, confusion), values.tolist(), scores.support, strict=True)
    ]
    rows.append(["macro average", *values.mean(0).tolist(), total])
    rows.append(["weighted average", *(values * share.unsqueeze(1)).sum(0).tolist(), total])
    return Table(title="Per class", columns=["class", "precision", "recall", "f1", "support"], rows=rows)


def confusion_table(confusion: Tensor, names: Sequence[str] | None = None) -> Table:
    """The confusion matrix (C, C) as a table: one row for each label, one column for each prediction."""
    shown = _names(names, confusion)
    rows: list[list[str | int | float]] = [
        [name, *counts] for name, counts in zip(shown, confusion.tolist(), strict=True)
    ]
    return Table(title="Confusion matrix", columns=["label \\ predicted", *shown], rows=rows)


def _names(names: Sequence[str] | None, confusion: Tensor) -> list[str]:
    return [str(number) for number in range(len(confusion))] if names is None else list(names)
