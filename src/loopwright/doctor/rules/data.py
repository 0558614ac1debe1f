"""What the model is given: scale, order, splits, and what can be read off it."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import torch
from torch import Tensor, nn

from loopwright.doctor.finding import Finding
from loopwright.doctor.measures import Stats, pooled
from loopwright.doctor.records import Call, LossCall, Phase, Step
from loopwright.doctor.rule import View, rule
from loopwright.errors import some

FAR = 12.0
"""A standard deviation or a mean of the input that layers are not initialized for."""
LEAK_ROWS = 48
LEAK_EACH = 4
WIDEST = 20_000
BITS = 60.0
"""Inputs of more bits than this do not coincide by chance, even where their columns depend on each other."""


def stats_of(view: View, kind: str, module: nn.Module) -> list[Stats]:
    """What was measured of a module's inputs, of training or of phases."""
    notes = view.program.notes
    return [stats for _, seen, stats in notes.stats[kind] if seen is notes.of(module)]


@rule("step", "unscaled-input", "constant-input", needs="modules")
def scale(view: View) -> Iterator[Finding]:
    """Inputs far from unit scale, without a normalization in front; inputs that are all alike."""
    step = view.step
    if not step or step.number not in (2, 6):
        return
    for call in step.kept:
        stats = stats_of(view, "train", call.module)[:8]
        if len(stats) < 2 or not call.inputs[0].is_floating_point() or call.inputs[0].ndim < 2:
            continue
        mean, std = pooled(stats)
        name = type(call.module).__name__
        if (std > FAR or abs(mean) > 5 * FAR) and not normalizes(call.module):
            yield Finding(
                "warning",
                "unscaled-input",
                f"the input of {name} has mean {mean:.4g}, standard deviation {std:.4g}, and goes from "
                f"{min(s.low for s in stats):.4g} to {max(s.high for s in stats):.4g}",
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


def normalizes(module: nn.Module) -> bool:
    """Whether the first layer of a module with weights or statistics is a normalization."""
    for part in module.modules():
        if isinstance(part, nn.modules.batchnorm._NormBase | nn.LayerNorm | nn.GroupNorm):
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
    summaries = [
        s for one in view.program.recent(step.held) if one.number <= 64 for s in one.summaries[:1] if s.counted >= 8
    ]
    if len(summaries) < 4 or any(s.labels == 0 for s in summaries):
        return
    pure = [s for s in summaries if s.labels == 1 or s.top > 0.98]
    found = {s.label for s in pure}
    seen = {s.label for s in summaries}
    if len(pure) >= 0.6 * len(summaries) and len(found) >= 2 and in_runs([s.label for s in pure]):
        yield Finding(
            "error",
            "no-shuffle",
            f"{len(pure)} of {len(summaries)} batches hold a single label, of {len(seen)} that were seen",
            step.number,
            certainty=0.9,
        )
    few = [s for s in summaries if s.classes >= 5 and s.labels <= max(1, s.classes // 4)]
    spread = {s.label for s in few}
    if len(pure) < 0.6 * len(summaries) and len(few) >= 0.8 * len(summaries) and len(few) >= 6 and len(spread) >= 3:
        labels = [s.label for s in few]
        if labels in (sorted(labels), sorted(labels, reverse=True)):
            yield Finding(
                "error",
                "no-shuffle",
                f"batches hold at most {max(s.labels for s in few)} of {few[0].classes} labels, and the labels come in "
                "order",
                step.number,
                certainty=0.88,
            )


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
    for count, size, order in view.program.orders:
        if count >= began:
            by_size.setdefault(size, []).append((count, order))
    for size, drawn in by_size.items():
        # Permutations that split data are drawn before the first step, often more than once with one seed.
        epochs = [one for one in drawn if one[0] > began] + [one for one in drawn if one[0] == began][-1:]
        counts = sorted({count for count, _ in epochs})
        if len(epochs) >= 3 and len(counts) >= 3 and len({order for _, order in epochs}) == 1:
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
    for module in {id(call.module): call.module for call in phase.calls if not call.grad}.values():
        mine = [call for call in phase.calls if call.module is module]
        train, held_out = stats_of(view, "train", module), stats_of(view, "phase", module)
        if not mine or len(train) < 2 or not held_out or sum(s.count for s in held_out) < 512:
            continue
        if any(not s.finite for s in (*train, *held_out)) or not mine[0].floating:
            continue
        if mine[0].shape not in (shapes := view.program.notes.of(module).shapes) and shapes:
            continue
        (mean, std), (other_mean, other_std) = pooled(train), pooled(held_out)
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


@rule("phase", "split-overlap", needs="phases")
def shared_rows(view: View) -> Iterator[Finding]:
    """Rows of a validation that training has seen.

    Who scores the training set, too, has passes that are all of known rows, beside others with none.
    """
    phase = view.phase
    if not phase or not phase.step or phase.chooses:
        return
    # A teacher or a target network is given the very batch that is trained on.
    trained = set().union(*(seen.hashes for seen in view.program.notes.models.values()))
    for module in {id(call.module): call.module for call in phase.calls}.values():
        train = rows_of(view, module) if view.scene.trains(module) else {}
        calls = [call for call in phase.calls if call.module is module and call.hash not in trained]
        passes = [call.rows for call in calls if not call.grad and len(call.rows) >= 4]
        if passes and len(train) > 64:
            yield from overlapping(view, phase, train, passes, chance_of(view, module))


def rows_of(view: View, module: nn.Module) -> dict[int, int]:
    """The rows that the weights of a module were trained on, through it or a module that shares them."""
    names, found = view.scene.anatomy(module).names, dict[int, int]()
    for seen in view.program.notes.models.values():
        model = seen.model()
        if model is not None and seen.rows and not names.keys().isdisjoint(view.scene.anatomy(model).names):
            found = {**found, **seen.rows} if found else seen.rows
    return found


def chance_of(view: View, module: nn.Module) -> float:
    """The chance that two rows are the same, by those of the first batches."""
    seen = view.program.notes.of(module)
    return 2 * seen.again / seen.first**2 if seen.first else 0.0


def overlapping(
    view: View, phase: Phase, train: dict[int, int], passes: list[list[int]], chance: float
) -> Iterator[Finding]:
    """Passes of a validation beside the rows that were trained on; `chance`: that two rows are the same."""
    shares = [sum(row in train for row in call) / len(call) for call in passes]
    checked = {row for call in passes for row in call}
    shared = [row for row in checked if row in train]
    once = sum(count > 1 for count in train.values()) < 0.05 * len(train) or repeats_by_epoch(view, train)
    alike = once or view.program.notes.bits > BITS
    if not alike or len(checked) < 16 or len(shared) < 8:
        return
    sources = {call.source for call in phase.calls}
    two_sets = min(shares) < 0.02 and max(shares) > 0.3 and (sources == {0} or separate(phase, train))
    whole = (len(checked) >= 0.8 * len(train) and min(shares) > 0.9) or len(shared) >= 0.95 * len(train)
    share = len(shared) / len(checked)
    expected = 0.0 if view.program.notes.bits > BITS else 3 * chance * len(train)
    if share > 0.02 + expected and not two_sets and not whole:
        yield Finding(
            "error",
            "split-overlap",
            f"{len(shared)} of {len(checked)} validation inputs ({share:.0%}) are bit for bit among the {len(train)} "
            "training inputs seen so far",
            phase.step,
            certainty=0.92,
        )


def separate(phase: Phase, train: dict[int, int]) -> bool:
    """Whether passes from different loaders are of different kinds: one of known rows, another of none."""
    known: dict[int, list[float]] = {}
    for call in phase.calls:
        if not call.grad and len(call.rows) >= 4:
            known.setdefault(call.source, []).append(sum(row in train for row in call.rows) / len(call.rows))
    clean = [source for source, shares in known.items() if max(shares) < 0.02]
    seen = [source for source, shares in known.items() if min(shares) > 0.3]
    return bool(clean and seen) and len(clean) + len(seen) == len(known)


def repeats_by_epoch(view: View, train: dict[int, int]) -> bool:
    """Whether training rows repeat since epochs do: all about as often."""
    most, least = max(train.values()), min(train.values())
    return most <= 2 * least + 2


@rule("step", "label-leak", needs="losses")
def leaks(view: View) -> Iterator[Finding]:
    """A column of the input has the label written into it."""
    step = view.step
    if not step or step.number not in (2, 5):
        return
    for call, loss in pairs_of(step):
        column = leaking_column(call.inputs[0].detach(), loss.target.detach())
        if column is not None:
            yield Finding(
                "error",
                "label-leak",
                f"number {column} of each input tells the label: one value for each label in all {len(loss.target)} "
                "samples of a batch",
                step.number,
                certainty=0.9,
            )


def pairs_of(step: Step) -> Iterator[tuple[Call, LossCall]]:
    """Inputs (B, *) and class labels (B,) that belong together."""
    for call in step.kept:
        for loss in step.kept_losses:
            labels = loss.target.reshape(-1)
            for given in call.inputs[:1]:
                fits = given.is_floating_point() and given.ndim >= 2 and len(given) == len(labels) >= LEAK_ROWS
                if fits and given[0].numel() <= WIDEST:
                    yield call, loss


def leaking_column(inputs: Tensor, target: Tensor) -> int | None:
    """The first column of inputs (B, *) with one value for each label, different for different labels."""
    labels = target.reshape(-1)
    found, index = torch.unique(labels, return_inverse=True)
    if not 2 <= len(found) <= 20 or len(labels) < LEAK_ROWS or int(index.bincount().min()) < LEAK_EACH:
        return None
    flat = inputs.reshape(len(inputs), -1).float()
    means = torch.stack([flat[index == k].mean(0) for k in range(len(found))])
    constant = torch.ones(flat.shape[1], dtype=torch.bool, device=flat.device)
    for k in range(len(found)):
        group = flat[index == k]
        constant &= (group == group[:1]).all(0)
    if len(found) == 2:
        apart = means[0] != means[1]
    else:
        apart = (
            torch.tensor([len(means[:, c].unique()) == len(found) for c in range(means.shape[1])])
            if bool(constant.any())
            else constant
        )
    hit = (constant & apart.to(constant.device)).nonzero()
    one_hot = constant.sum() >= len(found) and bool(
        (means[:, constant].sum(0) == means[:, constant].max(0).values).all()
    )
    if len(hit):
        return int(hit[0])
    varied = constant & (means.max(0).values > means.min(0).values)
    return int(varied.nonzero()[0]) if one_hot and int(varied.sum()) >= len(found) else None


@rule("step", "label-leak", needs="losses")
def target_in_input(view: View) -> Iterator[Finding]:
    """A number of each input is the target itself, bit for bit: a window that is one step too long, say."""
    step = view.step
    if not step or step.number not in (2, 5):
        return
    for call in step.kept:
        for loss in step.kept_losses:
            target = loss.target.detach().reshape(-1)
            given = call.inputs[0].detach()
            fits = given.is_floating_point() and given.ndim >= 2 and len(given) == len(target) >= 16
            if not fits or not target.is_floating_point() or not 2 <= given[0].numel() <= WIDEST:
                continue
            same = (given.reshape(len(given), -1) == target[:, None].to(given.dtype)).all(0)
            if bool(same.any()) and len(target.unique()) > 4:
                yield Finding(
                    "error",
                    "label-leak",
                    f"number {int(same.nonzero()[0])} of each input is the target itself, in all {len(target)} samples "
                    "of a batch",
                    step.number,
                    certainty=0.92,
                )


@rule("end", "partial-epoch", needs="modules")
def epoch_in_part(view: View) -> Iterator[Finding]:
    """A loader of training is begun again and again, and gives a small part of its batches each time."""
    for loader in view.program.loaders.values():
        if not loader.trains or not loader.length or loader.length < 4:
            continue
        drawn = loader.drawn[:-1] if len(loader.drawn) > 1 else []
        if len(drawn) >= 20 and max(drawn) <= 1:
            yield Finding(
                "warning",
                "partial-epoch",
                f"the training loader was begun {len(loader.drawn)} times and gave one of its {loader.length} batches "
                "each time",
                view.program.count,
                certainty=0.75,
            )
        elif len(drawn) >= 2 and loader.sampler == "SequentialSampler" and max(drawn) <= 0.5 * loader.length:
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
        cause = "class-imbalance" if share > 0.9 else "constant-prediction"
        yield Finding(
            "warning",
            cause,
            f"all {counts} predictions after step {phase.step} are class {next(iter(guessed))}; there are {len(asked)} "
            f"classes, the most frequent has {share:.0%}",
            phase.step,
            certainty=0.6,
        )
