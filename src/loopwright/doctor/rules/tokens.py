"""Models of token sequences: what is predicted from what, and who may see whom."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from loopwright.doctor.finding import Finding
from loopwright.doctor.measures import place
from loopwright.doctor.probes import draws, positions, reach, turns, unmoved
from loopwright.doctor.records import Call, LossCall
from loopwright.doctor.rule import View, rule

TOKENS = (torch.int64, torch.int32)
TARGETS = ("labels", "label", "target", "targets", "y")
MOST_KINDS, EXPECTED, SURE = 512, 2.0, 5.0
"""Of tokens of so many kinds, of which so many of each pair are expected, chi-square tells whether they depend on each
other: it lies so many deviations above what chance has."""
LOOKED_AT = (2, 7)
"""The steps at which sequences are looked at: again where the first batch was odd and nothing could be told of it."""


@dataclass(frozen=True, eq=False)
class Aligned:
    """Tokens (B, T) of a call and its loss (transposed where `axis` is 0), by how many places the targets are ahead of
    the tokens at which they are predicted, and the first position of which a target counts: what is before may be seen
    whole."""

    call: Call
    loss: LossCall
    tokens: Tensor
    given: Tensor
    axis: int
    ahead: int
    matched: float
    begins: int = 0


def aligned(view: View) -> Iterator[Aligned]:
    """The token inputs of this step whose targets are the same tokens, moved."""
    step = view.step
    for call in step.kept if step else []:
        for loss in step.kept_losses if step else []:
            if loss.kind not in ("cross_entropy", "nll_loss") or loss.target.is_floating_point():
                continue
            for given in candidates(call, loss):
                found = align(call, given, loss)
                if found is not None:
                    yield found
                    break


def candidates(call: Call, loss: LossCall) -> list[Tensor]:
    """The inputs that may be the tokens."""
    labels = [value for name, value in call.kwargs.items() if name in TARGETS and isinstance(value, Tensor)]
    tokens = [
        tensor
        for tensor in call.inputs
        if tensor.dtype in TOKENS and tensor.ndim == 2 and min(tensor.shape) >= 2
        if not any(tensor is label for label in labels)
    ]
    return [t for n, t in enumerate(tokens) if n == 0 or place(t) != place(loss.target)]


def align(call: Call, given: Tensor, loss: LossCall) -> Aligned | None:
    """How the targets of a loss lie on the tokens `given`."""
    target = loss.target.detach().reshape(-1)
    counted = target != loss.options.get("ignore_index", -100)
    for axis in (1, 0):
        tokens = given if axis == 1 else given.t()
        batch, length = tokens.shape
        width = len(target) // batch
        if len(target) % batch or not max(length - 2, 2) <= width <= length:
            continue
        placed = target.view(batch, width) if axis == 1 else target.view(width, batch).t()
        mask = counted.view(batch, width) if axis == 1 else counted.view(width, batch).t()
        shares = {ahead: agreement(tokens, placed, mask, ahead) for ahead in (-1, 0, 1, 2, 3)}
        best = max(shares, key=lambda ahead: shares[ahead])
        others = max(share for ahead, share in shares.items() if ahead != best)
        if shares[best] > 0.97 and others < 0.9:
            ahead = best - base(call, given, loss, width, axis)
            begins = int(mask.any(0).long().argmax())
            return Aligned(call, loss, tokens, given, axis, ahead, shares[best], begins)
    return None


def agreement(tokens: Tensor, target: Tensor, mask: Tensor, ahead: int) -> float:
    """The share of targets at t that are the token at t + `ahead`."""
    length, width = tokens.shape[1], target.shape[1]
    first = max(0, -ahead)
    last = min(width, length - ahead)
    if last - first < 2:
        return 0.0
    same = (target[:, first:last] == tokens[:, first + ahead : last + ahead]) & mask[:, first:last]
    counted = int(mask[:, first:last].sum())
    return int(same.sum()) / counted if counted >= 4 else 0.0


def base(call: Call, given: Tensor, loss: LossCall, width: int, axis: int) -> int:
    """At which position the predictions begin: 0, or where the first were cut off 1 or 2."""
    for output in call.outputs:
        shaped = positions(output.detach(), given)
        if shaped is None or loss.prediction.ndim != 2 or shaped.shape[-1] != loss.prediction.shape[-1]:
            continue
        rows = shaped if axis == 1 else shaped.transpose(0, 1)
        predicted = loss.prediction.detach()
        if axis == 1 and len(predicted) == len(rows) * width:
            for first in range(rows.shape[1] - width + 1):
                if torch.equal(predicted.view(len(rows), width, -1), rows[:, first : first + width]):
                    return first
    return 0


@rule("step", "future-visible", "unshifted-targets", "double-shift", "shifted-labels", needs="tokens", probes=True)
def pairing(view: View) -> Iterator[Finding]:
    """Of a model that predicts tokens from tokens: by how many places, and does it see them?"""
    step = view.step
    notes = view.program.notes
    if not step or step.number not in LOOKED_AT or all("pairing" in notes.of(c.module).answered for c in step.kept):
        return
    known = list(aligned(view))
    known = [found for found in known if tells(found.tokens)]
    usual = any(found.ahead == 1 for found in known)  # what else is asked beside the next token is asked on purpose
    for found in known:
        if usual and found.ahead != 1:
            continue
        view.program.notes.tokens = True
        middle = (found.begins + found.tokens.shape[1]) // 2
        reached = reach(found.call, found.given, middle, found.axis)
        if reached is None:
            continue
        earlier, later, behind = reached
        if later:  # the probe is felt at all
            notes.of(found.call.module).answered.add("pairing")
        probe = f"the token at position {middle} was replaced: outputs before it "
        name = type(found.call.module).__name__
        if found.ahead >= 1 and earlier:
            yield Finding(
                "error",
                "future-visible",
                f"targets are the tokens {found.ahead} ahead, and predictions depend on tokens that come later",
                step.number,
                name,
                probe=probe + "changed",
                certainty=0.96,
            )
        copies = found.ahead == 0 and later and not earlier and found.matched == 1
        if copies and not draws(found.call):  # else a noisy channel, say
            yield Finding(
                "error",
                "unshifted-targets",
                f"{found.matched:.0%} of the targets are the very token at which they are predicted",
                step.number,
                name,
                probe=probe + "did not change, those from it on did: the model sees what it is asked for",
                certainty=0.95,
            )
        if found.ahead == 2:
            yield Finding(
                "error",
                "double-shift",
                f"{found.matched:.0%} of the targets are the token {found.ahead} ahead of the one at which they are "
                "predicted",
                step.number,
                name,
                certainty=0.95,
            )
        if found.ahead < 0 and behind:
            yield Finding(
                "error",
                "shifted-labels",
                f"{found.matched:.0%} of the targets are the token before the one at which they are predicted",
                step.number,
                name,
                certainty=0.9,
            )


def tells(tokens: Tensor) -> bool:
    """Whether a token of sequences (B, T) tells something of the next one. Of those that do not nobody wants the next
    one: they are to be remembered, or copied."""
    kinds, index = tokens.unique(return_inverse=True)
    if len(kinds) > MOST_KINDS:
        return True
    pairs = index[:, :-1] * len(kinds) + index[:, 1:]
    counts = pairs.flatten().bincount(minlength=len(kinds) ** 2).view(len(kinds), -1).double()
    expected = counts.sum(1, keepdim=True) * counts.sum(0, keepdim=True) / counts.sum()
    if float(expected.mean()) < EXPECTED:
        return True  # too few tokens
    there = expected > 0
    freedom = (int((counts.sum(1) > 0).sum()) - 1) * (int((counts.sum(0) > 0).sum()) - 1)
    square = float(((counts - expected)[there].square() / expected[there]).sum())
    return square > freedom + SURE * math.sqrt(2 * freedom)


def attends(call: Call) -> bool:
    """Whether a model has attention in it."""
    names = [type(module).__name__.lower() for module in call.module.modules()]
    return any("attention" in name or "transformer" in name for name in names)


def binary(tensor: Tensor) -> bool:
    """Whether a tensor holds nothing but 0 and 1, or truth values."""
    return tensor.dtype == torch.bool or bool(((tensor == 0) | (tensor == 1)).all())


@rule("step", "position-unused", needs="tokens", probes=True)
def order_ignored(view: View) -> Iterator[Finding]:
    """A model with attention whose answers are the same when its tokens are put in another order."""
    step = view.step
    if not step or step.number != LOOKED_AT[0]:
        return
    for call in step.kept:
        tokens = [t for t in call.inputs if t.dtype in TOKENS and t.ndim == 2 and t.shape[1] >= 4 and not binary(t)]
        pair = len(call.inputs) == len(tokens) == 2  # what is read, and what is written
        if not tokens or (len(call.inputs) > 1 and not pair) or not attends(call):
            continue
        ordered = torch.nn.RNNBase | torch.nn.modules.conv._ConvNd
        found = tokens[0].sort(1).values
        padded = tokens[0][:, -1:].mode(0).values  # which may come often, at the end
        twice = (found[:, 1:] == found[:, :-1]) & (found[:, 1:] != padded)
        sets = not bool(twice.any())  # baskets, or a column each: nothing comes twice
        if sets or any(isinstance(module, ordered) for module in call.module.modules()):
            continue
        if tells(tokens[0]) and (unmoved(call, tokens[0]) if pair else turns(call, tokens[0])):
            yield Finding(
                "warning",
                "position-unused",
                f"{type(call.module).__name__} gives the same answers for a sequence and its reverse",
                step.number,
                type(call.module).__name__,
                probe="the tokens were reversed: no answer changed",
                certainty=0.85,
            )
