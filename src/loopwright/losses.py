"""Losses as SUMS over a batch: the loop adds the shards' sums and divides once, by the whole batch's weight.

Dividing each part by its own size and averaging the parts is wrong as soon as the parts differ in size. So
every function here returns a 0-dimensional sum, and the batch carries what it is to be divided by.

A `mask` is bool, True where a position counts. What stands at the other positions changes neither the loss nor
any gradient by a single bit.

Shape legend: B samples, T positions, C classes, N = B or B * T; `*` any number of dimensions.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor
from torch.nn import functional as F

from loopwright.errors import ConfigError, DataError, nearest

# Minus the largest int64: no label is mistaken for it, as -100 (PyTorch's choice) may be.
_NO_CLASS = -(2**63 - 1)


def _selected(values: Tensor, mask: Tensor | None) -> Tensor:
    """`values` (*) with 0 wherever `mask` (broadcastable to it) is False; no gradient flows to those."""
    if mask is None:
        return values
    return torch.where(mask, values, torch.zeros((), dtype=values.dtype, device=values.device))


def cross_entropy(
    logits: Tensor, targets: Tensor, mask: Tensor | None = None, *, label_smoothing: float = 0.0
) -> Tensor:
    """Sum of -log softmax(logits)[target] over the positions that count, in float32 or wider.

    With smoothing e the target is (1 - e) on its class plus e / C on every class (Szegedy et al., "Rethinking
    the Inception architecture", CVPR 2016, section 7).

    `logits` float (B, C) or (B, T, C), finite everywhere; `targets` int64 (B,) or (B, T), anything where masked;
    `mask` bool of the targets' shape; `label_smoothing` in [0, 1).
    """
    if mask is not None:
        targets = targets.masked_fill(~mask, _NO_CLASS)
    rows_NC = logits.reshape(-1, logits.shape[-1])
    rows_NC = rows_NC.float() if rows_NC.dtype in (torch.bfloat16, torch.float16) else rows_NC
    return F.cross_entropy(
        rows_NC,
        targets.reshape(-1),
        reduction="sum",
        ignore_index=_NO_CLASS,
        label_smoothing=label_smoothing,
    )


def nll(log_probabilities: Tensor, targets: Tensor, mask: Tensor | None = None) -> Tensor:
    """Sum of -log p(target) over the positions that count, from logarithms of probabilities.

    `log_probabilities` float (B, C) or (B, T, C), already normalized (after a log-softmax); `targets` and `mask`
    as in `cross_entropy`.
    """
    chosen = _selected(targets, mask).unsqueeze(-1)
    return -_selected(log_probabilities.gather(-1, chosen).squeeze(-1), mask).sum()


def mse(predictions: Tensor, targets: Tensor, mask: Tensor | None = None) -> Tensor:
    """Sum of (prediction - target)^2 over the elements that count.

    Both float (*), of one shape, else DataError; `mask` bool, of the shape of their leading dimensions.
    """
    chosen_predictions, chosen_targets, _ = _elements("mse", predictions, targets, mask)
    return F.mse_loss(chosen_predictions, chosen_targets, reduction="sum")


def l1(predictions: Tensor, targets: Tensor, mask: Tensor | None = None) -> Tensor:
    """Sum of |prediction - target| over the elements that count; shapes, mask and error as in `mse`."""
    chosen_predictions, chosen_targets, _ = _elements("l1", predictions, targets, mask)
    return F.l1_loss(chosen_predictions, chosen_targets, reduction="sum")


def bce_with_logits(logits: Tensor, targets: Tensor, mask: Tensor | None = None) -> Tensor:
    """Sum of -(t log sigmoid(z) + (1 - t) log(1 - sigmoid(z))) over the elements that count.

    `logits` z float (*); `targets` t float (*) in [0, 1]; shapes, mask and error as in `mse`.
    """
    chosen_logits, chosen_targets, chosen = _elements("bce_with_logits", logits, targets, mask)
    losses = F.binary_cross_entropy_with_logits(chosen_logits, chosen_targets, reduction="none")
    return _selected(losses, chosen).sum()


def _elements(
    name: str, predictions: Tensor, targets: Tensor, mask: Tensor | None
) -> tuple[Tensor, Tensor, Tensor | None]:
    """Both tensors (*) with zeros where masked, and the mask made to broadcast over them."""
    if predictions.shape != targets.shape:
        # (B,) against (B, 1) would broadcast to (B, B): a loss that goes down and means nothing.
        raise DataError(
            f"{name}: predictions have the shape {tuple(predictions.shape)}, targets {tuple(targets.shape)}; "
            "give both the same shape, since broadcasting would compare each with every other"
        )
    if mask is None:
        return predictions, targets, None
    chosen = mask.reshape(*mask.shape, *(1 for _ in range(predictions.ndim - mask.ndim)))
    return _selected(predictions, chosen), _selected(targets, chosen), chosen


def l1_penalty(parameter: Tensor) -> Tensor:
    """Sum of the absolute values of `parameter` (*): what pushes its entries to exactly 0.

    It belongs to the model, not to a sample: to count it once a step however the batch is cut, return it times the
    number of samples and give it that number as its weight.
    """
    return parameter.abs().sum()


def weighted(parts: Mapping[str, Tensor], lambdas: Mapping[str, float]) -> dict[str, Tensor]:
    """The components of a multi-task loss, each times its lambda; a lambda of 0 removes the component.

    loss = sum over names of lambda[name] * parts[name]. A part without a lambda keeps the factor 1. Removed
    means gone: not summed, no gradient, so that a NaN in it cannot spread. Raises ConfigError for a lambda
    that names no part, unless it is 0.
    """
    for name, factor in lambdas.items():
        if name not in parts and factor != 0.0:
            raise ConfigError(f"lambda {factor} is for {name!r}, no part of the loss; {nearest(name, parts)}")
    factors = {name: lambdas.get(name, 1.0) for name in parts}
    return {name: factors[name] * part for name, part in parts.items() if factors[name] != 0.0}


def check_labels(labels: Tensor, num_classes: int) -> None:
    """Raise DataError, naming the first bad value and its place, unless all labels (*) are in [0, C).

    C is `num_classes`. To be called once, where data are read: the check waits for the device.
    """
    if labels.is_floating_point():
        raise DataError(f"labels are {labels.dtype}; class labels must be whole numbers: convert them with .long()")
    bad = (labels < 0) | (labels >= num_classes)
    if bad.any():
        place = int(bad.flatten().nonzero()[0])
        raise DataError(
            f"label {labels.flatten()[place]} of sample {place} is out of range ({int(bad.sum())} such); "
            f"{num_classes} classes have labels 0 to {num_classes - 1}: renumber them or name more classes"
        )
