"""Everything that is asked of a classifier, gathered batch by batch."""

from __future__ import annotations

import torch
from torch import Tensor

from loopwright.metrics.calibration import Calibration
from loopwright.metrics.counts import confusion_matrix, macro_f1
from loopwright.metrics.likelihood import Likelihood, rows, top_probabilities


class Classification:
    """Loss, accuracy, macro-F1 and calibration error; how the samples were cut into batches does not show."""

    def __init__(self, num_classes: int) -> None:
        self.confusion = torch.zeros(num_classes, num_classes, dtype=torch.int64)
        self._likelihood = Likelihood()
        self._calibration = Calibration()

    def update(self, logits: Tensor, labels: Tensor, mask: Tensor | None = None) -> None:
        """Take in a batch.

        `logits` float (B, C) or (B, T, C); `labels` whole numbers in [0, C), (B,) or (B, T), anything where
        masked; `mask` bool of the labels' shape, True where a position counts.
        """
        logits_NC, labels_N = rows(logits.detach(), labels, mask)
        predictions_N = logits_NC.argmax(-1)
        self.confusion += confusion_matrix(predictions_N, labels_N, len(self.confusion)).cpu()
        self._likelihood.update(logits_NC, labels_N)
        self._calibration.update(top_probabilities(logits_NC), predictions_N == labels_N)

    def result(self) -> dict[str, float]:
        """`loss` (nats per sample), `accuracy`, `macro_f1`, `ece`; NaN of no samples."""
        likelihood = self._likelihood.result()
        return {
            "loss": likelihood["loss"],
            "accuracy": likelihood["accuracy"],
            "macro_f1": macro_f1(self.confusion),
            "ece": self._calibration.result(),
        }


def classification(logits: Tensor, labels: Tensor, mask: Tensor | None = None) -> dict[str, float]:
    """`Classification` of one batch that is everything; as many classes as logits."""
    gathered = Classification(logits.shape[-1])
    gathered.update(logits, labels, mask)
    return gathered.result()
