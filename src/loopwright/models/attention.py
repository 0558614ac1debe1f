"""Multi-head self-attention (Vaswani et al., "Attention is all you need", NeurIPS 2017, section 3.2).

One polarity everywhere: True means "may be attended to", as in `scaled_dot_product_attention`.

Shape legend: B sequences, T positions, D width, H heads, K = D / H.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional

from loopwright.errors import ConfigError

Turn = Callable[[Tensor], Tensor]
"""What positions do to queries and keys (*, T, K) before they meet; most do nothing."""


def visible(attention_mask: Tensor) -> Tensor:
    """Which position (row) may attend to which (column): bool (B, T) to (B, 1, T, T).

    To real tokens up to itself; and always to itself, so that padding has something to attend to and gives no NaN.
    `attention_mask` is True at real tokens.
    """
    keys_T = torch.arange(attention_mask.shape[1], device=attention_mask.device)
    queries_T1 = keys_T[:, None]
    return (attention_mask[:, None, None, :] & (keys_T <= queries_T1)) | (keys_T == queries_T1)


class Attention(nn.Module):
    """softmax(q k^T / sqrt(K)) v in each head, joined and projected.

    `width` D is a multiple of `num_heads` H, else ConfigError.
    """

    def __init__(self, width: int, num_heads: int) -> None:
        super().__init__()
        if width % num_heads:
            raise ConfigError(f"width {width} for {num_heads} heads: choose a multiple of the number of heads")
        self.num_heads = num_heads
        self.query_key_value = nn.Linear(width, 3 * width)
        self.residual_out = nn.Linear(width, width)

    def forward(self, x_BTD: Tensor, visible_B1TT: Tensor, turn: Turn) -> Tensor:
        """Float (B, T, D) to (B, T, D). `visible_B1TT` bool (B, 1, T, T); `turn` as `Positions.turn`."""
        q_BHTK, k_BHTK, v_BHTK = self._heads(x_BTD, turn)
        # Called through its module, where replay watches it.
        y_BHTK = functional.scaled_dot_product_attention(q_BHTK, k_BHTK, v_BHTK, attn_mask=visible_B1TT)
        y_BTD: Tensor = self.residual_out(y_BHTK.transpose(1, 2).flatten(2))
        return y_BTD

    def maps(self, x_BTD: Tensor, visible_B1TT: Tensor, turn: Turn) -> Tensor:
        """The weights that `forward` mixes the values with, for looking at: (B, H, T, T), each row with the sum 1."""
        q_BHTK, k_BHTK, _ = self._heads(x_BTD, turn)
        scores_BHTT = q_BHTK @ k_BHTK.mT / math.sqrt(q_BHTK.shape[-1])
        return scores_BHTT.masked_fill(~visible_B1TT, -math.inf).softmax(-1)

    def _heads(self, x_BTD: Tensor, turn: Turn) -> tuple[Tensor, Tensor, Tensor]:
        split_BT3HK = self.query_key_value(x_BTD).unflatten(-1, (3, self.num_heads, -1))
        split_3BHTK = split_BT3HK.permute(2, 0, 3, 1, 4)
        qk_2BHTK, v_1BHTK = split_3BHTK.split([2, 1])
        q_BHTK, k_BHTK = turn(qk_2BHTK)
        return q_BHTK, k_BHTK, v_1BHTK[0]
