"""Faults of data, targets, masks, losses and modes: each goes through the loop where it applies, and changes it."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from itertools import islice

import pytest
import torch

from loopwright.core import State, train
from loopwright.errors import NonFiniteError
from loopwright.experiments.regular import GRU
from loopwright.faults.registry import all_faults, find_fault
from loopwright.protocols import Hook, NoJournal, NoStore, Plan
from loopwright.running.registry import find

FEW = ("digits-mlp", "digits-cnn")
CLASSES = ("points", *FEW)
FLOATS = (*CLASSES, "line")
SEQUENCES = ("fsm-ab-star",)
EVERYWHERE = (*FLOATS, *SEQUENCES)
BATCHES = (*FEW, "line", *SEQUENCES)
"""Where an epoch has more than two batches."""

WHERE = {
    "no-shuffle": FEW,
    "same-order": BATCHES,
    "unscaled-input": FLOATS,
    "split-preprocessing": FLOATS,
    "split-overlap": EVERYWHERE,
    "fitted-on-all": CLASSES,
    "label-leak": FEW,
    "constant-input": FLOATS,
    "broken-rows": FLOATS,
    "random-validation": FLOATS,
    "partial-epoch": BATCHES,
    "class-imbalance": CLASSES,
    "random-labels": EVERYWHERE,
    "shifted-labels": FLOATS,
    "unshifted-targets": SEQUENCES,
    "double-shift": SEQUENCES,
    "target-broadcast": ("line",),
    "unscaled-target": ("line",),
    "future-visible": SEQUENCES,
    "mask-inverted": SEQUENCES,
    "mask-off-by-one": SEQUENCES,
    "padding-in-loss": SEQUENCES,
    "nothing-supervised": SEQUENCES,
    "double-softmax": (*CLASSES, *SEQUENCES),
    "wrong-loss": CLASSES,
    "final-activation": (*CLASSES, *SEQUENCES),
    "eval-mode-missing": FEW,
    "mixed-mode": ("digits-cnn",),
    "batch-statistics": ("digits-cnn",),
    "dropout-too-high": (*CLASSES, *SEQUENCES),
}
BREAKS = {"broken-rows"}
LATE = {"same-order"}
"""What begins with the second epoch."""
PAIRS = [(fault, name) for fault, names in WHERE.items() for name in names]


@cache
def healthy(name, epochs=False):
    """An experiment of twelve steps, with `epochs` in batches so large that these are two epochs and more."""
    made = find(name).make()
    if epochs and name in SEQUENCES:
        made = replace(made, task=replace(made.task, corpus=replace(made.task.corpus, accepted=150, rejected=150)))
    batch_size = made.task.data.size("train") // 4 if epochs else made.batch_size
    return replace(made, steps=12, threads=1, device="cpu", batch_size=batch_size).resolved().check()


class Seen(Hook):
    """Keeps the last evaluation."""

    def on_validation_end(self, step, metrics):
        self.metrics = {key: repr(value) for key, value in metrics.items()}


def trained(experiment):
    """The weights after the run, and the last evaluation."""
    state, seen = State.create(experiment), Seen()
    train(experiment, state, journal=NoJournal(), store=NoStore(), hooks=[seen])
    return [tensor.numpy().tobytes() for tensor in state.model.state_dict().values()], seen.metrics


@cache
def of_the_twin(name, epochs):
    return trained(healthy(name, epochs))


def injected(fault, name, epochs=False):
    return find_fault(fault).inject(healthy(name, epochs)).check()


@pytest.mark.parametrize("fault", WHERE)
def test_a_fault_applies_where_it_can_be_made(fault):
    assert [name for name in EVERYWHERE if find_fault(fault).applies(healthy(name))] == [
        name for name in EVERYWHERE if name in WHERE[fault]
    ]


@pytest.mark.parametrize(("fault", "name"), PAIRS)
def test_a_fault_goes_through_the_loop_and_changes_something(fault, name):
    if fault in BREAKS:
        with pytest.raises(NonFiniteError):
            trained(injected(fault, name))
        return
    epochs = fault in LATE
    once = trained(injected(fault, name, epochs))
    assert once != of_the_twin(name, epochs)
    assert once == trained(injected(fault, name, epochs))


def test_other_kinds_of_experiments_are_told_apart():
    """Samples that are not in memory, a table without constant columns, a network without attention or dropout."""
    loader, table = find("digits-loader").make(), find("tabular").make()
    recurrent = healthy("fsm-ab-star")
    recurrent = replace(recurrent, task=replace(recurrent.task, network=GRU))
    assert [fault for fault in WHERE if find_fault(fault).applies(loader)] == [
        "same-order",
        "partial-epoch",
        "eval-mode-missing",
        "mixed-mode",
        "batch-statistics",
        "dropout-too-high",
    ]
    on_images = {fault for fault in WHERE if "digits-mlp" in WHERE[fault]}
    assert {fault for fault in WHERE if find_fault(fault).applies(table)} == on_images - {"label-leak"}
    unmasked = {fault for fault in WHERE if "fsm-ab-star" in WHERE[fault]}
    assert {fault for fault in WHERE if find_fault(fault).applies(recurrent)} == unmasked - {
        "future-visible",
        "mask-inverted",
        "mask-off-by-one",
    }


def test_every_fault_has_its_number_and_a_story():
    known = all_faults()
    assert set(WHERE) <= set(known)
    for name in WHERE:
        assert 1 <= known[name].number <= 100
        assert all((known[name].line, known[name].symptom, known[name].why))


def batches(experiment, start, count, **plan):
    made = experiment.task.data.batches(replace(experiment.plan(), **plan), start)
    return [[(batch.samples.tolist(), dict(batch.weights)) for batch in shards] for shards in islice(made, count)]


@pytest.mark.parametrize(
    "fault", ["same-order", "partial-epoch", "nothing-supervised", "no-shuffle", "padding-in-loss"]
)
def test_a_step_has_the_same_samples_wherever_a_run_begins(fault):
    experiment = injected(fault, WHERE[fault][-1], True)
    whole = batches(experiment, 0, 12)
    assert [batches(experiment, step, 1)[0] for step in range(12)] == whole
    assert batches(experiment, 5, 7) == whole[5:]


def test_the_order_of_epochs_is_what_the_fault_says():
    same, steps = injected("same-order", "line", True), 4
    assert batches(same, 0, steps) == batches(same, steps, steps)
    assert batches(healthy("line", True), 0, steps) != batches(healthy("line", True), steps, steps)
    assert len({str(batch) for batch in batches(injected("partial-epoch", "line", True), 0, 12)}) == 2
    sorted_ = injected("no-shuffle", "digits-mlp")
    steps = next(iter(sorted_.task.data.batches(sorted_.plan(), 0)))
    assert steps[0]["label"].unique().tolist() == [0]


def test_what_the_loss_is_divided_by_follows_the_mask():
    full, starved = injected("padding-in-loss", "fsm-ab-star"), injected("nothing-supervised", "fsm-ab-star")
    for shards in islice(full.task.data.batches(full.plan(), 0), 3):
        assert set(shards[0].weights.values()) == {float(shards[0]["tokens"].numel())}
    for shards in islice(starved.task.data.batches(replace(starved.plan(), shards=2), 0), 3):
        assert [set(shard.weights.values()) for shard in shards] == [{1.0}, {1.0}]


def test_nothing_but_what_is_named_is_changed_in_the_splits():
    for fault, changed in {
        "split-preprocessing": {"val", "test"},
        "split-overlap": {"val"},
        "broken-rows": {"train"},
        "unscaled-input": {"train", "val", "test"},
        "random-labels": {"train"},
        "shifted-labels": {"train"},
    }.items():
        before, after = healthy("line").task.data.splits, injected(fault, "line").task.data.splits
        found = {
            split for split in before if any(not torch.equal(before[split][key], after[split][key]) for key in "xy")
        }
        assert found == changed, fault


REACH = {"future-visible": [0, 1, 2, 3, 4], "mask-off-by-one": [2, 3, 4], "mask-inverted": [0, 1, 2, 3]}
"""The positions of five whose outputs one layer lets depend on the token at position 3."""


@pytest.mark.parametrize("fault", REACH)
def test_attention_sees_what_the_fault_says_and_no_padding(fault):
    experiment = healthy("fsm-ab-star")
    network = replace(experiment.task.network, layers=1)
    torch.manual_seed(0)
    faulty = find_fault(fault).inject(replace(experiment, task=replace(experiment.task, network=network)))
    model = faulty.task.model().eval()
    tokens = torch.tensor([[1, 3, 4, 3, 2, 0]])
    mask = torch.tensor([[True] * 5 + [False]])
    before = model(tokens, mask).next[0]

    def moved(position, token):
        other = tokens.clone()
        other[0, position] = token
        return [t for t in range(5) if not torch.equal(model(other, mask).next[0, t], before[t])]

    assert moved(3, 4) == REACH[fault]
    assert moved(5, 4) == []


def test_plans_of_several_shards_are_obeyed():
    experiment = injected("same-order", "line")
    shards = next(iter(experiment.task.data.batches(Plan(seed=0, batch_size=32, shards=2), 0)))
    assert [len(shard) for shard in shards] == [16, 16]
