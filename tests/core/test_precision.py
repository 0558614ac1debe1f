from __future__ import annotations

from contextlib import suppress

import pytest
import torch

from loopwright.core import State, arithmetic, train
from loopwright.core.precision import FP32_ERROR, Precision, check_kernel, determinism, matmul_error
from loopwright.errors import NonFiniteError, PrecisionError
from loopwright.protocols import NoJournal, NoStore
from tests.toys import Toy, run, toy

CPU = torch.device("cpu")


def switches() -> tuple[str, ...]:
    backends = torch.backends
    return (
        backends.mkldnn.matmul.fp32_precision,
        backends.cuda.matmul.fp32_precision,
        backends.cudnn.conv.fp32_precision,
        backends.cudnn.rnn.fp32_precision,
    )


def test_fp32_is_single_precision_here():
    with Precision("fp32", CPU).kernels():
        assert matmul_error() < FP32_ERROR


def test_fp32_fast_is_single_precision_or_refused():
    before = switches()
    try:
        with Precision("fp32-fast", CPU).kernels():
            assert switches() == ("bf16", "tf32", "tf32", "tf32")
            assert matmul_error() < FP32_ERROR
    except PrecisionError:
        pass  # this CPU would compute in bf16, as it said
    assert switches() == before


@pytest.mark.parametrize("broken", [True, False])
def test_kernels_are_as_they_were_after_an_error_and_without_one(broken):
    before = switches()
    with suppress(ZeroDivisionError), Precision("fp32", CPU).kernels():
        assert switches() == ("ieee",) * 4
        assert 1 / (not broken)
    assert switches() == before


def test_a_kernel_that_is_not_single_precision_is_refused_with_its_error():
    left, right = torch.randn(2, 256, 256)
    exact = left.double() @ right.double()
    error = float(((left.bfloat16() @ right.bfloat16()).double() - exact).norm() / exact.norm())
    with pytest.raises(PrecisionError, match=r"relative error of \d\.\de-03.*--precision fp32"):
        check_kernel(error)
    check_kernel(FP32_ERROR / 2)


def test_the_switches_come_back_after_an_error():
    before = switches()
    with pytest.raises(RuntimeError, match="inside"), Precision("fp32", CPU).kernels():
        raise RuntimeError("inside")
    assert switches() == before


def test_autocast_and_scaler_belong_to_their_precision():
    with Precision("bf16", CPU).autocast():
        assert (torch.ones(2, 2) @ torch.ones(2, 2)).dtype == torch.bfloat16
    with Precision("fp32", CPU).autocast():
        assert (torch.ones(2, 2) @ torch.ones(2, 2)).dtype == torch.float32
    assert [Precision(name, CPU).scaler().is_enabled() for name in ("fp32", "fp32-fast", "bf16", "fp16")] == [
        False,
        False,
        False,
        True,
    ]


def test_precisions_differ_in_bits_but_learn_alike():
    reached = {name: run(toy(precision=name, epochs=6))[1].losses()[-1] for name in ("fp32", "bf16", "fp16")}
    assert len(set(reached.values())) == 3
    # bf16 keeps 8 bits of a product: after 42 steps the losses differ by a few per cent.
    assert max(reached.values()) - min(reached.values()) < 0.1


def test_an_overflow_under_fp16_skips_the_step_and_halves_the_scale():
    state, _, _ = run(toy(precision="fp16", steps=1))
    assert state.scaler.get_scale() <= 65536.0
    with torch.no_grad():
        state.scaler._scale.fill_(2.0**100)
    saved = state.state_dict()
    saved["step"] = saved["closed"] = 0
    before = [parameter.clone() for parameter in state.model.parameters()]
    saved = {**saved, "model": {key: value.clone() for key, value in saved["model"].items()}}
    after, _, _ = run(toy(precision="fp16", steps=1), saved)
    assert all(torch.equal(a, b) for a, b in zip(before, after.model.parameters(), strict=True))
    assert after.scaler.get_scale() == 2.0**99


def test_gradients_that_are_never_finite_stop_a_run_under_fp16_too():
    class Poisoned(Toy):
        def loss(self, model, batch):
            sums = super().loss(model, batch)
            next(model.parameters()).register_hook(lambda gradient: gradient * float("nan"))
            return sums

    with pytest.raises(NonFiniteError, match=r"step \d+: loss cross_entropy \d.*gradient norm nan"):
        run(toy(task=Poisoned(), precision="fp16", epochs=10))


def test_determinism_is_strict_inside_and_given_back():
    with determinism(True):
        assert torch.are_deterministic_algorithms_enabled()
        assert not torch.is_deterministic_algorithms_warn_only_enabled()
    assert not torch.are_deterministic_algorithms_enabled()


def test_a_deterministic_run_gives_the_same_bits():
    experiment = toy(deterministic=True)
    with arithmetic(experiment):
        first = run(experiment)[1].losses()
    assert first == run(toy())[1].losses()


def test_threads_are_set_inside_and_given_back():
    before = torch.get_num_threads()
    with arithmetic(toy(threads=3)):
        assert torch.get_num_threads() == 3
    assert torch.get_num_threads() == before


class Unpooled(Toy):
    """A model with an operation that PyTorch has no deterministic form of, on any device."""

    def loss(self, model, batch):
        slots = torch.zeros(4).put_(torch.tensor([0, 1]), torch.ones(2))
        return {name: total + 0 * slots.sum() for name, total in super().loss(model, batch).items()}


def test_an_operation_that_is_not_deterministic_is_refused_with_its_name_and_a_way_out():
    experiment = toy(task=Unpooled(), deterministic=True)
    state = State.create(experiment)
    refused = pytest.raises(PrecisionError, match=r"put_ has no deterministic .*\n?.*leave --deterministic out")
    with refused, arithmetic(experiment):
        train(experiment, state, journal=NoJournal(), store=NoStore())
    assert not torch.are_deterministic_algorithms_enabled()


def test_other_errors_of_a_task_stay_what_they_are():
    with pytest.raises(RuntimeError, match="my own"), determinism(True):
        raise RuntimeError("my own")


def test_every_shape_is_compiled_however_many_there_are():
    from torch._dynamo import config

    before = (config.recompile_limit, config.accumulated_recompile_limit)
    with arithmetic(toy(compile=True)):
        assert min(config.recompile_limit, config.accumulated_recompile_limit) > 10**6
    assert (config.recompile_limit, config.accumulated_recompile_limit) == before


def test_strictness_can_be_left_inside_a_strict_context():
    with determinism(True):
        with determinism(False):
            assert not torch.are_deterministic_algorithms_enabled()
        assert torch.are_deterministic_algorithms_enabled()
