"""What a model should not know: rows of the validation among those of training, and labels that stand in the input."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor, nn

from loopwright.doctor.finding import Finding
from loopwright.doctor.measures import BITS, place
from loopwright.doctor.records import Call, LossCall, Phase, Step
from loopwright.doctor.rule import View, rule
from loopwright.doctor.rules.modes import FEW, in_each_step

ALL = 0.9
HALF, BY_CHANCE = 3, 5.0
LEAK_ROWS = 48
LEAK_EACH = 4
WIDEST = 20_000


@rule("phase", "split-overlap", needs="phases")
def shared_rows(view: View) -> Iterator[Finding]:
    """Rows of a validation that training has seen.

    Who scores the training set, too, has passes that are all of known rows, beside others with none.
    """
    phase = view.phase
    turns = view.program.stepping
    early = turns > 1 and phase is not None and phase.step < FEW * turns  # where actor and critic act in each step
    if not phase or not phase.step or phase.chooses or early:
        return
    # A teacher or a target network is given the very batch that is trained on.
    trained = set().union(*(seen.hashes for seen in view.program.notes.models.values()))
    for module, every in phase.by_module:
        held_out = view.scene.trains(module) and not in_each_step(view, module) and not retired(view, module)
        train = rows_of(view, module) if held_out else {}
        calls = [call for call in every if call.hash not in trained]
        passes = [call.rows for call in calls if not call.grad and len(call.rows) >= 4]
        if passes and len(train) > 64:
            yield from overlapping(view, phase, train, passes, chance_of(view, module))


def retired(view: View, module: nn.Module) -> bool:
    """Whether the optimizer of a model is gone, and another one is at work: the model is asked for its sake."""
    names = view.scene.anatomy(module).names.keys()
    living = [held.parameters for held, _ in view.program.living() if held.steps]
    return bool(living) and not any(names & parameters for parameters in living)


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
    loaded = all(call.batch for call in phase.calls)
    two_sets = min(shares) < 0.02 and max(shares) > 0.3 and (sources == {0} or separate(phase, train))
    two_sets = two_sets or (not loaded and halves(shares, min(map(len, passes))))
    whole = (len(checked) >= 0.8 * len(train) and min(shares) > 0.9) or len(shared) >= 0.95 * len(train)
    share = len(shared) / len(checked)
    expected = 0.0 if view.program.notes.bits > BITS else 3 * chance * len(train)
    training = [loader for loader in view.program.loaders.values() if loader.trains]
    twice = max(train.values()) > sum(len(loader.drawn) for loader in training)  # copies of a row, in an epoch
    # The score of a part of the training set: all of it is trained on, as far as that was seen.
    score = (
        sources <= {0, *map(id, training)}
        and share * sum(loader.size or 0 for loader in training) > ALL * len(train)
        and not twice
    )
    if share > 0.02 + expected and not two_sets and not whole:
        yield Finding(
            "info" if score else "error",
            "split-overlap",
            f"{len(shared)} of {len(checked)} validation inputs ({share:.0%}) are bit for bit among the {len(train)} "
            "training inputs seen so far",
            phase.step,
            certainty=0.92,
        )


def halves(shares: list[float], rows: int) -> bool:
    """Whether passes of so many `rows` share nothing with training at one end of them, and something at the other, more
    than chance leaves out: the scores of both sets, one after the other."""
    known = [number for number, share in enumerate(shares) if share > 0]
    for empty in (known[0], len(shares) - 1 - known[-1]) if known else ():
        others = len(shares) - empty
        if empty >= HALF and others >= HALF and sum(shares) / others * empty * rows > BY_CHANCE:
            return True
    return False


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
        labels, seen = loss.target.reshape(-1), view.program.notes.of(call.module)
        if not call.batch and len(seen.hashes) > 1 and bool((labels[1:] >= labels[:-1]).all()):
            continue  # kinds put together one after the other: real and made ones, two domains
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
    """Inputs (B, *) and class labels (B,) that belong together: all that there are, or what comes straight from a model
    that is called once. Where other labels are asked for as well, what is in the input may be among them."""
    asked = [loss for loss in step.kept_losses if loss.target.numel() > 1]
    several = any(not torch.equal(asked[0].target, loss.target) for loss in asked[1:])
    for call in step.kept if not several else []:
        ends = {place(output) for output in call.outputs}
        once = sum(other.module is call.module for other in step.calls) == 1
        for loss in asked:
            if len(step.calls) > 1 and not (once and place(loss.prediction) in ends):
                continue
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
    if len({id(call.module) for call in step.calls}) < len(step.calls):
        return  # a model that is asked several things at once, and some of them at an edge
    for call in step.kept:
        for loss in step.kept_losses if len(step.kept_losses) == 1 else []:
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
