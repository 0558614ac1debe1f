"""The samples: their order, what the splits share, how they are scaled, and whether labels belong to inputs."""

from __future__ import annotations

import math
from collections.abc import Iterator

import torch
from torch import Tensor

from loopwright.checking.check import NotApplicableError, Told, check
from loopwright.checking.subject import Subject, pad
from loopwright.data.sequences import LENGTH
from loopwright.doctor.finding import Finding
from loopwright.doctor.measures import bits, rows
from loopwright.doctor.neighbors import KNOWN, agree, fitted_together, mispaired, share_of_same, standardized, sums_of
from loopwright.doctor.rules.leaks import leaking_column
from loopwright.doctor.rules.tokens import agreement
from loopwright.protocols import Split

BITS = 40
"""Inputs of more bits than this do not coincide by chance."""


@check("every epoch has all samples, in a new order")
def order(subject: Subject, told: Told) -> Iterator[Finding]:
    """The numbers of the samples of the first two epochs."""
    size, plan = subject.experiment.task.data.size("train"), subject.experiment.plan()
    if subject.per_epoch < 2:
        raise NotApplicableError("an epoch is a single batch")
    first, second = subject.order
    told.text = f"{len(set(first))} of {size} samples in {min(subject.per_epoch, 400)} steps"
    seen = min(size, 400 * plan.batch_size)
    if len(set(first) | set(second)) < 0.9 * seen:
        yield Finding(
            "error",
            "partial-epoch",
            f"two epochs show {len(set(first) | set(second))} different samples of {size}",
            0,
            certainty=0.95,
        )
    elif first == second and plan.shuffle:
        yield Finding(
            "error", "same-order", f"{len(first)} samples come in the same order in both epochs", 0, certainty=0.95
        )
    yield from sorted_by_label(subject)


def sorted_by_label(subject: Subject) -> Iterator[Finding]:
    """Whether batches hold one label each."""
    labels = subject.tables["train"].labels
    if labels is None:
        return
    size = subject.experiment.batch_size
    numbers = [n for n in subject.order[0] if n < len(labels)]
    batches = [labels[numbers[i : i + size]] for i in range(0, len(numbers) - size + 1, size)]
    kinds = len(labels.unique())
    found = [len(batch.unique()) for batch in batches]
    if len(batches) >= 3 and kinds >= 2 and size >= 8 and sum(found) / len(found) <= max(1.0, 0.35 * kinds):
        yield Finding(
            "error",
            "no-shuffle",
            f"a batch of {size} holds {sum(found) / len(found):.2g} of {kinds} labels on average",
            0,
            certainty=0.93,
        )


@check("training and validation share no sample")
def overlap(subject: Subject, told: Told) -> Iterator[Finding]:
    """Rows that stand in both, bit for bit."""
    name = keys(subject)
    tensors = [subject.tables[split].tensors[name] for split in ("train", "val")]
    if not tensors[0].is_floating_point() and tensors[0].ndim == 2:
        width = max(tensor.shape[1] for tensor in tensors)
        tensors = [pad(tensor, width) for tensor in tensors]
    train, val = (rows(tensor) for tensor in tensors)
    known = set(train)
    shared = sum(row in known for row in val)
    told.text = f"{shared} of {len(val)} validation inputs are in training"
    # Where samples are few and small they coincide by chance, and do so within a split, too.
    chance = bits(tensors[0]) <= BITS and (len(known) < len(train) or shared <= 0.2 * len(val) or len(val) < 16)
    if shared > 0.01 * len(val) and not chance:
        yield Finding("error", "split-overlap", f"{told.text}, bit for bit", 0, certainty=0.95 if shared > 3 else 0.7)


def keys(subject: Subject) -> str:
    """The name of the tensor that tells samples apart: the one with the most numbers a sample."""
    train, val = (subject.tables[split].tensors for split in ("train", "val"))
    same = {
        name: train[name][0].numel()
        for name in sorted(train.keys() & val.keys())
        if not train[name].is_floating_point() or train[name].shape[1:] == val[name].shape[1:]
    }
    if not same or max(same.values()) < 2:
        raise NotApplicableError("the samples have no tensor that tells them apart")
    floats = [name for name in same if train[name].is_floating_point()]
    if "tokens" in same:
        return "tokens"
    return max(floats or same, key=lambda name: same[name])


@check("both splits are preprocessed alike")
def preprocessing(subject: Subject, told: Told) -> Iterator[Finding]:
    """Mean and deviation of the inputs of training and validation; what the scaling was fitted on."""
    train, val = (subject.tables[split].inputs for split in ("train", "val"))
    if train is None or val is None or not bool(train.isfinite().all() and val.isfinite().all()):
        raise NotApplicableError("the model is given no float tensor, or not all of it is finite")
    (std, mean), (other_std, other_mean) = (torch.std_mean(split) for split in (train, val))
    told.text = f"mean {mean:.3g} and {other_mean:.3g}, deviation {std:.3g} and {other_std:.3g}"
    noise = 6 / math.sqrt(min(len(train), len(val)))
    if abs(other_mean - mean) > (0.3 + noise) * std or not 1 / (1.6 + noise) < other_std / (std + 1e-12) < 1.6 + noise:
        yield Finding("error", "split-preprocessing", told.text + " (training and validation)", 0, certainty=0.9)
        return
    yield from fitted_on_all(subject, train, val)


def fitted_on_all(subject: Subject, train: Tensor, val: Tensor) -> Iterator[Finding]:
    """Whether what scales the columns was fitted on validation, or on validation and test, too."""
    data = subject.experiment.task.data
    if len(train) < data.size("train") or data.size("val") > len(val):
        return
    test = subject.table("test").inputs if data.size("test") else None
    yield from fitted_together(train, [sums_of(each) for each in (val, test) if each is not None])


@check("inputs and labels are sound")
def statistics(subject: Subject, told: Told) -> Iterator[Finding]:
    """Finite, not constant, scaled; labels of more than one kind that no single input tells."""
    table = subject.tables["train"]
    inputs, labels = table.inputs, table.labels
    if inputs is None and labels is None:
        raise NotApplicableError("the model is given no float tensor, and the loss no label for each sample")
    if inputs is not None:
        broken = int((~inputs.isfinite()).any(1).sum())
        told.text = f"inputs from {float(inputs.min()):.3g} to {float(inputs.max()):.3g}"
        if broken:
            yield Finding(
                "error", "non-finite-input", f"{broken} of {len(inputs)} inputs hold NaN or infinity", 0, certainty=0.97
            )
        elif bool((inputs == inputs[:1]).all()):
            yield Finding("error", "constant-input", f"all {len(inputs)} inputs are the same", 0, certainty=0.97)
    if labels is not None:
        found, counts = labels.unique(return_counts=True)
        share = float(counts.max() / counts.sum())
        told.text += f"; {len(found)} labels, the most frequent {share:.0%}"
        if len(found) > 1 and share > 0.9:
            yield Finding(
                "warning",
                "class-imbalance",
                f"label {int(found[counts.argmax()])} is {share:.1%} of {len(labels)} samples",
                0,
                certainty=0.8,
            )
        column = leaking_column(inputs, labels) if inputs is not None else None
        if column is not None:
            yield Finding(
                "error",
                "label-leak",
                f"number {column} of each input tells the label: one value for each label in all {len(labels)} samples",
                0,
                certainty=0.95,
            )


@check("labels belong to their inputs")
def pairing(subject: Subject, told: Told) -> Iterator[Finding]:
    """Do nearest neighbors share a label, with the labels as they are, and moved by one place?"""
    if subject.tables["train"].labels is None and subject.tables["train"].numbers is None:
        yield from pairing_of_tokens(subject, told)
        return
    train, val = (known(subject, split) for split in ("train", "val"))
    told.text = f"nearest neighbors agree in {agree(*train):.0%} ({share_of_same(train[1]):.0%} by chance)"
    yield from mispaired(train, val)


def known(subject: Subject, split: Split) -> tuple[Tensor, Tensor]:
    """Inputs (N, F) and labels (N,) or numbers (N, M) of a split, for neighbors to be looked up."""
    table, whole = subject.tables[split], subject.tables["train"].inputs
    asked = table.labels if table.labels is not None else table.numbers
    if table.inputs is None or whole is None or asked is None or len(asked) < 32:
        raise NotApplicableError("the samples have no float input and one target each, or there are few")
    return standardized(table.inputs[:KNOWN], whole), asked[:KNOWN]


def pairing_of_tokens(subject: Subject, told: Told) -> Iterator[Finding]:
    """Are the next tokens of training the next tokens, as those of validation are?"""
    train, val = (subject.tables[split].tensors for split in ("train", "val"))
    if LENGTH not in train or "tokens" not in train:
        raise NotApplicableError("the samples have neither one label each nor tokens")
    for name in sorted(train):
        if name == "tokens" or train[name].shape != train["tokens"].shape or train[name].dtype != torch.int64:
            continue
        of = [agreement_of(tensors, name) for tensors in (train, val)]
        told.text = f"{name} is the next token in {of[0]:.0%} of training and {of[1]:.0%} of validation"
        if of[1] > 0.95 and of[0] < 0.9:
            yield Finding("error", "random-labels", told.text, 0, certainty=0.93)
        if of[1] > 0.95:
            return


def agreement_of(tensors: dict[str, Tensor], name: str) -> float:
    """The share of targets that are the following token."""
    tokens = tensors["tokens"]
    lengths = tensors[LENGTH]
    real = torch.arange(tokens.shape[1]) < (lengths - 1)[:, None]
    return agreement(tokens, tensors[name], real, 1)
