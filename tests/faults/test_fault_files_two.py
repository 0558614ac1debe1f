"""Faults of gradients, updates, structure, numerics, evaluation and checkpoints: each goes through the loop where it
applies, and changes something."""

from __future__ import annotations

import copy
from dataclasses import replace
from functools import cache
from itertools import islice

import pytest
import torch
from torch import nn

from loopwright.core import SGD, Constant, State, train
from loopwright.core.evaluate import evaluate
from loopwright.core.loop import train_step
from loopwright.errors import NonFiniteError
from loopwright.faults.registry import all_faults, find_fault
from loopwright.faults.seams import last_layer, weighted_layers
from loopwright.protocols import Hook, NoJournal, NoStore
from loopwright.running.registry import find

MLPS = ("points", "digits-mlp")
CLASSES = (*MLPS, "digits-cnn")
DEEP = (*CLASSES, "fsm-ab-star")
ROWS = (*CLASSES, "line")
EVERYWHERE = (*CLASSES, "line", "fsm-ab-star")
LONG = ("digits-mlp", "digits-cnn", "line", "fsm-ab-star")
"""Where an epoch has more than one batch."""

WHERE = {
    "zero-before-step": EVERYWHERE,
    "graph-cut": DEEP,
    "frozen": DEEP,
    "vanishing-gradients": CLASSES,
    "exploding-gradients": CLASSES,
    "clip-too-low": EVERYWHERE,
    "clip-after-step": EVERYWHERE,
    "zeroed-gradient": DEEP,
    "undivided-accumulation": EVERYWHERE,
    "lr-too-large": EVERYWHERE,
    "diverge": EVERYWHERE,
    "lr-too-small": EVERYWHERE,
    "no-step": EVERYWHERE,
    "missing-head": DEEP,
    "stale-optimizer": DEEP,
    "optimizer-rebuilt": EVERYWHERE,
    "schedule-too-fast": EVERYWHERE,
    "weight-decay-too-large": EVERYWHERE,
    "wrong-betas": EVERYWHERE,
    "symmetric-init": DEEP,
    "init-too-large": DEEP,
    "init-too-small": DEEP,
    "dead-relu": CLASSES,
    "missing-activation": DEEP,
    "batch-mixing": CLASSES,
    "untied-weights": ("fsm-ab-star",),
    "fp16-unscaled": EVERYWHERE,
    "non-finite": EVERYWHERE,
    "log-of-zero": CLASSES,
    "bf16-weights": EVERYWHERE,
    "metric-not-reset": EVERYWHERE,
    "partial-evaluation": ROWS,
    "batch-size-dependent-metric": EVERYWHERE,
    "random-evaluation": ROWS,
    "optimizer-not-saved": EVERYWHERE,
    "schedule-not-saved": EVERYWHERE,
    "position-not-saved": LONG,
    "weights-not-restored": DEEP,
}
BREAK = {"exploding-gradients", "diverge", "non-finite"}
"""What ends in an infinite or NaN loss within twelve steps, everywhere."""
MAY_BREAK = {*BREAK, "log-of-zero", "lr-too-large", "init-too-large"}
ON_RESUMING = {"optimizer-not-saved", "schedule-not-saved", "position-not-saved", "weights-not-restored"}
ON_EVALUATING = {"metric-not-reset", "partial-evaluation", "batch-size-dependent-metric", "random-evaluation"}
WITH_LARGE_GRADIENTS = {"clip-after-step"}
"""What makes no difference to gradients below the limit, as those of some experiments are; so weights begin large."""
QUICK = ("points", "digits-mlp", "line")
"""Where each run is made twice."""
PAIRS = [(fault, name) for fault, names in WHERE.items() for name in names]


@cache
def healthy(name, init="default"):
    """An experiment of twelve steps and three evaluations."""
    made = replace(find(name).make(), steps=12, eval_every=4, threads=1, device="cpu", init=init)
    return made.resolved().check()


def injected(fault, name):
    return find_fault(fault).inject(healthy(name, start_of(fault))).check()


def start_of(fault):
    return "naive" if fault in WITH_LARGE_GRADIENTS else "default"


class Seen(Hook):
    """Keeps the evaluations."""

    def __init__(self):
        self.metrics = []

    def on_validation_end(self, step, metrics):
        self.metrics.append({key: repr(value) for key, value in metrics.items()})


def bits(model):
    return {name: tensor.float().numpy().tobytes() for name, tensor in model.state_dict().items()}


def trained(experiment):
    """The weights after the run, all evaluations, and whether it was broken off."""
    state, seen, broke = State.create(experiment), Seen(), False
    try:
        train(experiment, state, journal=NoJournal(), store=NoStore(), hooks=[seen])
    except NonFiniteError:
        broke = True
    return bits(state.model), seen.metrics, broke


@cache
def of_the_twin(name, init):
    return trained(healthy(name, init))


def steps(experiment, state, count):
    """The state after `count` more steps."""
    state.model.train()
    batches = experiment.task.data.batches(experiment.plan(), start=state.step)
    for shards in islice(batches, count):
        train_step(experiment, state, experiment.cadence(), shards)
    return state


def resumed(make):
    """The weights of a run that was stopped in the middle, and gone on with as in another process."""
    experiment = make()
    saved = copy.deepcopy(steps(experiment, State.create(experiment), 6).state_dict())
    other = make()
    state = State.create(other)
    state.load_state_dict(saved)
    return bits(steps(other, state, 6).model)


@pytest.mark.parametrize("fault", WHERE)
def test_a_fault_applies_where_it_can_be_made(fault):
    assert [name for name in EVERYWHERE if find_fault(fault).applies(healthy(name))] == [
        name for name in EVERYWHERE if name in WHERE[fault]
    ]


@pytest.mark.parametrize(("fault", "name"), [pair for pair in PAIRS if pair[0] not in ON_RESUMING])
def test_a_fault_goes_through_the_loop_and_changes_something(fault, name):
    weights, metrics, broke = trained(injected(fault, name))
    theirs, their_metrics, _ = of_the_twin(name, start_of(fault))
    assert broke or fault not in BREAK
    assert not broke or fault in MAY_BREAK
    if fault in ON_EVALUATING:
        assert weights == theirs
        assert all(mine["loss"] != other["loss"] for mine, other in zip(metrics[1:], their_metrics[1:], strict=True))
    else:
        assert broke or weights != theirs
    if name in QUICK:
        assert trained(injected(fault, name)) == (weights, metrics, broke)


@pytest.mark.parametrize(("fault", "name"), [pair for pair in PAIRS if pair[0] in ON_RESUMING])
def test_a_fault_of_checkpoints_shows_when_a_run_is_resumed_and_not_before(fault, name):
    straight, metrics, _ = of_the_twin(name, "default")
    assert resumed(lambda: healthy(name)) == straight
    assert trained(injected(fault, name)) == (straight, metrics, False)
    assert resumed(lambda: injected(fault, name)) != straight
    kept = injected(fault, name)
    assert resumed(lambda: copy.deepcopy(kept)) != straight


def test_all_other_experiments_are_told_apart_without_an_error():
    for name in ("digits-loader", "tabular", "fsm-micro"):
        for fault in WHERE:
            assert find_fault(fault).applies(find(name).make()) in (True, False)


def test_every_fault_has_its_number_and_a_story():
    known = all_faults()
    assert set(WHERE) <= set(known)
    for name in WHERE:
        assert 1 <= known[name].number <= 100
        assert all((known[name].line, known[name].symptom, known[name].why))


def test_what_needs_something_to_lose_does_not_apply_without():
    still = replace(healthy("points"), schedule=Constant(), optimizer=SGD(momentum=0.0), clip_norm=0.0)
    for fault in ("schedule-not-saved", "optimizer-not-saved", "optimizer-rebuilt", "clip-after-step", "wrong-betas"):
        assert not find_fault(fault).applies(still), fault


@pytest.mark.parametrize("fault", ["zero-before-step", "no-step"])
def test_without_a_step_no_weight_moves(fault):
    experiment = injected(fault, "points")
    begun, state = State.create(experiment), State.create(experiment)
    steps(experiment, state, 3)
    assert bits(state.model) == bits(begun.model)


@pytest.mark.parametrize("name", DEEP)
def test_the_head_is_where_the_faults_of_optimizers_say(name):
    state = State.create(injected("stale-optimizer", name))
    held = {id(parameter) for group in state.optimizer.param_groups for parameter in group["params"]}
    head = {id(parameter) for parameter in last_layer(state.model)[1].parameters()}
    rest = {id(parameter) for parameter in state.model.parameters()} - head
    assert not held & head
    assert len(held) == len(rest) + len(head)
    assert {id(parameter) for parameter in state.parameters} == rest | head
    state = State.create(injected("missing-head", name))
    held = {id(parameter) for group in state.optimizer.param_groups for parameter in group["params"]}
    head = {id(parameter) for parameter in last_layer(state.model)[1].parameters()}
    assert held == {id(parameter) for parameter in state.model.parameters()} - head


@pytest.mark.parametrize("name", DEEP)
def test_only_the_last_layer_moves_when_the_rest_is_frozen(name):
    experiment = injected("frozen", name)
    before, state = bits(State.create(experiment).model), State.create(experiment)
    after = bits(steps(experiment, state, 2).model)
    last = weighted_layers(state.model)[-1][0]
    parameters = {key for key, _ in state.model.named_parameters()}
    moved = {key for key in parameters if before[key] != after[key]}
    assert moved == {f"{last}.weight", f"{last}.bias"}


def test_nothing_gets_past_the_cut_and_nothing_into_the_zeroed_layer():
    cut = steps_without_update(injected("graph-cut", "digits-mlp"))
    assert [name for name, norm in cut.items() if norm is None] == [
        f"layers.{number}.{kind}" for number in (1, 4) for kind in ("weight", "bias")
    ]
    zeroed = steps_without_update(injected("zeroed-gradient", "digits-mlp"))
    assert [name for name, norm in zeroed.items() if norm == 0.0] == ["layers.4.weight", "layers.4.bias"]


def steps_without_update(experiment):
    """The norm of each gradient of the first batch."""
    state = State.create(experiment)
    (shard,) = next(iter(experiment.task.data.batches(experiment.plan(), start=0)))
    sum(experiment.task.loss(state.model, shard).values()).backward()
    return {n: None if p.grad is None else float(p.grad.norm()) for n, p in state.model.named_parameters()}


def test_units_are_dead_identical_or_without_activation_where_it_is_said():
    for name in CLASSES:
        model = State.create(injected("dead-relu", name)).model.eval()
        assert len(rectified(model, healthy(name))) >= 2
        assert not any(rectified(model, healthy(name)))
    experiment = injected("symmetric-init", "digits-cnn")
    model = steps(experiment, State.create(experiment), 3).model
    hidden = dict(model.named_modules())["features.0.0"].weight
    assert bool((hidden == hidden[:1]).all())
    model = injected("missing-activation", "digits-mlp").task.model()
    assert [type(part).__name__ for part in model.layers] == ["Flatten"] + 2 * ["Linear", "Identity", "Identity"] + [
        "Linear"
    ]
    model = injected("missing-activation", "digits-cnn").task.model()
    assert sum(isinstance(part, nn.ReLU) for part in model.modules()) == 4


def rectified(model, experiment):
    """For each ReLU whether it lets anything through, of the validation split."""
    found = []
    for part in model.modules():
        if isinstance(part, nn.ReLU):
            part.register_forward_hook(lambda module, given, output: found.append(bool(output.any())))
    evaluate(experiment.task, model, "val")
    return found


def test_samples_of_a_batch_are_mixed():
    model = injected("batch-mixing", "digits-cnn").task.model().eval()
    images = torch.randn(6, 1, 8, 8, generator=torch.Generator().manual_seed(0))
    other = images.clone()
    other[3] += 1
    changed = (model(images) != model(other)).any(1)
    assert int(changed.sum()) > 1


def test_the_head_begins_as_a_copy_and_is_another_tensor():
    model = injected("untied-weights", "fsm-ab-star").task.model()
    assert torch.equal(model.heads.next_weight, model.embedding.u)
    assert model.heads.next_weight is not model.embedding.u
    state = State.create(injected("untied-weights", "fsm-ab-star"))
    assert any(parameter is state.model.heads.next_weight for parameter in state.parameters)


def test_evaluations_are_what_the_faults_say():
    model = State.create(healthy("digits-mlp")).model
    right = evaluate(healthy("digits-mlp").task, model, "val")["loss"]
    running = injected("metric-not-reset", "digits-mlp").task
    losses = [evaluate(running, model, "val")["loss"] for _ in range(3)]
    assert losses == pytest.approx([right, 2 * right, 3 * right], rel=1e-12)  # sums of doubles
    random = injected("random-evaluation", "digits-mlp").task
    assert len({evaluate(random, model, "val")["loss"] for _ in range(3)}) == 3
    few = injected("partial-evaluation", "digits-mlp").task
    assert [len(batch) for batch in few.data.scan("val")] == [20]
    right_ones = evaluate(few, model, "val")["accuracy"] * 20
    assert right_ones == pytest.approx(round(right_ones))
    summed = injected("batch-size-dependent-metric", "line").task
    model = State.create(healthy("line")).model
    right = evaluate(healthy("line").task, model, "val")["loss"]
    assert evaluate(summed, model, "val")["loss"] == pytest.approx(1000 * right, rel=1e-6)  # a float32 sum


def test_a_rebuilt_optimizer_remembers_nothing_and_keeps_to_the_schedule():
    experiment = injected("optimizer-rebuilt", "points")
    state = State.create(experiment)
    before = bits(state.model)
    for number in range(1, 4):
        last = [parameter.detach().clone() for parameter in state.parameters]
        steps(experiment, state, 1)
        assert not state.optimizer.state
        moved = max(float((a.detach() - b).abs().max()) for a, b in zip(state.parameters, last, strict=True))
        # Adam's first step is the rate itself, whatever the gradient; the rate is that of warm-up, 1e-2 * number / 20.
        assert moved == pytest.approx(1e-2 * number / 20, rel=1e-2)
    assert bits(state.model) != before
