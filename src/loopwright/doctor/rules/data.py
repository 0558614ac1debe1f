"""What the model is given: scale, order, and how much of it; and one answer to everything."""

from __future__ import annotations

import math
import statistics
from collections import Counter
from collections.abc import Iterator
from itertools import groupby, pairwise

import torch
from torch import nn

from loopwright.doctor.finding import Finding
from loopwright.doctor.measures import Stats, pooled
from loopwright.doctor.rule import View, rule
from loopwright.doctor.rules.leaks import rows_of
from loopwright.errors import some

FAR = 12.0
"""A standard deviation or a mean of the input that layers are not initialized for."""
NORMS = nn.modules.batchnorm._NormBase | nn.LayerNorm | nn.GroupNorm
FEW_ROWS = 48
IN_ORDER = 4
"""So many labels in order are no chance, where batches come from no loader."""
TOLD, IN_A_ROW = 0.6, 3


def stats_of(view: View, kind: str, module: nn.Module) -> list[Stats]:
    """What was measured of a module's inputs, of training or of phases."""
    notes = view.program.notes
    return [stats for _, seen, stats in notes.stats[kind] if seen is notes.of(module)]


@rule("step", "unscaled-input", "constant-input", needs="modules")
def scale(view: View) -> Iterator[Finding]:
    """Inputs far from unit scale at the first layer that multiplies them; inputs that are all alike."""
    step = view.step
    if not step or step.number not in (2, 6):
        return
    for call in step.kept:
        stats = stats_of(view, "train", call.module)[:8]
        if len(stats) < 2 or not call.inputs[0].is_floating_point() or call.inputs[0].ndim < 2:
            continue
        if any(id(parameter) in view.program.notes.loaded for parameter in call.module.parameters()):
            continue  # trained before, perhaps on just that
        multiplies = call.entered or (any(p.ndim > 1 for p in call.module.parameters()) and not normalizes(call.module))
        mean, std = (call.entered.mean, call.entered.std) if call.entered else pooled(stats)
        name = type(call.module).__name__
        if (std > FAR or abs(mean) > 5 * FAR) and multiplies and not evened(call.module):
            yield Finding(
                "warning",
                "unscaled-input",
                f"what comes {'to a first layer of' if call.entered else 'into'} {name} has mean {mean:.4g}, deviation "
                f"{std:.4g}; its inputs go from {min(s.low for s in stats):.4g} to {max(s.high for s in stats):.4g}",
                step.number,
                name,
                certainty=0.82,
            )
        varied = [s for s in step.summaries if s.labels > 1]
        alone = all(bool((given == given[:1]).all()) for given in call.inputs[1:] if given.ndim and len(given))
        if all(s.alike for s in stats) and alone and varied and len(call.inputs[0]) >= 4:
            yield Finding(
                "error",
                "constant-input",
                f"in {len(stats)} batches every row of the input of {name} was the same",
                step.number,
                name,
                certainty=0.95,
            )


def evened(module: nn.Module) -> bool:
    """Whether a normalization stands right behind the first layer, to which the scale of its input is the same."""
    weighted = [part for part in module.modules() if list(part.parameters(recurse=False))]
    return len(weighted) > 1 and not isinstance(weighted[0], NORMS) and isinstance(weighted[1], NORMS)


def normalizes(module: nn.Module) -> bool:
    """Whether the first part of a module with weights or statistics is a normalization."""
    for part in module.modules():
        if isinstance(part, NORMS):
            return True
        if list(part.parameters(recurse=False)):
            return False
    return False


@rule("step", "no-shuffle", needs="losses")
def sorted_labels(view: View) -> Iterator[Finding]:
    """Batch after batch of one label, and then of another."""
    step = view.step
    if not step or step.number < 3:
        return
    early = [one for one in view.program.recent(step.held) if one.number <= 64]
    summaries = [s for one in early for s in one.summaries if s.counted >= 8]
    if any(len(one.summaries) > 1 for one in early):
        return  # what is learned is asked again beside what is new
    if len(summaries) < 4 or any(s.labels == 0 for s in summaries):
        return
    pure = [s for s in summaries if s.labels == 1 or s.top > 0.98]
    found = {s.label for s in pure}
    seen = {s.label for s in summaries}
    labels, classes = [s.label for s in pure], summaries[0].classes
    loaded = all(call.batch for call in step.calls)  # else what happens may come like that
    several = len(found) >= (2 if loaded else min(IN_ORDER, classes or 2))
    if len(pure) >= 0.6 * len(summaries) and several and in_runs(labels) and (loaded or in_order(labels, classes)):
        yield Finding(
            "error",
            "no-shuffle",
            f"{len(pure)} of {len(summaries)} batches hold a single label, of {len(seen)} that were seen",
            step.number,
            certainty=0.9,
        )
    few = [s for s in summaries if s.classes >= 5 and s.labels <= max(1, s.classes // 4)]
    spread = {s.label for s in few}
    enough = len(pure) < 0.6 * len(summaries) and len(few) >= max(6, 0.8 * len(summaries)) and len(spread) >= 3
    if enough and in_order([s.label for s in few], few[0].classes):
        yield Finding(
            "error",
            "no-shuffle",
            f"batches hold at most {max(s.labels for s in few)} of {few[0].classes} labels, which come in order",
            step.number,
            certainty=0.88,
        )


def in_order(labels: list[int], classes: int) -> bool:
    """Whether labels come as in a sorted set: one after the other from the first, or the last, of the classes; in a
    stream of what happens they do not."""
    runs = [label for label, _ in groupby(labels)]
    seen = list(dict.fromkeys(runs))
    up, down = seen == sorted(seen) and seen[0] <= 1, seen == sorted(seen, reverse=True) and seen[0] >= classes - 2
    return (up or down) and all(label == seen[number % len(seen)] for number, label in enumerate(runs))


def in_runs(labels: list[int]) -> bool:
    """Whether labels change seldom; where two kinds of batches take turns, as with real and made ones, they do not."""
    changes = sum(a != b for a, b in pairwise(labels))
    return changes <= len(labels) // 3


@rule("step", "same-order", needs="orders")
@rule("end", "same-order", needs="orders")
def same_order(view: View) -> Iterator[Finding]:
    """The same permutation was drawn for two epochs of training."""
    by_size: dict[int, list[tuple[int, int]]] = {}
    began = max((one.at for one in view.program.notes.built), default=0)  # another training may have the same seed
    began = max([began, *(load.step for load in view.program.loads)])
    for drawn_order in view.program.orders:
        if drawn_order.at >= began and drawn_order.trains:
            by_size.setdefault(drawn_order.size, []).append((drawn_order.at, drawn_order.order))
    columns = {width for seen in view.program.notes.models.values() for shape in seen.shapes for width in shape}
    for size, drawn in by_size.items():
        # Permutations that split data are drawn before the first step, often more than once with one seed.
        # A sampler draws another one when it is through, which nobody takes, before the next epoch draws its own.
        epochs, most = dict(drawn), max(Counter(at for at, _ in drawn if at > began).values(), default=0)
        counts = sorted(epochs)
        apart = all(b - a > 1 for a, b in pairwise(counts))  # else it is part of a model, or of a step
        others = {other: [(at, order) for at, order in found if at in epochs] for other, found in by_size.items()}
        others.pop(size)
        anew = any(len(found) == len({order for _, order in found}) > 1 for found in others.values())
        if size in columns or anew:
            continue  # of columns; or what else is drawn in each epoch is new, so that this is meant
        if len(counts) >= 3 and most <= 2 and apart and len(set(epochs.values())) == 1:
            yield Finding(
                "warning",
                "same-order",
                f"the same permutation of {size} was drawn in each of {len(epochs)} epochs, before steps "
                f"{some([count + 1 for count in counts], 4)}",
                max(counts),
                certainty=0.9,
            )


@rule("phase", "split-preprocessing", needs="phases")
def unlike_splits(view: View) -> Iterator[Finding]:
    """Validation inputs of another mean or spread than training inputs."""
    phase = view.phase
    if not phase or not phase.step:
        return
    for module, mine in phase.by_module:
        train, held_out = stats_of(view, "train", module), stats_of(view, "phase", module)
        if all(call.grad for call in mine) or len(train) < 2 or not held_out or sum(s.count for s in held_out) < 512:
            continue
        if any(not s.finite for s in (*train, *held_out)) or not mine[0].floating:
            continue
        if mine[0].shape not in (shapes := view.program.notes.of(module).shapes) and shapes:
            continue
        (mean, std), (other_mean, other_std) = pooled(train), pooled(held_out)
        told = bool(phase.losses) or any(call.batch for call in mine) or view.program.notes.classes
        if not told or (all(call.training for call in mine) and not phase.losses):
            continue  # a picture of what was learned, or statistics that are gathered anew
        if any(abs(s.mean - mean) < 0.2 * std and 0.8 * std < s.std < 1.25 * std for s in held_out):
            continue  # preprocessing is the same for all batches; a kind that training never sees may be among them
        spread = max(abs(s.mean - mean) for s in train) + 1e-6
        wide = max((s.std for s in train), default=0.0)
        moved = abs(other_mean - mean) > 0.6 * max(std, 1e-6) and abs(other_mean - mean) > 3 * spread
        scaled = std > 1e-6 and not 0.45 < other_std / std < 2.2 and other_std > 1.5 * wide
        shrunk = std > 1e-6 and other_std / std < 0.45 and other_std < 0.7 * min(s.std for s in train)
        if moved or scaled or shrunk:
            yield Finding(
                "error",
                "split-preprocessing",
                f"training inputs have mean {mean:.3g} and deviation {std:.3g}, those of validation "
                f"{other_mean:.3g} and {other_std:.3g}",
                phase.step,
                certainty=0.88,
            )


@rule("phase", "split-preprocessing", needs="phases")
def scaled_apart(view: View) -> Iterator[Finding]:
    """A validation whose columns have mean 0 and deviation 1 all by themselves: they were scaled by their own, not by
    those of training."""
    phase = view.phase
    if not phase or not phase.step:
        return
    for module, every in phase.by_module:
        calls = [call for call in every if len(call.sums) == 2] if view.scene.trains(module) else []
        known, count = rows_of(view, module), sum(len(call.profile) for call in calls)
        checked = {row for call in calls for row in call.rows}
        shapes = {tuple(call.sums.shape) for call in calls}
        if count < FEW_ROWS or len(shapes) > 1 or not known or not checked.isdisjoint(known):
            continue  # of what is trained on, too, the columns may be
        mean, square = torch.stack([call.sums for call in calls]).sum(0) / count
        deviation = (square - mean.square()).clamp(min=0).sqrt()
        exact = (mean.abs() < 1e-5) & ((deviation - 1).abs() < 1 / count)
        columns, most = int(exact.sum()), float(mean[exact].abs().max()) if bool(exact.any()) else 0.0
        if columns >= 3 and columns >= 0.5 * len(mean):
            yield Finding(
                "error",
                "split-preprocessing",
                f"{columns} of {len(mean)} columns of the {count} validation inputs have mean 0 ({most:.1g}) and "
                "deviation 1: they were scaled by themselves",
                phase.step,
                certainty=0.9,
            )


@rule("end", "partial-epoch", needs="modules")
def epoch_in_part(view: View) -> Iterator[Finding]:
    """A loader of training is begun again and again, and gives a small part of its batches each time."""
    for loader in view.program.loaders.values():
        if not loader.trains or not loader.length or loader.length < 4 or len(loader.began) > 1:
            continue  # where epochs begin with other samples, the set itself draws them
        drawn = loader.drawn[:-1] if len(loader.drawn) > 1 else []
        if len(drawn) >= 20 and max(drawn) <= 1 and loader.sampler == "SequentialSampler":
            yield Finding(
                "warning",
                "partial-epoch",
                f"the training loader was begun {len(loader.drawn)} times and gave one of its {loader.length} batches "
                "each time",
                view.program.count,
                certainty=0.75,
            )
        elif len(drawn) >= 2 and loader.sampler == "SequentialSampler" and max(loader.drawn) <= 0.5 * loader.length:
            yield Finding(
                "warning",
                "partial-epoch",
                f"of {loader.length} batches in a fixed order each of {len(drawn)} epochs drew at most {max(drawn)}: "
                "the rest is never seen",
                view.program.count,
                certainty=0.8,
            )


@rule("phase", "constant-prediction", "class-imbalance", needs="phases")
def one_answer(view: View) -> Iterator[Finding]:
    """A validation in which every prediction is the same class, late in training, though there are several."""
    phase = view.phase
    if not phase or phase.step < 60:
        return
    found = [loss.answers for loss in phase.losses if loss.answers is not None]
    guessed = set().union(*(one.guessed for one in found))
    asked = set().union(*(one.asked for one in found))
    counts, top = sum(one.count for one in found), sum(one.top for one in found)
    if counts >= 64 and len(guessed) == 1 and len(asked) > 1:
        share = top / counts
        told, notes = [one.told for one in found if not math.isnan(one.told)], view.program.notes
        notes.same_answer += 1
        enough = min(TOLD, 0.5 + 3 * (12 * max(1, counts - top)) ** -0.5)  # three deviations of what chance has
        usual = share > 0.5 and (notes.same_answer < IN_A_ROW or (bool(told) and statistics.fmean(told) > enough))
        cause = "class-imbalance" if share > 0.9 else "constant-prediction"
        if usual:
            return  # the rare ones may be told from the others, and still not be likelier than not
        yield Finding(
            "warning",
            cause,
            f"all {counts} predictions after step {phase.step} are class {next(iter(guessed))}; there are {len(asked)} "
            f"classes, the most frequent has {share:.0%}",
            phase.step,
            certainty=0.6,
        )
