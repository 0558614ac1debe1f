from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from loopwright import metrics
from loopwright.metrics.likelihood import log_probabilities


def sequences() -> tuple[Tensor, Tensor, Tensor]:
    """Logits (B, T, C), targets and mask (B, T) of ragged sequences."""
    generator = torch.Generator().manual_seed(0)
    lengths = torch.randint(1, 12, (37,), generator=generator)
    mask = torch.arange(12) < lengths[:, None]
    logits = 3 * torch.randn(37, 12, 11, generator=generator)
    targets = torch.randint(0, 11, (37, 12), generator=generator)
    return logits, targets.masked_fill(~mask, -100), mask


def test_nll_agrees_with_scikit_learn() -> None:
    from sklearn.metrics import log_loss

    generator = torch.Generator().manual_seed(1)
    logits = torch.randn(300, 4, generator=generator)
    labels = torch.randint(0, 4, (300,), generator=generator)
    expected = log_loss(labels, logits.double().softmax(-1), labels=range(4))
    assert metrics.nll(logits, labels) == pytest.approx(expected, abs=1e-12, rel=0)


@pytest.mark.parametrize("batch_size", [1, 2, 5, 36, 37])
def test_loss_perplexity_and_accuracy_have_the_same_bits_at_any_batch_size(batch_size: int) -> None:
    logits, targets, mask = sequences()
    whole, parts = metrics.Likelihood(), metrics.Likelihood()
    whole.update(logits, targets, mask)
    pieces = (tensor.split(batch_size) for tensor in (logits, targets, mask))
    for piece in zip(*pieces, strict=True):
        parts.update(*piece)
    assert parts.result() == whole.result()


def test_perplexity_weighs_every_token_alike_and_not_every_batch() -> None:
    uniform, certain = torch.zeros(1, 3, 8), torch.full((1, 1, 8), -1e9)
    certain[..., 0] = 0.0
    gathered = metrics.Likelihood()
    gathered.update(uniform, torch.zeros(1, 3, dtype=torch.int64))
    gathered.update(certain, torch.zeros(1, 1, dtype=torch.int64))
    assert gathered.result()["perplexity"] == pytest.approx(8 ** (3 / 4), rel=1e-14)


def test_perplexity_of_uniform_guessing_is_the_number_of_classes() -> None:
    loss = metrics.nll(torch.zeros(5, 50), torch.arange(5))
    assert metrics.perplexity(loss) == pytest.approx(50, rel=1e-14)


def test_a_hopeless_perplexity_is_infinite_and_that_of_nan_is_nan() -> None:
    assert metrics.perplexity(1000.0) == float("inf")
    assert metrics.perplexity(float("inf")) == float("inf")
    assert math.isnan(metrics.perplexity(float("nan")))


def test_an_impossible_target_has_an_infinite_loss() -> None:
    logits = torch.tensor([[0.0, float("-inf")]])
    assert metrics.nll(logits, torch.tensor([1])) == float("inf")


def test_taking_a_large_vocabulary_some_rows_at_a_time_changes_no_bit() -> None:
    logits_NC = sequences()[0].reshape(-1, 11)
    whole = list(log_probabilities(logits_NC))
    parts = list(log_probabilities(logits_NC, elements_at_once=25))
    assert (len(whole), len(parts)) == (1, 222)
    assert torch.equal(torch.cat([values for _, values in parts]), whole[0][1])


def test_half_precision_logits_lose_nothing_more_on_the_way() -> None:
    logits, targets, mask = sequences()
    half = logits.bfloat16()
    assert metrics.nll(half, targets, mask) == metrics.nll(half.double(), targets, mask)


def test_the_likelihood_of_nothing_is_nan() -> None:
    assert all(math.isnan(value) for value in metrics.Likelihood().result().values())
