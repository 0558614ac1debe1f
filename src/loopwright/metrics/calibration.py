"""Does a model that says 90 % come true in 90 of 100 cases?"""

from __future__ import annotations

import torch
from torch import Tensor

from loopwright.metrics.sums import ExactSum


class Calibration:
    """Expected calibration error, gathered batch by batch.

    ECE = sum over bins of (n_bin / n) |accuracy of the bin - mean confidence of the bin|, in bins of equal
    width on confidence, (lower, upper] (Guo et al., "On calibration of modern neural networks", ICML 2017,
    equation 3).
    """

    def __init__(self, num_bins: int = 15) -> None:
        self._edges = torch.linspace(0, 1, num_bins + 1, dtype=torch.float64)[1:-1]
        self._confidence = [ExactSum() for _ in range(num_bins)]
        self._right = torch.zeros(num_bins, dtype=torch.int64)
        self._count = torch.zeros(num_bins, dtype=torch.int64)

    def update(self, confidence: Tensor, right: Tensor) -> None:
        """Take in a batch: `confidence` float (B,) in [0, 1] of the predicted class, `right` bool (B,)."""
        confidence, right = confidence.cpu().double(), right.cpu()
        bins = torch.bucketize(confidence, self._edges)
        self._count += torch.bincount(bins, minlength=len(self._count))
        self._right += torch.bincount(bins[right], minlength=len(self._count))
        for number, total in enumerate(self._confidence):
            total.add(confidence[bins == number])

    def result(self) -> float:
        """The error in [0, 1]; 0 is perfectly calibrated; NaN of no samples."""
        total = int(self._count.sum())
        gap = sum(
            abs(right - confidence.value())
            for right, confidence in zip(self._right.tolist(), self._confidence, strict=True)
        )
        return gap / total if total else float("nan")


def expected_calibration_error(confidence: Tensor, right: Tensor, num_bins: int = 15) -> float:
    """The error of one batch that is everything; arguments as in `Calibration`."""
    gathered = Calibration(num_bins)
    gathered.update(confidence, right)
    return gathered.result()
