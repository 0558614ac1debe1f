"""Models of token sequences: what is predicted from what, who may see whom, and what becomes of padding."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from inspect import signature

import torch
from torch import Tensor

from loopwright.doctor.finding import Finding
from loopwright.doctor.probes import positions, reach, same_when, turns
from loopwright.doctor.records import Call, LossCall
from loopwright.doctor.rule import View, rule

TOKENS = (torch.int64, torch.int32)
TARGETS = ("labels", "label", "target", "targets", "y")
IGNORED = -100
FEWEST_ROWS = 4
COPIED = 0.9
LOOKED_AT = (2, 7)
"""The steps at which sequences are looked at: again where the first batch was odd and nothing could be told of it."""


@dataclass(frozen=True, eq=False)
class Aligned:
    """Tokens (B, T) of a call (transposed where `axis` is 0), by how many places the targets are ahead of the tokens at
    which they are predicted, and the first position of which a target counts: what is before may be seen whole."""

    call: Call
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
    return [t for n, t in enumerate(tokens) if n == 0 or t.data_ptr() != loss.target.data_ptr()]


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
            return Aligned(call, tokens, given, axis, ahead, shares[best], begins)
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
    usual = any(found.ahead == 1 for found in known)  # what else is asked beside the next token is asked on purpose
    for found in known:
        if usual and found.ahead != 1:
            continue
        view.program.notes.tokens = True
        middle = (found.begins + found.tokens.shape[1]) // 2
        reached = reach(found.call, found.given, middle, found.axis)
        if reached is None:
            continue
        earlier, later = reached
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
        if found.ahead == 0 and later and not earlier:
            yield Finding(
                "error",
                "unshifted-targets",
                f"{found.matched:.0%} of the targets are the very token at which they are predicted",
                step.number,
                name,
                probe=probe + "did not change, those from it on did: the model sees what it is asked for",
                certainty=0.95,
            )
        if found.ahead >= 2:
            yield Finding(
                "error",
                "double-shift",
                f"{found.matched:.0%} of the targets are the token {found.ahead} ahead of the one at which they are "
                "predicted",
                step.number,
                name,
                certainty=0.95,
            )
        if found.ahead < 0:
            yield Finding(
                "error",
                "shifted-labels",
                f"{found.matched:.0%} of the targets are the token before the one at which they are predicted",
                step.number,
                name,
                certainty=0.9,
            )


def padding(call: Call, tokens: Tensor) -> tuple[Tensor, int, str] | None:
    """Where padding stands in tokens (B, T), its id, and what told the call so: a `mask`, `lengths`, or nothing."""
    told = [t for t in call.inputs if t is not tokens and t.shape == tokens.shape and binary(t)]
    lengths = [t for t in call.inputs if t.ndim == 1 and len(t) == len(tokens) and t.dtype in TOKENS]
    embeddings = [m for m in call.module.modules() if isinstance(m, torch.nn.Embedding) and m.padding_idx is not None]
    known = {int(m.padding_idx) for m in embeddings if m.padding_idx is not None}
    for value in sorted({0, *known, *tokens[:, -1].unique().tolist()}):
        stands = trailing(tokens, value)
        if stands is None:
            continue
        masked = any(torch.equal(mask.bool(), stands) or torch.equal(mask.bool(), ~stands) for mask in told)
        counted = any(torch.equal(length.to(stands.device), (~stands).sum(1)) for length in lengths)
        if masked or counted or value in known or value == 0:
            return stands, value, "mask" if masked else "lengths" if counted else ""
    return None


def untold(call: Call, tokens: Tensor, value: int) -> bool:
    """Whether `value`, which ends tokens (B, T), is an embedding's padding, and the mask that the model takes is not
    given or is 1 throughout."""
    known = {m.padding_idx for m in call.module.modules() if isinstance(m, torch.nn.Embedding)}
    masks = [t for t in call.inputs if t is not tokens and t.shape == tokens.shape and binary(t)]
    takes = bool(masks) or "attention_mask" in signature(call.module.forward).parameters
    return value in known and takes and all(bool(mask.bool().all()) for mask in masks)


def attends(call: Call) -> bool:
    """Whether a model has attention in it."""
    names = [type(module).__name__.lower() for module in call.module.modules()]
    return any("attention" in name or "transformer" in name for name in names)


def binary(tensor: Tensor) -> bool:
    """Whether a tensor holds nothing but 0 and 1, or truth values."""
    return tensor.dtype == torch.bool or bool(((tensor == 0) | (tensor == 1)).all())


def trailing(tokens: Tensor, value: int) -> Tensor | None:
    """Where rows end with `value`: bool (B, T). None where that is no padding: it stands elsewhere, too, or all rows
    are of one length."""
    is_value = tokens == value
    ends = is_value.flip(1).long().cumprod(1).flip(1).bool()
    lengths = ends.sum(1)
    if bool((is_value & ~ends).any()) or len(lengths.unique()) < 3 or int((lengths >= 2).sum()) * 4 < len(tokens):
        return None
    return ends


@rule("step", "padding-in-loss", "padding-visible", needs="tokens", probes=True)
def padded(view: View) -> Iterator[Finding]:
    """Padding that counts in the loss, or that what is predicted depends on."""
    step = view.step
    if not step or step.number not in LOOKED_AT:
        return
    for call in step.kept:
        for tokens in call.inputs:
            if tokens.dtype not in TOKENS or tokens.ndim != 2 or min(tokens.shape) < 3 or binary(tokens):
                continue
            found = padding(call, tokens)
            if found is None:
                continue
            view.program.notes.tokens = True
            yield from counted_padding(step.number, found[0], step.kept_losses)
            if found[2] == "mask":
                yield from seen_padding(step.number, call, tokens, found[0])
            elif found[2] or (attends(call) and len(call.inputs) == 1) or untold(call, tokens, found[1]):
                yield from more_padding(step.number, call, tokens, found[0], found[1])
            break


def counted_padding(step: int, stands: Tensor, losses: list[LossCall]) -> Iterator[Finding]:
    """Targets at padded positions that are not ignored."""
    for loss in losses:
        target = loss.target.detach()
        if loss.kind not in ("cross_entropy", "nll_loss") or target.is_floating_point():
            continue
        if loss.options.get("reduction", "mean") == "none" or loss.options.get("weight") is not None:
            continue
        flat = target.reshape(-1)
        width = len(flat) // len(stands)
        if len(flat) % len(stands) or not stands.shape[1] - 1 <= width <= stands.shape[1]:
            continue
        padded_targets = stands[:, stands.shape[1] - width :].reshape(-1)
        counted = flat != loss.options.get("ignore_index", -100)
        wrong, all_counted = int((counted & padded_targets).sum()), int(counted.sum())
        # The one behind a sequence's end may be its end sign.
        if all_counted and wrong - len(stands) > 0.05 * all_counted and len(flat[padded_targets].unique()) == 1:
            yield Finding(
                "error",
                "padding-in-loss",
                f"{wrong} of the {all_counted} targets that count in {loss.kind} stand at padded positions",
                step,
                certainty=0.93,
            )


def seen_padding(step: int, call: Call, tokens: Tensor, stands: Tensor) -> Iterator[Finding]:
    """Outputs at real positions that change with what stands at padded ones, though the model was told of them."""
    real = tokens[~stands]
    if not len(real):
        return
    other = tokens.clone()
    other[stands] = real[torch.arange(int(stands.sum()), device=real.device) * 7 % len(real)]

    def kept(output: Tensor) -> Tensor:
        shaped = positions(output, tokens)
        return output if shaped is None else shaped[~stands]

    if same_when(call, tokens, other, kept) is False:
        yield Finding(
            "error",
            "padding-visible",
            f"{int(stands.sum())} padded positions of {stands.numel()} are masked for "
            f"{type(call.module).__name__}, and change what it predicts elsewhere",
            step,
            type(call.module).__name__,
            probe="other tokens were put at the padded positions: outputs for real positions changed",
            certainty=0.93,
        )


def more_padding(step: int, call: Call, tokens: Tensor, stands: Tensor, value: int) -> Iterator[Finding]:
    """Outputs at real positions that change when more padding is appended: a model with attention that knows padding by
    its id, or does not know it."""
    longer = torch.nn.functional.pad(tokens, (0, 3), value=value)
    others = [tensor for tensor in call.inputs if tensor is not tokens and tensor.shape == tokens.shape]
    beside = [(each, torch.nn.functional.pad(each, (0, 3), value=1 if binary(each) else IGNORED)) for each in others]

    def kept(output: Tensor) -> Tensor:
        whole = output.ndim == 3 and output.shape[1] >= tokens.shape[1]
        return output[:, : tokens.shape[1]][~stands] if whole else output

    if same_when(call, tokens, longer, kept, beside) is False:
        yield Finding(
            "warning",
            "padding-visible",
            f"sequences of {type(call.module).__name__} end with {value} ({int(stands.sum())} of {stands.numel()} "
            "tokens), and what it predicts depends on how often",
            step,
            type(call.module).__name__,
            probe=f"three more {value} were appended to each sequence: outputs for real positions changed",
            certainty=0.8,
        )


@rule("step", "eos-masked", needs="masks")
def end_never_asked(view: View) -> Iterator[Finding]:
    """Each sequence ends with the same token, which the mask counts as real, and no label ever asks for it: it is the
    padding, too, and was taken for that."""
    step = view.step
    if not step or step.number not in LOOKED_AT:
        return
    for call in step.kept:
        tokens, mask, labels = (call.kwargs.get(name) for name in ("input_ids", "attention_mask", "labels"))
        if not isinstance(tokens, Tensor) or not isinstance(mask, Tensor) or not isinstance(labels, Tensor):
            continue
        if tokens.ndim != 2 or not tokens.shape == mask.shape == labels.shape or len(tokens) < FEWEST_ROWS:
            continue
        view.program.notes.masks = True
        real, counted, places = mask.bool(), labels != IGNORED, torch.arange(tokens.shape[1], device=tokens.device)
        last = torch.where(real, places, 0).argmax(1, keepdim=True)
        end = int(tokens.gather(1, last)[0])
        ended = bool((tokens.gather(1, last) == end).all()) and bool(counted.any(1).all())
        padded = bool((~real).any()) and bool((tokens[~real] == end).all())
        copied = float((labels == tokens)[counted].float().mean())  # not classes of tokens, nor what was hidden
        if ended and padded and copied > COPIED and not bool((labels[counted] == end).any()):
            yield Finding(
                "error",
                "eos-masked",
                f"all {len(tokens)} sequences end with token {end}, which the attention mask counts as real; it pads "
                f"them, too, and is the label nowhere: {type(call.module).__name__} never learns to stop",
                step.number,
                type(call.module).__name__,
                certainty=0.95,
            )


@rule("step", "position-unused", needs="tokens", probes=True)
def order_ignored(view: View) -> Iterator[Finding]:
    """A model with attention whose answers are the same when its tokens are put in another order."""
    step = view.step
    if not step or step.number != LOOKED_AT[0]:
        return
    for call in step.kept:
        tokens = [t for t in call.inputs if t.dtype in TOKENS and t.ndim == 2 and t.shape[1] >= 4 and not binary(t)]
        if not tokens or len(call.inputs) > 1 or not attends(call):
            continue
        ordered = torch.nn.RNNBase | torch.nn.modules.conv._ConvNd
        found = tokens[0].sort(1).values
        sets = not bool((found[:, 1:] == found[:, :-1]).any())  # baskets, or a column each: nothing comes twice
        if sets or any(isinstance(module, ordered) for module in call.module.modules()):
            continue
        if turns(call, tokens[0]):
            yield Finding(
                "warning",
                "position-unused",
                f"{type(call.module).__name__} gives the same answers for a sequence and its reverse",
                step.number,
                type(call.module).__name__,
                probe="the tokens were reversed: no answer changed",
                certainty=0.85,
            )
