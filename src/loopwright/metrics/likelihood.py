"""Negative log-likelihood and perplexity, in float64 and summed exactly.

Shape legend: B samples, T positions, C classes, N rows.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import torch
from torch import Tensor

from loopwright.metrics.sums import ExactSum


def rows(logits: Tensor, targets: Tensor, mask: Tensor | None) -> tuple[Tensor, Tensor]:
    """The positions that count: logits (N, C) and targets (N,) of (B, C) or (B, T, C) and (B,) or (B, T)."""
    if mask is not None:
        return logits[mask], targets[mask]
    return logits.reshape(-1, logits.shape[-1]), targets.reshape(-1)


def log_probabilities(logits_NC: Tensor, elements_at_once: int = 1 << 22) -> Iterator[tuple[slice, Tensor]]:
    """The float64 log-softmax of the rows, some rows at a time: a large vocabulary would fill the memory."""
    step = max(1, elements_at_once // logits_NC.shape[-1])
    # Apple's MPS devices have no float64.
    source = logits_NC.cpu() if logits_NC.device.type == "mps" else logits_NC
    for first in range(0, len(source), step):
        part = slice(first, first + step)
        yield part, source[part].double().log_softmax(-1)


class Likelihood:
    """Loss, perplexity and accuracy of predicted tokens or classes, gathered batch by batch.

    perplexity = exp(sum of -log p(target) / number of targets): each position counts alike, so that how they
    were cut into batches does not show, not even in the last bit.
    """

    def __init__(self) -> None:
        self._nll = ExactSum()
        self._count = 0
        self._right = 0

    def update(self, logits: Tensor, targets: Tensor, mask: Tensor | None = None) -> None:
        """Take in a batch.

        `logits` float (B, C) or (B, T, C); `targets` whole numbers (B,) or (B, T), anything where masked;
        `mask` bool of the targets' shape, True where a position counts.
        """
        logits_NC, targets_N = rows(logits, targets, mask)
        for part, log_p in log_probabilities(logits_NC):
            chosen = targets_N[part].to(log_p.device).long()
            self._nll.add(-log_p.gather(-1, chosen.unsqueeze(-1)))
        self._count += targets_N.numel()
        self._right += int((logits_NC.argmax(-1) == targets_N).sum())

    def result(self) -> dict[str, float]:
        """`loss` (nats per position), `perplexity`, `accuracy`; NaN if no position counted."""
        if not self._count:
            return dict.fromkeys(("loss", "perplexity", "accuracy"), float("nan"))
        loss = self._nll.value() / self._count
        return {"loss": loss, "perplexity": perplexity(loss), "accuracy": self._right / self._count}


def nll(logits: Tensor, targets: Tensor, mask: Tensor | None = None) -> float:
    """Mean of -log softmax(logits)[target] over the positions that count, in float64; NaN if none does.

    Arguments as in `Likelihood.update`.
    """
    gathered = Likelihood()
    gathered.update(logits, targets, mask)
    return gathered.result()["loss"]


def perplexity(mean_nll: float) -> float:
    """exp(mean negative log-likelihood in nats); infinite from 710 nats on, where float64 ends."""
    return math.exp(mean_nll) if mean_nll < 709.0 or math.isnan(mean_nll) else float("inf")


def top_probabilities(logits_NC: Tensor) -> Tensor:
    """The probability of each row's likeliest class, float64 (N,)."""
    parts = [log_p.amax(-1).exp() for _, log_p in log_probabilities(logits_NC)]
    return torch.cat(parts) if parts else torch.empty(0, dtype=torch.float64)
