from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from loopwright.data.padding import attention_mask, causal_mask, loss_mask, pad
from loopwright.errors import DataError

sequences = st.lists(st.lists(st.integers(1, 99), max_size=7), min_size=1, max_size=6)


@settings(max_examples=50, deadline=None)
@given(rows=sequences, extra=st.integers(0, 3))
def test_the_mask_says_exactly_where_the_tokens_are(rows, extra):
    lengths = torch.tensor([len(row) for row in rows])
    T = int(lengths.max()) + extra
    padded, mask = pad(rows, value=0, length=T), attention_mask(lengths, T)
    assert padded.shape == mask.shape == (len(rows), T)
    assert mask.dtype == torch.bool
    assert int(mask.sum()) == sum(map(len, rows))
    assert padded[mask].tolist() == [token for row in rows for token in row]
    assert padded[~mask].eq(0).all()


def test_padding_goes_to_the_longest_by_default_and_keeps_the_dtype():
    assert pad([[1, 2], [], [3]], value=-1).tolist() == [[1, 2], [-1, -1], [3, -1]]
    assert pad([[1]], value=0).dtype == torch.int64
    assert pad([torch.tensor([1.5]), torch.tensor([])], value=0).tolist() == [[1.5], [0.0]]


def test_empty_sequences_and_no_sequences_have_no_width():
    assert pad([[], []], value=0).shape == (2, 0)
    assert pad([], value=0, length=4).shape == (0, 4)
    assert attention_mask(torch.tensor([], dtype=torch.int64), 4).shape == (0, 4)


def test_a_sequence_that_does_not_fit_is_refused():
    with pytest.raises(DataError, match="3 tokens does not fit into 2"):
        pad([[1, 2, 3]], value=0, length=2)
    with pytest.raises(DataError, match="3 tokens does not fit into 2"):
        attention_mask(torch.tensor([3]), 2)


def test_a_position_sees_itself_and_what_came_before():
    assert causal_mask(3).tolist() == [[True, False, False], [True, True, False], [True, True, True]]


def test_both_masks_together_hide_the_future_and_the_padding():
    union = attention_mask(torch.tensor([2, 3]), 3)[:, None, :] & causal_mask(3)
    assert union[0].tolist() == [[True, False, False], [True, True, False], [True, True, False]]
    assert torch.equal(union[1], causal_mask(3))


def test_the_polarity_is_that_of_scaled_dot_product_attention():
    q, k, v = torch.randn(3, 1, 4, 8, generator=torch.Generator().manual_seed(0))
    mask = attention_mask(torch.tensor([2]), 4)[:, None, :]
    attend = torch.nn.functional.scaled_dot_product_attention
    before = attend(q, k, v, attn_mask=mask)
    v[:, 2:] = 1e9
    assert torch.equal(attend(q, k, v, attn_mask=mask), before)


def test_a_loss_mask_leaves_out_prompts_and_last_tokens():
    lengths = torch.tensor([4, 2, 0])
    assert loss_mask(lengths, 4, skip_first=1).int().tolist() == [[0, 1, 1, 1], [0, 1, 0, 0], [0, 0, 0, 0]]
    assert loss_mask(lengths, 4, skip_last=1).int().tolist() == [[1, 1, 1, 0], [1, 0, 0, 0], [0, 0, 0, 0]]
    prompts = torch.tensor([2, 0, 0])
    assert loss_mask(lengths, 4, skip_first=prompts).int().tolist() == [[0, 0, 1, 1], [1, 1, 0, 0], [0, 0, 0, 0]]


def test_the_loss_mask_of_shifted_targets_counts_one_token_less_in_each_sequence():
    lengths = torch.tensor([5, 1, 3])
    assert loss_mask(lengths, 5, skip_last=1).sum(1).tolist() == [4, 0, 2]
