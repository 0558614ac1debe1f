from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from torch.nn import functional as F

from loopwright import losses
from loopwright.errors import ConfigError, DataError


def equal_bits(first: Tensor, second: Tensor) -> bool:
    return torch.equal(first.detach(), second.detach())


def toy(seed: int = 0) -> tuple[Tensor, Tensor, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    logits_BTC = torch.randn(3, 5, 4, generator=generator)
    targets_BT = torch.randint(0, 4, (3, 5), generator=generator)
    mask_BT = torch.rand(3, 5, generator=generator) < 0.6
    return logits_BTC, targets_BT, mask_BT


def loss_and_gradient(logits: Tensor, targets: Tensor, mask: Tensor | None, smoothing: float) -> tuple[Tensor, Tensor]:
    leaf = logits.clone().requires_grad_()
    loss = losses.cross_entropy(leaf, targets, mask, label_smoothing=smoothing)
    (gradient,) = torch.autograd.grad(loss, leaf)
    return loss, gradient


def test_cross_entropy_is_the_sum_and_not_the_mean() -> None:
    logits = torch.zeros(6, 10)
    # log(10) six times, summed in float32
    assert losses.cross_entropy(logits, torch.arange(6)).item() == pytest.approx(6 * math.log(10), rel=1e-6)


def test_cross_entropy_of_fixed_tensors_is_a_fixed_number() -> None:
    logits = torch.tensor([[2.0, 0.0], [0.0, 2.0]], dtype=torch.float64)
    expected = math.log(1 + math.exp(-2)) + math.log(1 + math.exp(2))
    assert losses.cross_entropy(logits, torch.tensor([0, 0])).item() == pytest.approx(expected, rel=1e-15)


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_sums_over_parts_of_a_batch_add_up_to_the_sum_over_it(smoothing: float) -> None:
    logits, targets, mask = toy()
    double = logits.double()
    whole = losses.cross_entropy(double, targets, mask, label_smoothing=smoothing)
    parts = sum(
        losses.cross_entropy(double[i : i + 1], targets[i : i + 1], mask[i : i + 1], label_smoothing=smoothing).item()
        for i in range(3)
    )
    assert whole.item() == pytest.approx(parts, rel=1e-14)  # float64 sums in another order


@pytest.mark.parametrize("smoothing", [0.0, 0.2])
@pytest.mark.parametrize("garbage", [1e30, -1e30, 0.0, -7.0])
def test_what_stands_at_masked_positions_changes_no_bit(smoothing: float, garbage: float) -> None:
    logits, targets, mask = toy()
    loss, gradient = loss_and_gradient(logits, targets, mask, smoothing)
    changed = logits.masked_fill(~mask.unsqueeze(-1), garbage)
    other_targets = targets.masked_fill(~mask, -100)
    other_loss, other_gradient = loss_and_gradient(changed, other_targets, mask, smoothing)
    assert equal_bits(loss, other_loss)
    assert equal_bits(gradient, other_gradient)
    assert not gradient[~mask].any()


@given(seed=st.integers(0, 10_000), smoothing=st.sampled_from([0.0, 0.1]))
@settings(max_examples=25, deadline=None)
def test_a_mask_is_the_same_as_leaving_the_positions_out(seed: int, smoothing: float) -> None:
    logits, targets, mask = toy(seed)
    masked = losses.cross_entropy(logits.double(), targets, mask, label_smoothing=smoothing)
    left_out = F.cross_entropy(logits.double()[mask], targets[mask], reduction="sum", label_smoothing=smoothing)
    assert masked.item() == pytest.approx(left_out.item(), rel=1e-13, abs=1e-13)  # another order of summing


def test_a_mask_of_all_true_equals_no_mask() -> None:
    logits, targets, mask = toy()
    everything = torch.ones_like(mask)
    _, with_mask = loss_and_gradient(logits, targets, everything, 0.1)
    _, without = loss_and_gradient(logits, targets, None, 0.1)
    assert equal_bits(with_mask, without)


def test_a_batch_in_which_nothing_counts_costs_exactly_nothing() -> None:
    logits, targets, mask = toy()
    loss, gradient = loss_and_gradient(logits, targets, torch.zeros_like(mask), 0.1)
    assert loss.item() == 0.0
    assert not gradient.any()


def test_label_smoothing_mixes_the_target_with_the_uniform_distribution() -> None:
    logits, targets, _ = toy()
    log_p = logits.double().log_softmax(-1)
    onehot = F.one_hot(targets, 4).double()
    expected = -((0.9 * onehot + 0.1 / 4) * log_p).sum()
    smoothed = losses.cross_entropy(logits.double(), targets, label_smoothing=0.1)
    assert smoothed.item() == pytest.approx(expected.item(), rel=1e-14)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_half_precision_logits_are_summed_in_float32(dtype: torch.dtype) -> None:
    logits, targets, mask = toy()
    assert losses.cross_entropy(logits.to(dtype), targets).dtype == torch.float32
    assert losses.cross_entropy(logits.to(dtype), targets, mask).dtype == torch.float32


def test_an_unmasked_target_that_is_no_class_is_an_error_and_not_ignored() -> None:
    with pytest.raises(IndexError):
        losses.cross_entropy(torch.zeros(2, 3), torch.tensor([0, -100]))


def test_nll_ignores_what_is_masked_bit_for_bit_even_nan() -> None:
    logits, targets, mask = toy()
    log_p = logits.log_softmax(-1)
    garbage = log_p.masked_fill(~mask.unsqueeze(-1), float("nan"))
    assert equal_bits(losses.nll(log_p, targets, mask), losses.nll(garbage, targets.masked_fill(~mask, -100), mask))


def test_nll_of_a_log_softmax_is_the_cross_entropy() -> None:
    logits, targets, mask = toy()
    via_nll = losses.nll(logits.double().log_softmax(-1), targets, mask)
    direct = losses.cross_entropy(logits.double(), targets, mask)
    assert via_nll.item() == pytest.approx(direct.item(), rel=1e-14)


@pytest.mark.parametrize("name", ["mse", "l1", "bce_with_logits"])
@pytest.mark.parametrize("garbage", [123.0, float("inf"), float("nan")])
def test_elementwise_losses_ignore_what_is_masked_bit_for_bit(name: str, garbage: float) -> None:
    loss_function = {"mse": losses.mse, "l1": losses.l1, "bce_with_logits": losses.bce_with_logits}[name]
    predictions = torch.linspace(-2, 2, 12).reshape(4, 3)
    targets = torch.linspace(0, 1, 12).reshape(4, 3)
    mask = torch.tensor([True, False, True, False])
    results = []
    for filled in (predictions, predictions.masked_fill(~mask.unsqueeze(-1), garbage)):
        leaf = filled.clone().requires_grad_()
        loss = loss_function(leaf, targets, mask)
        results.append((loss, torch.autograd.grad(loss, leaf)[0]))
    assert equal_bits(results[0][0], results[1][0])
    assert equal_bits(results[0][1], results[1][1])
    left_out = loss_function(predictions[mask], targets[mask])
    assert results[0][0].item() == pytest.approx(left_out.item(), rel=1e-6)  # float32, another order


def test_elementwise_losses_equal_their_formulas() -> None:
    predictions = torch.tensor([0.5, -1.0, 3.0], dtype=torch.float64)
    targets = torch.tensor([1.0, 0.0, 1.0], dtype=torch.float64)
    assert losses.mse(predictions, targets).item() == 0.25 + 1.0 + 4.0
    assert losses.l1(predictions, targets).item() == 0.5 + 1.0 + 2.0
    p = predictions.sigmoid()
    expected = -(targets * p.log() + (1 - targets) * (1 - p).log()).sum()
    assert losses.bce_with_logits(predictions, targets).item() == pytest.approx(expected.item(), rel=1e-14)


@pytest.mark.parametrize("loss_function", [losses.mse, losses.l1, losses.bce_with_logits])
def test_shapes_that_would_broadcast_are_refused(loss_function: object) -> None:
    assert callable(loss_function)
    with pytest.raises(DataError, match=r"\(4, 1\).*\(4,\)"):
        loss_function(torch.zeros(4, 1), torch.zeros(4))


def test_l1_penalty_is_the_sum_of_absolute_values() -> None:
    parameter = torch.tensor([[1.0, -2.0], [0.0, 4.0]], requires_grad=True)
    penalty = losses.l1_penalty(parameter)
    assert penalty.item() == 7.0
    assert torch.autograd.grad(penalty, parameter)[0].tolist() == [[1.0, -1.0], [0.0, 1.0]]


def test_doubling_a_lambda_doubles_that_component_alone() -> None:
    parts = {"next": torch.tensor(2.0), "class": torch.tensor(3.0)}
    once = losses.weighted(parts, {"next": 0.5, "class": 1.5})
    twice = losses.weighted(parts, {"next": 1.0, "class": 1.5})
    assert twice["next"].item() == 2 * once["next"].item() == 2.0
    assert twice["class"].item() == once["class"].item() == 4.5


def test_a_lambda_of_zero_removes_the_component_even_if_it_is_nan() -> None:
    parts = {"next": torch.tensor(2.0), "state": torch.tensor(float("nan"))}
    kept = losses.weighted(parts, {"next": 1.0, "state": 0.0})
    assert list(kept) == ["next"]
    assert sum(kept.values()) == 2.0


def test_a_part_without_a_lambda_keeps_its_value() -> None:
    assert losses.weighted({"next": torch.tensor(2.0)}, {})["next"].item() == 2.0


def test_a_lambda_for_an_unknown_part_is_an_error_that_names_the_nearest() -> None:
    parts = {"next": torch.tensor(1.0), "class": torch.tensor(1.0)}
    with pytest.raises(ConfigError, match=r"'klass'.*did you mean 'class'"):
        losses.weighted(parts, {"klass": 1.0})


def test_a_lambda_of_zero_may_name_a_part_that_is_not_computed() -> None:
    assert list(losses.weighted({"next": torch.tensor(1.0)}, {"state": 0.0})) == ["next"]


@pytest.mark.parametrize("bad", [-1, 10])
def test_a_label_out_of_range_is_named_with_its_place_and_the_range(bad: int) -> None:
    labels = torch.tensor([0, 9, bad, 3])
    with pytest.raises(DataError, match=rf"label {bad} of sample 2 .*10 classes.*0 to 9"):
        losses.check_labels(labels, 10)


def test_labels_in_range_pass() -> None:
    losses.check_labels(torch.arange(10), 10)
    losses.check_labels(torch.arange(10, dtype=torch.uint8), 10)
    losses.check_labels(torch.empty(0, dtype=torch.int64), 10)


def test_labels_that_are_not_whole_numbers_are_refused() -> None:
    with pytest.raises(DataError, match=r"float32"):
        losses.check_labels(torch.tensor([0.0, 1.0]), 2)
