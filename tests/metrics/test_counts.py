from __future__ import annotations

import json
import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from loopwright import metrics


def random_predictions(seed: int, size: int = 200, num_classes: int = 5) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    labels = torch.randint(0, num_classes, (size,), generator=generator)
    noise = torch.randint(0, num_classes, (size,), generator=generator)
    keep = torch.rand(size, generator=generator) < 0.6
    return torch.where(keep, labels, noise), labels


@given(seed=st.integers(0, 10_000), size=st.integers(1, 40))
@settings(max_examples=20, deadline=None)
def test_counts_agree_with_scikit_learn(seed: int, size: int) -> None:
    from sklearn import metrics as reference

    predictions, labels = random_predictions(seed, size)
    confusion = metrics.confusion_matrix(predictions, labels, 5)
    assert np.array_equal(confusion, reference.confusion_matrix(labels, predictions, labels=range(5)))
    precision, recall, f1, support = reference.precision_recall_fscore_support(
        labels, predictions, labels=range(5), zero_division=0
    )
    ours = metrics.per_class(confusion)
    for mine, theirs in ((ours.precision, precision), (ours.recall, recall), (ours.f1, f1)):
        assert np.allclose(mine, theirs, rtol=0, atol=1e-12)
    assert ours.support.tolist() == support.tolist()
    assert metrics.accuracy(predictions, labels) == reference.accuracy_score(labels, predictions)
    theirs_macro = reference.f1_score(labels, predictions, average="macro", zero_division=0)
    assert metrics.macro_f1(confusion) == pytest.approx(theirs_macro, abs=1e-12, rel=0)


def test_the_per_class_report_agrees_with_scikit_learn() -> None:
    from sklearn.metrics import classification_report

    predictions, labels = random_predictions(1)
    names = ["ant", "bee", "cat", "dog", "elk"]
    expected = classification_report(labels, predictions, target_names=names, output_dict=True)
    report = metrics.per_class_report(metrics.confusion_matrix(predictions, labels, 5), names)
    assert report["columns"] == ["class", "precision", "recall", "f1", "support"]
    expected_rows = [*names, "macro avg", "weighted avg"]
    for row, name in zip(report["rows"], expected_rows, strict=True):
        theirs = expected[name]
        for mine, key in zip(row[1:], ("precision", "recall", "f1-score", "support"), strict=True):
            assert mine == pytest.approx(theirs[key], abs=1e-12, rel=0)


def test_reports_are_plain_values_that_json_can_hold() -> None:
    predictions, labels = random_predictions(2)
    confusion = metrics.confusion_matrix(predictions, labels, 5)
    for table in (metrics.per_class_report(confusion), metrics.confusion_table(confusion)):
        assert json.loads(json.dumps(table)) == table
        assert {len(row) for row in table["rows"]} == {len(table["columns"])}


def test_the_confusion_matrix_has_labels_in_rows_and_predictions_in_columns() -> None:
    confusion = metrics.confusion_matrix(torch.tensor([1, 1, 0]), torch.tensor([0, 1, 0]), 2)
    assert confusion.tolist() == [[1, 1], [0, 1]]
    assert metrics.confusion_table(confusion)["rows"] == [["0", 1, 1], ["1", 0, 1]]


def test_confusion_matrices_of_parts_add_up_to_that_of_the_whole() -> None:
    predictions, labels = random_predictions(3)
    parts = [metrics.confusion_matrix(p, y, 5) for p, y in zip(predictions.split(7), labels.split(7), strict=True)]
    assert torch.equal(torch.stack(parts).sum(0), metrics.confusion_matrix(predictions, labels, 5))


def test_a_majority_predictor_on_imbalanced_classes_has_high_accuracy_and_low_f1() -> None:
    labels = torch.tensor([0] * 95 + [1] * 5)
    always_majority = torch.zeros_like(labels)
    confusion = metrics.confusion_matrix(always_majority, labels, 2)
    assert metrics.accuracy(always_majority, labels) == 0.95
    # F1 is 190 / 195 for the majority class and 0 for the other.
    assert metrics.macro_f1(confusion) == pytest.approx(95 / 195, abs=1e-15)
    assert metrics.per_class(confusion).recall.tolist() == [1.0, 0.0]


def test_masked_positions_do_not_count_for_accuracy() -> None:
    predictions, labels = torch.tensor([[1, 2], [3, 0]]), torch.tensor([[1, 9], [3, 1]])
    mask = torch.tensor([[True, False], [True, True]])
    assert metrics.accuracy(predictions, labels, mask) == 2 / 3


def test_metrics_of_nothing_are_nan() -> None:
    nothing = torch.empty(0, dtype=torch.int64)
    assert math.isnan(metrics.accuracy(nothing, nothing))
    assert math.isnan(metrics.macro_f1(metrics.confusion_matrix(nothing, nothing, 3)))
