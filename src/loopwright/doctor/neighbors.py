"""Two splits beside each other: do labels belong to inputs (do nearest neighbors share a label, with the labels as they
are, and moved by one place), and what was the scaling of the inputs fitted on?"""

from __future__ import annotations

import math
from collections.abc import Iterator

import torch
from torch import Tensor

from loopwright.doctor.finding import Finding

Samples = tuple[Tensor, Tensor]
"""Inputs (N, F), standardized, and labels int64 (N,) or numbers float (N, M)."""

Sums = tuple[int, Tensor]
"""How many rows there are, and (2, F) of each column the sum, and that of the squares."""
FEW_VALUES, EVEN = 4, 3
"""A column of no more values may have mean 0 and deviation 1 by its design."""
KNOWN = 600
"""So many samples are asked for their nearest neighbor."""


def mispaired(train: Samples, val: Samples, step: int = 0) -> Iterator[Finding]:
    """What is wrong with the labels of training, beside a validation whose labels are told by its inputs."""
    if not train[1].is_floating_point() and float((train[1].unique(return_counts=True)[1] > 1).float().mean()) < 0.5:
        return  # nobody has a neighbor of the same label
    chance, chance_val = share_of_same(train[1]), share_of_same(val[1])
    shares = {shift: agree(train[0], train[1].roll(-shift, 0)) for shift in (-1, 0, 1)}
    across = {shift: agree_across(val, (train[0], train[1].roll(-shift, 0))) for shift in (-1, 0, 1)}
    in_val = agree(*val)
    noise = 1.5 / math.sqrt(min(len(train[1]), len(val[1])))  # three standard deviations of a share near one half
    for found in (shares, across):
        best = max(found, key=lambda shift: found[shift])
        signal = found[best] > (in_val + chance_val) / 2 and found[best] > found[0] + max(0.15, noise)
        if best != 0 and signal and found[0] < max(chance, chance_val) + noise:
            yield Finding(
                "error",
                "shifted-labels",
                f"nearest neighbors agree in {found[0]:.0%} of the cases ({chance:.0%} by chance), with the "
                f"labels moved by {best:+d} in {found[best]:.0%}",
                step,
                probe="labels were compared with those of neighbors at shifts -1, 0, +1",
                certainty=0.95,
            )
            return
    by_chance = noise if not chance else min(noise, 3 * math.sqrt(chance * (1 - chance) / len(train[1])))
    if shares[0] < chance + by_chance and in_val > chance_val + 2 * noise and in_val > shares[0] + 0.2:
        yield Finding(
            "error",
            "random-labels",
            f"nearest neighbors agree in {shares[0]:.0%} of the training samples, which is chance "
            f"({chance:.0%}), and in {in_val:.0%} of the validation samples",
            step,
            probe="each sample was asked for its nearest neighbor, in both splits",
            certainty=0.93,
        )


def sums_of(inputs: Tensor) -> Sums:
    """The sums of inputs (N, F)."""
    wide = inputs.double()
    return len(inputs), torch.stack([wide.sum(0), wide.square().sum(0)])


def fitted_together(train: Tensor, others: list[Sums], step: int = 0) -> Iterator[Finding]:
    """Whether the columns of training (N, F) and of the first, or of all, of the other splits together have mean 0 and
    deviation 1, and those of training alone have not."""
    if train.shape[1] < 2:
        return
    rows, sums = sums_of(train)
    several = torch.tensor([len(column.unique()) > FEW_VALUES and not spaced(column) for column in train[:KNOWN].T])
    for count, (more, added) in enumerate(others, 1):
        rows, sums = rows + more, sums + added
        mean, square = sums / rows
        std = (square - mean.square()).clamp(min=0).sqrt()
        varied = (std > 1e-6) & several
        if int(varied.sum()) < 2:
            return
        off = float(train.double().mean(0)[varied].abs().median())
        exact = (mean[varied].abs() < 1e-5) & ((std[varied] - 1).abs() < 1e-2)
        if float(exact.float().mean()) > 0.9 and off > 1e-4:
            yield Finding(
                "warning",
                "fitted-on-all",
                f"the columns of training and {'validation' if count == 1 else f'{count} other splits'} together have "
                f"mean 0 and deviation 1 (largest mean {float(mean[varied].abs().max()):.1g}), those of training alone "
                f"are off by {off:.2g}",
                step,
                certainty=0.9,
            )
            return


def spaced(column: Tensor) -> bool:
    """Whether the values of a column (N,) are equally spaced, each about as often: coordinates of a grid, or ranks."""
    values, often = column.double().unique(return_counts=True)
    steps = values.diff()
    apart = steps / steps.min() if len(steps) else steps
    even = bool(((apart - apart.round()).abs() < 1e-2).all()) and int(often.max()) <= EVEN * int(often.min())
    return len(steps) >= FEW_VALUES and even


def standardized(inputs: Tensor, reference: Tensor) -> Tensor:
    """Inputs (N, F) in units of the deviations of the `reference` (K, F), as float64."""
    whole = torch.nan_to_num(reference.double())
    return (torch.nan_to_num(inputs.double()) - whole.mean(0)) / (whole.std(0) + 1e-9)


def agree(inputs: Tensor, asked: Tensor) -> float:
    """How well a sample's target is told by its nearest neighbor's."""
    distances = torch.cdist(inputs, inputs)
    distances.fill_diagonal_(math.inf)
    return agreeing(asked[distances.argmin(1)], asked)


def agree_across(asked: tuple[Tensor, Tensor], known: tuple[Tensor, Tensor]) -> float:
    """How well the targets of the asked samples are told by their nearest neighbors' among the known ones."""
    nearest = torch.cdist(asked[0], known[0]).argmin(1)
    return agreeing(known[1][nearest], asked[1])


def agreeing(one: Tensor, other: Tensor) -> float:
    """Of labels (N,) the share that is equal; of numbers (N, M) 1 - E|a - b| / E|b - b'|, which is 0 where they have
    nothing to do with each other."""
    if not other.is_floating_point():
        return float((one == other).float().mean())
    apart, usual = (one - other).abs().mean(), (other[:, None] - other[None]).abs().mean()
    return float(1 - apart / (usual + 1e-12))


def share_of_same(asked: Tensor) -> float:
    """How often two random samples share a label; 0 for numbers."""
    if asked.is_floating_point():
        return 0.0
    _, counts = asked.unique(return_counts=True)
    return float(((counts / len(asked)) ** 2).sum())
