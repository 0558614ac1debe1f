from __future__ import annotations

import inspect
import signal

import pytest
import torch
from torch import nn

from loopwright import losses
from loopwright.core import SGD, Adam, AdamW, Interrupt, Muon, Plateau, State, loop, train, train_step
from loopwright.errors import ConfigError, NonFiniteError, UsageError
from loopwright.protocols import Batch, NoJournal, NoStore
from tests.toys import Memory, Order, Records, Toy, bits, run, toy

OPTIMIZERS = [AdamW(lr=0.01), Adam(lr=0.01), SGD(lr=0.05, nesterov=True), Muon()]


@pytest.mark.parametrize("optimizer", OPTIMIZERS, ids=lambda optimizer: type(optimizer).__name__)
def test_the_same_experiment_twice_gives_the_same_bits(optimizer):
    first, second = run(toy(optimizer=optimizer)), run(toy(optimizer=optimizer))
    assert bits(first[0]) == bits(second[0])
    assert first[1].losses() == second[1].losses()
    assert first[1].validations == second[1].validations


def test_another_seed_gives_other_weights():
    assert bits(run(toy())[0]) != bits(run(toy(seed=1))[0])


VARIANTS = {
    "plain": {},
    "ema": {"ema_decay": 0.9},
    "shards": {"shards": 2},
    "muon": {"optimizer": Muon()},
    "plateau": {"schedule": Plateau(factor=0.5, patience=0), "eval_every": 1},
    "patience": {"patience": 3, "eval_every": 1, "epochs": 4},
    "bf16": {"precision": "bf16"},
    "fp16": {"precision": "fp16"},
}


@pytest.mark.parametrize("changes", VARIANTS.values(), ids=VARIANTS.keys())
def test_stopping_at_any_step_and_going_on_gives_the_same_bits(changes):
    experiment = toy(**{"save_every": 1, **changes})
    whole, records, memory = run(experiment)
    losses_ = records.losses()
    assert set(memory.saved) == set(range(whole.step + 1))
    for step, saved in memory.saved.items():
        rest, after, _ = run(experiment, saved)
        assert bits(rest) == bits(whole), step
        assert after.losses() == losses_[step:], step
        assert after.validations == [entry for entry in records.validations if entry[0] > step], step


def test_hooks_journal_store_and_evaluation_change_no_bit():
    watched, bare = run(toy(), hooks=[Order()]), State.create(toy())
    train(toy(), bare, journal=NoJournal(), store=NoStore())
    assert bits(bare) == bits(watched[0])
    rarely = run(toy(eval_every=14))[0]
    assert [entry for entry in bits(rarely) if "progress" not in entry[0]] == [
        entry for entry in bits(bare) if "progress" not in entry[0]
    ]


def test_hooks_are_called_in_order():
    order = Order()
    run(toy(), hooks=[order])
    steps = [f"step {step}" for step in range(1, 15)]
    steps.insert(0, "start 0")
    for place, call in (
        ("step 5", "validation 5"),
        ("step 7", "end 0"),
        ("end 0", "start 1"),
        ("step 10", "validation 10"),
    ):
        steps.insert(steps.index(place) + 1, call)
    assert order.calls == [*steps, "validation 14", "end 1"]


def test_a_resumed_run_calls_each_hook_once_more_only_for_what_is_left():
    _, _, memory = run(toy(save_every=1))
    order = Order()
    run(toy(save_every=1), memory.saved[7], hooks=[order])
    assert order.calls[:2] == ["start 1", "step 8"]


class Recorder:
    """An optimizer that notes what is done, and in which mode the gradients are."""

    def __init__(self, model: nn.Module) -> None:
        self.calls: list[str] = []
        self.inner = torch.optim.SGD(model.parameters(), lr=0.1)
        self.param_groups = self.inner.param_groups
        self.parameter = next(model.parameters())
        self.parameter.register_hook(lambda gradient: self.calls.append("backward"))

    def step(self) -> None:
        self.calls.append(f"step clipped {self.norm() <= 1e-3 * (1 + 1e-6)}")

    def norm(self) -> float:
        return sum(float(p.grad.square().sum()) for g in self.param_groups for p in g["params"]) ** 0.5

    def zero_grad(self, set_to_none: bool = True) -> None:
        self.calls.append("zero_grad")


class Noting(Toy):
    def loss(self, model, batch):
        logits = model(batch["x"])
        self.calls.append("forward")
        total = losses.cross_entropy(logits, batch["label"])
        self.calls.append("loss")
        return {"cross_entropy": total}


def test_a_step_is_forward_loss_backward_clip_step_zero_grad():
    task = Noting()
    experiment = toy(task=task, clip_norm=1e-3)
    state = State.create(experiment)
    state.optimizer = recorder = Recorder(state.model)
    for group in recorder.param_groups:
        group["initial_lr"] = group["lr"]
    object.__setattr__(task, "calls", recorder.calls)
    report = train_step(experiment, state, experiment.cadence(), next(task.data.batches(experiment.plan(), 0)))
    assert recorder.calls == ["forward", "loss", "backward", "step clipped True", "zero_grad"]
    assert report.grad_norm > 1e-3  # what is reported is the norm before clipping


class Plain(Toy):
    def model(self):
        return nn.Linear(4, 2)


def test_accumulated_gradients_equal_those_of_the_whole_batch():
    """Ragged shards too: dividing each shard's mean by the number of shards would be off by per cents."""
    for shards in (2, 3, 5, 8):
        whole, cut = (run(toy(task=Plain(), shards=s, steps=7, optimizer=SGD(lr=0.1)))[0] for s in (1, shards))
        for a, b in zip(whole.model.parameters(), cut.model.parameters(), strict=True):
            # Only the order of additions differs: a few units in the last place after 7 steps.
            torch.testing.assert_close(a, b, rtol=1e-5, atol=1e-6)


def test_a_short_last_batch_counts_its_own_samples():
    _, records, _ = run(toy())
    assert [report.samples for report in records.steps] == [8, 8, 8, 8, 8, 8, 4] * 2


def test_the_loss_of_the_first_step_is_near_chance():
    assert abs(run(toy(task=Plain()))[1].losses()[0] - 0.69) < 0.5


def test_one_batch_can_be_learned_by_heart():
    _, records, _ = run(toy(task=Toy(n=8, dropout=0.0), steps=200, batch_size=8, eval_every=200))
    assert records.losses()[-1] < 0.05 < records.losses()[0]


def test_steps_override_epochs_and_epochs_may_be_broken():
    assert run(toy(steps=3))[0].step == 3
    assert run(toy(epochs=0.5))[0].step == 4


def test_evaluations_come_at_the_interval_and_at_the_end():
    _, records, memory = run(toy())
    assert [step for step, _ in records.validations] == [5, 10, 14]
    assert records.epochs == [(7, 0), (14, 1)]
    assert set(memory.saved) == {0, 5, 10, 14}
    assert [step for step, _ in run(toy(eval_every=None))[1].validations] == [7, 14]


def test_the_best_checkpoint_is_that_of_the_best_evaluation():
    _, records, memory = run(toy(eval_every=1, epochs=4))
    values = [metrics["accuracy"] for _, metrics in records.validations]
    assert memory.best[-1] == max(step for step, value in enumerate(values, start=1) if value == max(values))


def test_patience_ends_a_run_after_so_many_evaluations_without_improvement():
    class Stale(Toy):
        def evaluate(self, model, split):
            return {"accuracy": 0.5}

    experiment = toy(task=Stale(), patience=3, eval_every=1, epochs=100)
    state = State.create(experiment)
    assert train(experiment, state, journal=NoJournal(), store=NoStore()) == "patience"
    assert state.step == 4  # the first evaluation is the best, three more are no better


def test_a_metric_that_is_not_evaluated_is_an_error_with_the_nearest_name():
    with pytest.raises(ConfigError, match="did you mean 'accuracy'"):
        run(toy(metric="acuracy"))


class Poisoned(Toy):
    """Sample 5 is infinite."""

    def loss(self, model, batch: Batch):
        factor = torch.where(batch.samples == 5, torch.inf, 1.0).prod()
        return {"cross_entropy": losses.cross_entropy(model(batch["x"]), batch["label"]) * factor}


def test_an_infinite_loss_stops_the_run_before_the_update_and_names_the_samples():
    experiment = toy(task=Poisoned())
    state = State.create(experiment)
    memory = Memory()
    with pytest.raises(NonFiniteError) as caught:
        train(experiment, state, journal=Records(), store=memory)
    message = str(caught.value)
    assert f"step {state.step + 1}: loss cross_entropy inf" in message
    assert "0.weight" in message
    assert "5" in message.partition("samples of the batch: ")[2].partition(";")[0].split(", ")
    assert all(bool(parameter.isfinite().all()) for parameter in state.model.parameters())


def test_components_without_a_weight_are_an_error_that_names_both():
    class Misnamed(Toy):
        def loss(self, model, batch):
            return {"ce": losses.cross_entropy(model(batch["x"]), batch["label"])}

    with pytest.raises(UsageError, match=r"returned \['ce'\], its batches weigh \['cross_entropy'\]"):
        run(toy(task=Misnamed()))


@pytest.mark.parametrize("shape", [(8,), (1,), None])
def test_a_loss_that_is_no_sum_is_an_error_that_names_the_component(shape):
    class Wrong(Toy):
        def loss(self, model, batch):
            return {"cross_entropy": 1.0 if shape is None else model(batch["x"]).sum().expand(shape)}

    with pytest.raises(UsageError, match=r"component 'cross_entropy' is a .*; it must be a sum"):
        run(toy(task=Wrong()))


class Killing(Toy):
    """A signal arrives during the third evaluation."""

    def evaluate(self, model, split):
        object.__setattr__(self, "count", getattr(self, "count", 0) + 1)
        if self.count == 3:
            signal.raise_signal(signal.SIGTERM)
        return super().evaluate(model, split)


def test_a_signal_during_an_evaluation_leaves_it_and_the_resumed_run_does_it_again():
    experiment = toy(eval_every=2, save_every=100)
    whole, records, _ = run(experiment)
    killed = toy(eval_every=2, save_every=100, task=Killing())
    state, memory, early = State.create(killed), Memory(), Records()
    with Interrupt() as interrupt:
        ended = train(killed, state, journal=early, store=memory, interrupt=interrupt)
    assert ended == "interrupt"
    assert (state.step, state.closed) == (6, 5)
    rest, late, _ = run(experiment, memory.saved[6])
    assert bits(rest) == bits(whole)
    assert early.validations + late.validations == records.validations


def test_the_loop_keeps_its_line_budget():
    """`train` and `train_step` stay readable in one screen; lines of the body without docstring and blanks."""
    for function, budget in ((loop.train, 30), (loop.train_step, 45)):
        source = inspect.getsource(function)
        body = source.replace(inspect.getdoc(function) or "", "").splitlines()
        code = [line for line in body if line.strip() and not line.strip().startswith('"""')]
        assert len(code) <= budget, (function.__name__, len(code))


def test_the_words_of_the_step_stand_in_their_order():
    source = inspect.getsource(loop.train_step)
    places = [source.index(word) for word in (".loss(", ".backward()", "clip(", "scaler.step(", ".zero_grad(")]
    assert places == sorted(places)
