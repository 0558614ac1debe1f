"""Hooks that note what each module gives in a step, and which attention weights were used."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from loopwright.core.state import State
from loopwright.rerunning.trace import AttentionMap, Watch, copy, module_calls, recomputing

SUMS_TO_ONE = 1e-4
"""How far the sum of a row of fp32 attention weights may be from 1; of lower precisions, by their rounding."""


@contextmanager
def everything(state: State, watch: Watch) -> Iterator[None]:
    """Watch every module's output and every attention map."""
    with module_calls(state, watch), returned_maps(state, watch), computed_maps(watch):
        yield


@contextmanager
def returned_maps(state: State, watch: Watch) -> Iterator[None]:
    """Note attention maps that a module returns: the weights of nn.MultiheadAttention, and in any module's tuple a
    tensor (B, H, T, S) whose rows sum to one."""

    def hook(name: str) -> Any:
        def note(module: nn.Module, arguments: Any, output: Any) -> None:
            if recomputing() or not isinstance(output, tuple):
                return
            if isinstance(module, nn.MultiheadAttention):
                watch.maps.extend(library_map(name, watch.shard, module, *output))
                return
            watch.maps.extend(AttentionMap(name, watch.shard, copy(tensor)) for tensor in output if is_map(tensor))

        return note

    compiled = state.forward is not state.model
    modules = [] if compiled else list(state.model.named_modules())
    handles = [module.register_forward_hook(hook(name or "the model")) for name, module in modules]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


def library_map(
    name: str, shard: int, module: nn.MultiheadAttention, output: Tensor, weights: Tensor | None
) -> Iterator[AttentionMap]:
    """What nn.MultiheadAttention returns, if it does: (B, T, S), the mean over its heads, or (B, H, T, S), each
    without B where its input has none."""
    if weights is not None:
        averaged = weights.ndim == output.ndim
        each = weights.unsqueeze(-3) if averaged else weights
        each = each if output.ndim == 3 else each.unsqueeze(0)
        yield AttentionMap(name, shard, copy(each), module.num_heads if averaged else 1)


def is_map(value: object) -> bool:
    """Whether a value looks like attention weights: (B, H, T, S), none negative, each row with the sum one."""
    if not (isinstance(value, Tensor) and value.ndim == 4 and value.is_floating_point() and value.numel()):
        return False
    weights = value.detach().float()
    near = max(SUMS_TO_ONE, torch.finfo(value.dtype).eps)
    return bool((weights >= 0).all()) and bool(((weights.sum(-1) - 1).abs() < near).all())


@contextmanager
def computed_maps(watch: Watch) -> Iterator[None]:
    """Compute the maps of `scaled_dot_product_attention` beside its result, since its kernels keep none.

    It is seen where it is called as a function of `torch.nn.functional`, as nn.MultiheadAttention calls it.
    """
    original = functional.scaled_dot_product_attention

    def noted(query: Tensor, key: Tensor, *rest: Any, **named: Any) -> Tensor:
        result = original(query, key, *rest, **named)
        if recomputing():
            return result
        with torch.no_grad(), torch.autocast(query.device.type, enabled=False):
            weights = attention_weights(query, key, *rest[1:], **{k: v for k, v in named.items() if k != "value"})
        inside = watch.inside[-1] if watch.inside else "the loss"
        watch.maps.append(AttentionMap(inside, watch.shard, copy(weights)))
        return result

    functional.scaled_dot_product_attention = noted
    try:
        yield
    finally:
        functional.scaled_dot_product_attention = original


def attention_weights(
    query: Tensor,
    key: Tensor,
    attn_mask: Tensor | None = None,
    dropout_p: float = 0.0,
    is_causal: bool = False,
    scale: float | None = None,
    enable_gqa: bool = False,
) -> Tensor:
    """softmax(query key^T scale + mask), before dropout, float32 (B, H, T, S), from the arguments that
    `scaled_dot_product_attention` is called with."""
    query, key = query.float(), key.float()
    if enable_gqa:
        key = key.repeat_interleave(query.size(-3) // key.size(-3), -3)
    scores = query @ key.transpose(-2, -1) * (query.size(-1) ** -0.5 if scale is None else scale)
    if is_causal:
        attn_mask = torch.ones(scores.shape[-2:], dtype=torch.bool, device=scores.device).tril()
    if attn_mask is not None:
        scores = scores.masked_fill(~attn_mask, -math.inf) if attn_mask.dtype == torch.bool else scores + attn_mask
    weights = scores.softmax(-1)
    return (
        weights.reshape(-1, *weights.shape[-3:]) if weights.ndim >= 4 else weights.reshape(-1, 1, *weights.shape[-2:])
    )
