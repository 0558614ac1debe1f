"""What is kept of a call of a loss function when its tensors have gone."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

import torch
from torch import Tensor

from loopwright.doctor.measures import made_by
from loopwright.doctor.records import Answers, LossCall, Summary

CLASSES = ("cross_entropy", "nll_loss")
FEWEST = 8
"""Targets of which a size is told."""
REGRESSION = ("mse_loss", "l1_loss", "smooth_l1_loss", "huber_loss")


def summarized(call: LossCall, losses: Mapping[str, Callable[..., Tensor]], sized: bool) -> Summary:
    """The summary of a loss call; `losses` are torch's own functions. Sizes are told where `sized`."""
    classes = call.prediction.shape[1] if call.kind in CLASSES and call.prediction.ndim > 1 else 0
    counted = counts(call)
    labels, top, label = label_counts(call, counted)
    value = float(call.value.detach().float().sum()) if call.value is not None else math.nan
    size, spread, reach = sizes(call) if sized else (math.nan, math.nan, math.nan)
    return Summary(
        kind=call.kind,
        mean=mean_of(call, losses),
        chance=math.log(classes) if classes > 1 else math.log(2) if call.kind.endswith("with_logits") else math.nan,
        classes=classes,
        rows=call.target.numel(),
        counted=int(counted.sum()),
        labels=labels,
        top=top,
        label=label,
        made_by=made_by(call.chain),
        value=value,
        bounded=call.bounded,
        size=size,
        spread=spread,
        reach=reach,
        counts=class_counts(call, classes, counted),
    )


def class_counts(call: LossCall, classes: int, counted: Tensor) -> tuple[int, ...]:
    """How many targets each class has, of a loss that weighs its classes."""
    target = call.target.detach()
    factor = call.options.get("pos_weight")
    if factor is not None and target.is_floating_point() and factor.numel() == 1:
        return int((target < 0.5).sum()), int((target >= 0.5).sum())
    if call.options.get("weight") is None or not classes or target.is_floating_point():
        return ()
    return tuple(target[counted].reshape(-1).bincount(minlength=classes).tolist())


def sizes(call: LossCall) -> tuple[float, float, float]:
    """Of a regression: the mean size of the targets, their deviation, and the largest prediction."""
    target, prediction = call.target.detach(), call.prediction.detach()
    if (
        call.kind not in REGRESSION
        or not target.is_floating_point()
        or target.numel() < FEWEST
        or not prediction.numel()
    ):
        return math.nan, math.nan, math.nan
    return float(target.float().abs().mean()), float(target.float().std()), float(prediction.float().abs().max())


def counts(call: LossCall) -> Tensor:
    """Which targets count: bool, of the target's shape."""
    target = call.target.detach()
    if call.kind in CLASSES and not target.is_floating_point():
        return torch.ne(target, call.options.get("ignore_index", -100))
    return torch.ones_like(target, dtype=torch.bool)


def mean_of(call: LossCall, losses: Mapping[str, Callable[..., Tensor]]) -> float:
    """The mean loss of a target that counts, whatever the call's own reduction and weights."""
    options = {k: v for k, v in call.options.items() if k in ("ignore_index", "log_target", "beta", "delta")}
    prediction = call.prediction.detach()
    prediction = prediction if prediction.dtype == torch.float64 else prediction.float()
    if prediction.numel() > 50_000_000:
        return math.nan
    target = call.target.detach()
    target = target.to(prediction.dtype) if target.is_floating_point() else target
    with torch.no_grad():
        return float(losses[call.kind](prediction, target, reduction="mean", **options))


def answers(call: LossCall) -> Answers | None:
    """What a classifier answered and what was asked, of a loss call without gradients; None of anything else."""
    if call.kind != "cross_entropy" or call.prediction.ndim != 2 or call.target.is_floating_point():
        return None
    asked = call.target.detach()[counts(call)]
    if not len(asked):
        return None
    guessed, frequent = call.prediction.detach().argmax(1), asked.mode().values
    classes, kinds = frozenset(guessed.unique().tolist()), frozenset(asked.unique().tolist())
    told = math.nan
    if len(classes) == 1 and len(kinds) > 1:
        scores = call.prediction.detach()[counts(call)].float().log_softmax(1)[:, int(frequent)]
        told = told_apart(-scores, asked != frequent)
    return Answers(classes, kinds, len(asked), int((asked == frequent).sum()), told)


def told_apart(scores: Tensor, positive: Tensor) -> float:
    """The share of pairs of a positive row and another one in which the positive one has the higher score (N,)."""
    _, place, often = scores.unique(return_inverse=True, return_counts=True)
    ranks = (often.cumsum(0) - (often + 1) / 2)[place].double()  # of equal scores the mean
    many, others = int(positive.sum()), int((~positive).sum())
    return float((ranks[positive].sum() - many * (many - 1) / 2) / (many * others))


def label_counts(call: LossCall, counted: Tensor) -> tuple[int, float, int]:
    """How many different labels there are, the share of the most frequent one, and which that is."""
    target = call.target.detach()
    binary = call.kind.startswith("binary")
    if target.is_floating_point() and not binary:
        return 0, math.nan, -1
    labels = target[counted].reshape(-1)
    if not len(labels) or (binary and not bool(((labels == 0) | (labels == 1)).all())):
        return 0, math.nan, -1
    found, numbers = torch.unique(labels, return_counts=True)
    most = int(numbers.argmax())
    return len(found), float(numbers[most]) / len(labels), int(found[most])
