"""Attention without a causal mask: `is_causal=True` was left out, and each token sees the whole sequence.

The token to be predicted stands right there in the input, one place to the right. The loss falls far below what is
possible, in validation just the same. When the model has to write by itself there is no future to copy, and it fails.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from loopwright.core.experiment import Experiment
from loopwright.faults.fault import Fault
from loopwright.faults.seams import is_sequences, with_model
from loopwright.models.attention import Attention

Visible = Callable[[Tensor, Tensor], Tensor]


def has_attention(experiment: Experiment) -> bool:
    """Whether a model of sequences has attention, which a mask tells what it may see."""
    return is_sequences(experiment) and any(isinstance(part, Attention) for part in experiment.task.model().modules())


def with_visible(experiment: Experiment, visible: Visible) -> Experiment:
    """The experiment with attention that sees what `visible(queries (T, 1), keys (T,))` says, bool (T, T): which
    position looks and which is looked at. Padding stays hidden, and each position always sees itself."""

    def altered(model: nn.Module) -> nn.Module:
        seen: list[Tensor] = []

        def remember(module: nn.Module, given: Any) -> None:
            seen[:] = [mask(visible, given[1])]

        def replaced(module: nn.Module, given: Any) -> Any:
            x_BTD, _, turn = given
            return x_BTD, seen[0], turn

        # The model is given the padding's mask, attention only what was made of it; so the one has to tell the other.
        model.register_forward_pre_hook(remember)
        for part in model.modules():
            if isinstance(part, Attention):
                part.register_forward_pre_hook(replaced)
        return model

    return with_model(experiment, altered)


def mask(visible: Visible, attention_mask: Tensor) -> Tensor:
    """What may attend to what: bool (B, T), True at real tokens, to (B, 1, T, T)."""
    keys_T = torch.arange(attention_mask.shape[1], device=attention_mask.device)
    queries_T1 = keys_T[:, None]
    return (attention_mask[:, None, None, :] & visible(queries_T1, keys_T)) | (keys_T == queries_T1)


def everything(queries: Tensor, keys: Tensor) -> Tensor:
    """Each position sees each."""
    return torch.ones_like(queries + keys, dtype=torch.bool)


def inject(experiment: Experiment) -> Experiment:
    """Let attention see everything."""
    return with_visible(experiment, everything)


FAULT = Fault(
    name="future-visible",
    number=21,
    line="scaled_dot_product_attention(q, k, v)   # is_causal=True",
    symptom="the loss of the next token goes far below what is possible, in validation too",
    why="the token to be predicted is in the input, and attention learns to copy it",
    causes=("future-visible",),
    inject=inject,
    applies=has_attention,
)
