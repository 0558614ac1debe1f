"""The data sets behind the loaders, where they are tensors in memory: training's beside those of validation."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor
from torch.utils.data import Subset, TensorDataset

from loopwright.doctor.finding import Finding
from loopwright.doctor.neighbors import KNOWN, fitted_together, mispaired, standardized, sums_of
from loopwright.doctor.program import Loader
from loopwright.doctor.rule import View, rule
from loopwright.doctor.rules.leaks import rows_of

FEW = 64
WIDEST = 4096
PAIRED = 3
ROWS = 20_000
"""So many rows of a data set are looked at."""


@rule("phase", "random-labels", "shifted-labels", "fitted-on-all", needs="datasets")
def beside_validation(view: View) -> Iterator[Finding]:
    """Labels that training's inputs do not tell, though those of validation do; scaling fitted on both."""
    notes, step = view.program.notes, view.program.count
    if not step or notes.datasets:
        return
    found = list(view.program.loaders.values())
    trained = [pair for loader in found if loader.trains and (pair := pair_of(loader)) is not None]
    held_out = [pair for loader in found if not loader.trains and (pair := pair_of(loader)) is not None]
    for inputs, asked in trained[:1]:
        others = [pair for pair in held_out if comparable(pair, (inputs, asked))]
        for other_inputs, other_asked in others[:1]:
            notes.datasets = True
            yield from fitted_together(inputs, [sums_of(pair[0]) for pair in others], step)
            train = standardized(inputs[:KNOWN], inputs), asked[:KNOWN]
            yield from mispaired(train, (standardized(other_inputs[:KNOWN], inputs), other_asked[:KNOWN]), step)


@rule("phase", "fitted-on-all", needs="phases")
def scaled_with_validation(view: View) -> Iterator[Finding]:
    """The same, of a validation that comes from no loader: what was measured of its columns is enough."""
    phase, notes = view.phase, view.program.notes
    if not phase or not phase.step or notes.datasets:
        return
    trained = [pair for loader in view.program.loaders.values() if loader.trains and (pair := pair_of(loader))]
    for module, every in phase.by_module:
        known = rows_of(view, module)
        calls = [call for call in every if not known.keys() & call.rows]
        for inputs, _ in trained[:1] if view.scene.trains(module) else ():
            sums = [call.sums for call in calls if call.sums.shape == (2, inputs.shape[1])]
            count = sum(len(call.profile) for call in calls)
            if sums and len(sums) == len(calls) and count >= FEW:
                yield from fitted_together(inputs, [(count, torch.stack(sums).sum(0))], phase.step)


@rule("step", "random-labels", needs="losses")
def shuffled_apart(view: View) -> Iterator[Finding]:
    """Two loaders of sets of one size are drawn from side by side, each shuffles for itself, and one of them gives
    nothing but labels, which are asked for: those of other samples."""
    step = view.step
    if not step or step.number not in (3, 8):
        return
    drawn = [one for one in view.program.loaders.values() if one.sampler == "RandomSampler" and one.size and one.drawn]
    targets = [loss.target.detach().reshape(-1) for loss in step.kept_losses]
    for one in drawn:
        asked = one.last is not None and any(len(t) == len(one.last) and bool((t == one.last).all()) for t in targets)
        beside = [
            other
            for other in drawn
            if not other.flat and not other.labelled and other.size == one.size and other.drawn == one.drawn
        ]
        if asked and one.drawn[-1] >= PAIRED and not steered(one) and any(not steered(other) for other in beside):
            yield Finding(
                "error",
                "random-labels",
                f"two loaders of {one.size} samples are drawn from side by side, and each shuffles for itself: the "
                "labels that one of them gives belong to other samples",
                step.number,
                certainty=0.88,
            )
            return


def steered(loader: Loader) -> bool:
    """Whether the order of a loader is drawn by a generator that somebody gave it."""
    there = loader.loader()
    return there is None or getattr(there.sampler, "generator", None) is not None or there.generator is not None


def comparable(one: tuple[Tensor, Tensor], other: tuple[Tensor, Tensor]) -> bool:
    """Whether two sets are of one kind, and not one and the same."""
    alike = one[0].shape[1:] == other[0].shape[1:] and one[1].dtype == other[1].dtype
    return alike and not (len(one[0]) == len(other[0]) and torch.equal(one[0], other[0]))


def pair_of(loader: Loader) -> tuple[Tensor, Tensor] | None:
    """Inputs float (N, F) and targets, int64 (N,) or float (N, M), of a loader's data set; None of any other kind."""
    there = loader.loader()
    dataset: Any = getattr(there, "dataset", None)
    chosen = None
    if isinstance(dataset, Subset):
        dataset, chosen = dataset.dataset, torch.as_tensor(list(dataset.indices)[:ROWS])
    if type(dataset) is not TensorDataset or len(dataset.tensors) != 2:
        return None
    inputs, asked = (t.detach()[:ROWS] if chosen is None else t.detach()[chosen] for t in dataset.tensors)
    if not inputs.is_floating_point() or len(inputs) < FEW or not 1 <= inputs[0].numel() <= WIDEST:
        return None
    inputs = inputs.reshape(len(inputs), -1).cpu()
    if not bool(inputs.isfinite().all()):
        return None
    asked = asked.cpu()
    if asked.is_floating_point():
        return inputs, asked.double().reshape(len(asked), -1)
    return (inputs, asked.long()) if asked.ndim == 1 else None
