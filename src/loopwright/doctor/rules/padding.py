"""Sequences of unequal lengths: where their padding stands, whether it counts, and who sees it."""

from __future__ import annotations

from collections.abc import Iterator
from inspect import signature

import torch
from torch import Tensor

from loopwright.doctor.finding import Finding
from loopwright.doctor.probes import positions, same_when
from loopwright.doctor.records import Call, LossCall
from loopwright.doctor.rule import View, rule
from loopwright.doctor.rules.tokens import LOOKED_AT, TOKENS, aligned, attends, binary

IGNORED = -100
FEWEST_ROWS = 4
COPIED = 0.9
KINDS = 64


def padding(call: Call, tokens: Tensor) -> tuple[Tensor, int, str] | None:
    """Where padding stands in tokens (B, T), its id, and what told the call so: a `mask`, `lengths`, or nothing."""
    told = [t for t in call.inputs if t is not tokens and t.shape == tokens.shape and binary(t)]
    lengths = [t for t in call.inputs if t.ndim == 1 and len(t) == len(tokens) and t.dtype in TOKENS]
    embeddings = [m for m in call.module.modules() if isinstance(m, torch.nn.Embedding) and m.padding_idx is not None]
    known = {int(m.padding_idx) for m in embeddings if m.padding_idx is not None}
    for value in sorted({*known, *tokens[:, -1].unique().tolist()}):
        stands = trailing(tokens, value)
        if stands is None:
            continue
        masked = any(torch.equal(mask.bool(), stands) or torch.equal(mask.bool(), ~stands) for mask in told)
        counted = any(torch.equal(length.to(stands.device), (~stands).sum(1)) for length in lengths)
        if masked or counted or value in known:
            return stands, value, "mask" if masked else "lengths" if counted else ""
    return None


def untold(call: Call, tokens: Tensor, value: int) -> bool:
    """Whether `value`, which ends tokens (B, T), is an embedding's padding, and the mask that the model takes is not
    given or is 1 throughout."""
    known = {m.padding_idx for m in call.module.modules() if isinstance(m, torch.nn.Embedding)}
    masks = [t for t in call.inputs if t is not tokens and t.shape == tokens.shape and binary(t)]
    takes = bool(masks) or "attention_mask" in signature(call.module.forward).parameters
    return value in known and takes and all(bool(mask.bool().all()) for mask in masks)


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
            yield from counted_padding(step.number, found[0], found[1], step.kept_losses)
            if found[2] == "mask":
                yield from seen_padding(step.number, call, tokens, found[0])
            elif found[2] or (attends(call) and len(call.inputs) == 1) or untold(call, tokens, found[1]):
                yield from more_padding(step.number, call, tokens, found[0], found[1])
            break


def counted_padding(step: int, stands: Tensor, value: int, losses: list[LossCall]) -> Iterator[Finding]:
    """Targets at padded positions that are not ignored, and are no class of their own."""
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
        kinds = flat[padded_targets & counted].unique().tolist()
        usual = kinds == [value] or bool(kinds and (flat[~padded_targets] == kinds[0]).any())
        # The one behind a sequence's end may be its end sign.
        if all_counted and wrong - len(stands) > 0.05 * all_counted and len(kinds) == 1 and usual:
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
    if any(isinstance(module, torch.nn.modules.conv._ConvNd) for module in call.module.modules()):
        return  # which sees where a sequence ends
    longer = torch.nn.functional.pad(tokens, (0, 3), value=value)
    others = [tensor for tensor in call.inputs if tensor is not tokens and tensor.shape == tokens.shape]
    beside = [(each, torch.nn.functional.pad(each, (0, 3), value=1 if binary(each) else IGNORED)) for each in others]

    def kept(output: Tensor) -> Tensor:
        whole = output.ndim == 3 and output.shape[1] >= tokens.shape[1]
        return output[:, : tokens.shape[1]][~stands] if whole else output

    said = f"three more {value} were appended to each sequence: outputs for real positions changed"
    same = same_when(call, tokens, longer, kept, beside)
    most = int((~stands).sum(1).max())
    if same and most < tokens.shape[1]:  # it may be forgotten: is it so without the columns of padding?

        def of_samples(output: Tensor) -> Tensor:
            return output if positions(output, tokens) is None and output.ndim < 3 else output[:0]

        same = same_when(call, tokens, tokens[:, :most], of_samples, [(each, each[:, :most]) for each in others])
        said = f"the {tokens.shape[1] - most} columns that hold nothing but {value} were cut off: outputs changed"
    if same is False:
        yield Finding(
            "warning",
            "padding-visible",
            f"sequences of {type(call.module).__name__} end with {value} ({int(stands.sum())} of {stands.numel()} "
            "tokens), and what it predicts depends on how often",
            step,
            type(call.module).__name__,
            probe=said,
            certainty=0.8,
        )


@rule("step", "prompt-trained", needs="tokens")
def prompt_asked_for(view: View) -> Iterator[Finding]:
    """Of sequences whose next tokens are asked for, the first part counts in the loss, and the rest, which is no
    padding, does not."""
    step = view.step
    if not step or step.number not in LOOKED_AT:
        return
    for found in aligned(view):
        if found.axis != 1 or found.ahead != 1:
            continue
        asked = found.loss.target.detach().reshape(len(found.tokens), -1)
        width = asked.shape[1]
        if width < found.tokens.shape[1] - 1:
            continue
        counts = asked != found.loss.options.get("ignore_index", IGNORED)
        first = bool(counts[:, 0].all()) and bool((counts.long().diff(dim=1) <= 0).all())
        left = ~counts
        if not first or not bool(left.any()):
            continue
        tokens = found.tokens[:, found.tokens.shape[1] - width :]
        kinds = torch.stack([(left & (tokens == value)).any(1) for value in tokens[left].unique()[:KINDS]]).sum(0)
        varied = len(counts.sum(1).unique()) > 1  # else sequences may grow
        if varied and float((kinds >= 3).float().mean()) > COPIED:
            yield Finding(
                "warning",
                "prompt-trained",
                f"in all {len(tokens)} sequences the first {float(counts.sum(1).float().mean()):.1f} targets count "
                f"(mean), and {float(left.sum(1).float().mean()):.1f} behind them, of several kinds, do not",
                step.number,
                type(found.call.module).__name__,
                certainty=0.9,
            )
            return


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
