from __future__ import annotations

import math

import pytest
import torch

from loopwright import metrics


def test_classification_gathers_what_the_single_metrics_say() -> None:
    from sklearn.metrics import accuracy_score, f1_score, log_loss

    generator = torch.Generator().manual_seed(0)
    logits = torch.randn(150, 3, generator=generator)
    labels = torch.randint(0, 3, (150,), generator=generator)
    probabilities = logits.double().softmax(-1)
    predictions = logits.argmax(-1)
    ours = metrics.classification(logits, labels)
    assert list(ours) == ["loss", "accuracy", "macro_f1", "ece"]
    assert ours["loss"] == pytest.approx(log_loss(labels, probabilities), abs=1e-12, rel=0)
    assert ours["accuracy"] == accuracy_score(labels, predictions)
    assert ours["macro_f1"] == pytest.approx(f1_score(labels, predictions, average="macro"), abs=1e-12)
    expected = metrics.expected_calibration_error(probabilities.amax(-1), predictions == labels)
    assert ours["ece"] == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("batch_size", [1, 3, 64])
def test_every_metric_has_the_same_bits_at_any_batch_size(batch_size: int) -> None:
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn(70, 10, generator=generator)
    labels = torch.randint(0, 10, (70,), generator=generator)
    gathered = metrics.Classification(10)
    for part, part_labels in zip(logits.split(batch_size), labels.split(batch_size), strict=True):
        gathered.update(part, part_labels)
    assert gathered.result() == metrics.classification(logits, labels)
    assert int(gathered.confusion.sum()) == 70


def test_masked_positions_count_for_nothing() -> None:
    logits = torch.randn(2, 3, 4, generator=torch.Generator().manual_seed(0))
    labels = torch.tensor([[1, 2, -100], [0, -100, -100]])
    mask = labels >= 0
    assert metrics.classification(logits, labels, mask) == metrics.classification(logits[mask], labels[mask])


def test_the_metrics_of_no_samples_are_nan() -> None:
    empty = metrics.classification(torch.empty(0, 3), torch.empty(0, dtype=torch.int64))
    assert all(math.isnan(value) for value in empty.values())
