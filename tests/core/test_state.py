from __future__ import annotations

from dataclasses import replace
from functools import cached_property

import pytest
import torch
from torch import nn

from loopwright.core import SGD, AdamW, Claim, Muon, State, Study
from loopwright.core.experiment import resolve_device
from loopwright.core.progress import Progress
from loopwright.errors import CheckpointError, ConfigError, DataError, UsageError
from tests.toys import Toy, bits, run, toy


class Blind(Toy):
    """Has no validation split."""

    @cached_property
    def data(self):
        whole = Toy().data
        return replace(whole, splits={"train": whole.splits["train"]})


def test_the_same_seed_draws_the_same_weights_whatever_was_drawn_before():
    first = State.create(toy())
    torch.rand(7)
    assert bits(State.create(toy())) == bits(first)


def test_a_checkpoint_of_another_model_is_refused_key_by_key():
    class Other(Toy):
        def model(self):
            return nn.Sequential(
                nn.Linear(4, 8), nn.Identity(), nn.ReLU(), nn.Dropout(), nn.Linear(8, 2), nn.Linear(2, 2)
            )

    with pytest.raises(CheckpointError) as caught:
        State.create(toy()).load_state_dict(State.create(toy(task=Other())).state_dict(), "other.pt")
    message = str(caught.value)
    assert "other.pt belongs to another model" in message
    assert "missing: 1.weight (16,)" in message
    assert "unexpected: 5.weight (2, 2)" in message
    assert "shape: 0.weight is (8, 4) in the checkpoint, (16, 4) in the model" in message


def test_a_state_that_lacks_a_part_is_refused():
    saved = State.create(toy()).state_dict()
    del saved["scaler"]
    with pytest.raises(CheckpointError, match=r"last.pt has no scaler; it is not the state of a run"):
        State.create(toy()).load_state_dict(saved, "last.pt")


def test_the_average_starts_as_the_weights_and_follows_them():
    state, _, _ = run(toy(ema_decay=0.5))
    pairs = list(zip(state.model.parameters(), state.average.module.parameters(), strict=True))
    assert any(not torch.equal(a, b) for a, b in pairs)
    assert all((a - b).abs().max() < 0.1 for a, b in pairs)
    for a, b in zip(state.model.buffers(), state.average.module.buffers(), strict=True):
        assert torch.equal(a, b)


def test_the_average_is_the_formula_in_its_docstring():
    one, two = run(toy(ema_decay=0.9, steps=1))[0], run(toy(ema_decay=0.9, steps=2))[0]
    first, second = next(one.model.parameters()), next(two.model.parameters())
    found = next(two.average.module.parameters())
    decay = 2 / 11
    # lerp rounds once more than this expression
    torch.testing.assert_close(found, decay * first + (1 - decay) * second, rtol=1e-6, atol=1e-7)


def test_progress_tells_the_best_from_what_counts_for_patience():
    progress = Progress()
    for step, value in enumerate((0.5, 0.52, 0.58, 0.61, 0.6, float("nan")), start=1):
        progress = progress.after(value, step=step, mode="max", min_delta=0.1)
    assert (progress.best, progress.best_step) == (0.61, 4)
    assert (progress.reference, progress.stale) == (0.61, 2)
    assert progress.exhausted(2)
    assert not progress.exhausted(3)
    assert not progress.exhausted(None)


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"batch_size": 53}, DataError, r"batch_size 53 is larger than the training split \(52 samples\)"),
        ({"batch_size": 0}, ConfigError, "batch_size: received 0, it must be at least 1"),
        ({"shards": 9}, ConfigError, "shards: received 9, it must be at most batch_size, 8"),
        ({"steps": 0}, ConfigError, "steps: received 0"),
        ({"epochs": 0.0}, ConfigError, "epochs: received 0.0, it must be above 0"),
        ({"ema_decay": 1.0}, ConfigError, r"ema_decay: received 1.0, it must be in \[0, 1\)"),
        ({"clip_norm": -1.0}, ConfigError, "clip_norm"),
        ({"seed": -1}, ConfigError, "seed"),
        ({"seed": 2**63}, ConfigError, "seed"),
        ({"epochs": float("inf")}, ConfigError, "epochs: received inf"),
        ({"threads": -1}, ConfigError, "threads: received -1"),
        ({"threads": 10**4}, ConfigError, "threads: received 10000"),
        ({"task": Blind()}, DataError, "the validation split is empty"),
    ],
)
def test_an_experiment_that_cannot_run_says_why(changes, error, message):
    with pytest.raises(error, match=message):
        toy(**changes).check()


def test_auto_takes_what_the_machine_has_and_what_it_has_not_is_an_error():
    assert resolve_device("auto") == ("cuda" if torch.cuda.is_available() else "cpu")
    with pytest.raises(ConfigError, match="received 'tpu', this machine has"):
        resolve_device("tpu")
    resolved = toy(device="auto", threads=0).resolved()
    assert resolved.threads >= 1
    assert resolved.device != "auto"


def test_a_claim_holds_within_its_bounds_and_never_for_nan():
    claim = Claim("test.best.accuracy", at_least=0.9, at_most=1.0)
    assert claim.holds(0.9)
    assert not claim.holds(0.89)
    assert not claim.holds(float("nan"))


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:`torch.jit.script_method` is deprecated")  # torch's own, while it compiles
def test_a_compiled_run_repeats_and_resumes_with_the_same_bits():
    experiment = toy(compile=True, save_every=1)
    whole, records, memory = run(experiment)
    rest, after, _ = run(experiment, memory.saved[5])
    assert bits(rest) == bits(whole)
    assert after.losses() == records.losses()[5:]
    # Fused kernels round differently: the same losses to a per mille over 14 steps.
    plain, fused = (run(toy(compile=c, task=Toy(dropout=0.0)))[1].losses() for c in (False, True))
    assert fused == pytest.approx(plain, rel=1e-3)


@pytest.mark.filterwarnings("ignore:`torch.jit.script_method` is deprecated")
def test_a_compiled_model_shares_its_parameters_with_the_plain_one():
    state = State.create(toy(compile=True))
    assert state.forward is not state.model
    assert {id(p) for p in state.forward.parameters()} == {id(p) for p in state.model.parameters()}


def test_a_study_knows_its_members_by_name():
    study = Study("two", (toy(), toy(name="other")), lambda results, directory: None)
    assert study.member("other").name == "other"
    with pytest.raises(UsageError, match="study two: no member 'othr', did you mean 'other'"):
        study.member("othr")


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs CUDA")
@pytest.mark.parametrize("precision", ["fp32", "fp32-fast", "bf16", "fp16"])
def test_a_run_on_cuda_repeats_and_resumes_with_the_same_bits(precision):
    experiment = toy(device="cuda", precision=precision, save_every=1)
    whole, records, memory = run(experiment)
    rest, _, _ = run(experiment, memory.saved[5])
    pairs = zip(whole.model.state_dict().values(), rest.model.state_dict().values(), strict=True)
    assert all(torch.equal(a, b) for a, b in pairs)
    cpu = run(toy(precision="fp32"))[1].losses()
    # Other kernels, other roundings: the same losses to a per cent over 14 steps.
    assert records.losses() == pytest.approx(cpu, rel=0.05, abs=0.02)


def forged(state: State, key: str, value: object) -> dict[str, object]:
    """What `state` saves, with something else at the dotted path `key`."""
    saved = state.state_dict()
    *path, last = key.split(".")
    place = saved
    for name in path:
        place[name] = dict(place[name])
        place = place[name]
    place[last] = value
    return saved


@pytest.mark.parametrize(
    ("key", "value", "reason"),
    [
        ("step", "3", "a whole number is expected, not a str"),
        ("step", -1, "a whole number is expected, not a int"),
        ("closed", True, "a whole number is expected, not a bool"),
        ("step", 2**80, "a whole number is expected"),
        ("progress.best_step", -5, "a whole number is expected"),
        ("progress.best", "nan", "best: a number is expected, not a str"),
        ("progress.evil", 1, "unexpected keyword"),
        ("progress", None, "must be a mapping"),
        ("rate.factor", [1], "factor: a number is expected, not a list"),
        ("average", None, "is not the state of a run"),
        ("optimizer", None, "does not fit this"),
        ("optimizer.state", [], "does not fit this"),
        ("optimizer.param_groups", [], "does not fit this"),
        ("model", [], "a dict of tensors is expected"),
    ],
)
def test_what_no_run_ever_saved_is_refused(key, value, reason):
    state = State.create(toy(ema_decay=0.9))
    with pytest.raises(CheckpointError, match=reason):
        State.create(toy(ema_decay=0.9)).load_state_dict(forged(state, key, value), "a.pt")


def test_a_weight_of_another_kind_is_refused():
    saved = State.create(toy()).state_dict()
    name = next(iter(saved["model"]))
    saved["model"][name] = saved["model"][name].to("meta")
    with pytest.raises(CheckpointError, match="holds weights that do not fit Sequential"):
        State.create(toy()).load_state_dict(saved, "a.pt")


def test_an_optimizer_with_other_settings_than_the_experiments_is_refused():
    saved = State.create(toy()).state_dict()
    saved["optimizer"]["param_groups"][0]["betas"] = (0.5, 0.5)
    with pytest.raises(CheckpointError, match=r"a\.pt: its optimizer has other settings than the experiment"):
        State.create(toy()).load_state_dict(saved, "a.pt")


@pytest.mark.parametrize("optimizer", [Muon(), SGD(), AdamW()])
def test_what_an_optimizer_remembers_has_its_parameters_shapes(optimizer):
    _, _, memory = run(toy(optimizer=optimizer, steps=2))
    saved = memory.saved[2]
    State.create(toy(optimizer=optimizer)).load_state_dict(saved)
    for part in saved["optimizer"].get("parts", [saved["optimizer"]])[-1:]:
        for moments in part["state"].values():
            moments.update({name: value[..., :1].clone() for name, value in moments.items() if value.ndim})
    with pytest.raises(CheckpointError, match="does not fit this"):
        State.create(toy(optimizer=optimizer)).load_state_dict(saved)


class Breaks(Toy):
    """A task whose model cannot be made."""

    def __init__(self, reason: str) -> None:
        super().__init__()
        object.__setattr__(self, "reason", reason)

    def model(self) -> nn.Module:
        raise RuntimeError(self.reason)


def test_a_model_too_large_for_the_memory_is_an_error_of_the_configuration():
    with pytest.raises(ConfigError, match="toy: its model needs more memory than there is"):
        State.create(toy(task=Breaks("DefaultCPUAllocator: can't allocate memory")))
    with pytest.raises(RuntimeError, match="another reason"):
        State.create(toy(task=Breaks("another reason")))
