"""Optimizers as frozen hyper-parameters; `build` makes the torch optimizer for a model.

Weight decay spares biases, norms and every other parameter of fewer than two dimensions. The rate in the experiment
is the peak; a schedule scales it, group by group (`initial_lr` holds the peak).
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, fields
from typing import Any, cast

import torch
from torch import nn
from torch.optim import Optimizer

from loopwright.core.adam import FusedAdam
from loopwright.core.setting import setting


def check_rates(choice: AdamW | Adam | SGD | Muon) -> None:
    """Raise ValueError for hyper-parameters outside their ranges: rates and decays from 0, averages in [0, 1)."""
    for field in fields(choice):
        value = getattr(choice, field.name)
        if field.name in ("betas", "momentum"):
            if not all(0 <= beta < 1 for beta in (value if isinstance(value, tuple) else (value,))):
                raise ValueError(f"optimizer.{field.name}: received {value}, it must be in [0, 1)")
        elif not isinstance(value, bool) and not 0 <= value < math.inf:
            raise ValueError(f"optimizer.{field.name}: received {value}, it must be 0 or more and finite")


@dataclass(frozen=True)
class AdamW:
    """Adam with decoupled weight decay (Loshchilov and Hutter, ICLR 2019)."""

    lr: float = setting(1e-3, "the peak rate, which the schedule scales")
    betas: tuple[float, float] = setting((0.9, 0.999), "decay of the two moving averages")
    eps: float = setting(1e-8, "added to the denominator")
    weight_decay: float = setting(0.01, "of matrices; biases and norms are spared")

    def __post_init__(self) -> None:
        check_rates(self)

    def build(self, model: nn.Module) -> Optimizer:
        """The torch optimizer over all parameters of `model` that want a gradient."""
        return with_peak(adam(decay_groups(trainable(model), self.weight_decay), self))


@dataclass(frozen=True)
class Adam:
    """Adam (Kingma and Ba, ICLR 2015); its weight decay is an L2 penalty added to the gradient."""

    lr: float = setting(1e-3, "the peak rate, which the schedule scales")
    betas: tuple[float, float] = setting((0.9, 0.999), "decay of the two moving averages")
    eps: float = setting(1e-8, "added to the denominator")
    weight_decay: float = setting(0.0, "of matrices; biases and norms are spared")

    def __post_init__(self) -> None:
        check_rates(self)

    def build(self, model: nn.Module) -> Optimizer:
        """The torch optimizer over all parameters of `model` that want a gradient."""
        return with_peak(adam(decay_groups(trainable(model), self.weight_decay), self))


@dataclass(frozen=True)
class SGD:
    """Stochastic gradient descent with momentum; Nesterov's form where `nesterov` is set."""

    lr: float = setting(0.1, "the peak rate, which the schedule scales")
    momentum: float = setting(0.9, "of the moving sum of gradients")
    nesterov: bool = setting(False, "look ahead by one momentum step")
    weight_decay: float = setting(0.0, "of matrices; biases and norms are spared")

    def __post_init__(self) -> None:
        check_rates(self)

    def build(self, model: nn.Module) -> Optimizer:
        """The torch optimizer over all parameters of `model` that want a gradient."""
        groups = decay_groups(trainable(model), self.weight_decay)
        return with_peak(
            torch.optim.SGD(groups, lr=self.lr, momentum=self.momentum, nesterov=self.nesterov, fused=one_kind(groups))
        )


@dataclass(frozen=True)
class Muon:
    """Orthogonalized momentum for hidden matrices (Jordan et al. 2024; torch's own), AdamW for the rest.

    "Hidden" are the weights of Linear layers, the last one excepted. `lr` is Muon's, `adamw_lr` that of the rest.
    """

    lr: float = setting(0.02, "the peak rate, which the schedule scales")
    momentum: float = setting(0.95, "of the moving sum of gradients")
    weight_decay: float = setting(0.1, "of matrices; biases and norms are spared")
    adamw_lr: float = setting(1e-3, "the peak rate of what is no hidden matrix")
    betas: tuple[float, float] = setting((0.9, 0.95), "decay of the two moving averages")

    def __post_init__(self) -> None:
        check_rates(self)

    def build(self, model: nn.Module) -> Optimizer:
        """Two torch optimizers that act as one. A model without hidden matrices gets AdamW alone."""
        linears = [module.weight for module in model.modules() if isinstance(module, nn.Linear)]
        hidden = [weight for weight in linears[:-1] if weight.requires_grad]
        chosen = {id(weight) for weight in hidden}
        rest = [parameter for parameter in trainable(model) if id(parameter) not in chosen]
        parts: list[Optimizer] = []
        if hidden:
            parts.append(torch.optim.Muon(hidden, lr=self.lr, momentum=self.momentum, weight_decay=self.weight_decay))
        if rest:
            parts.append(adam(decay_groups(rest, self.weight_decay), AdamW(lr=self.adamw_lr, betas=self.betas)))
        return with_peak(cast(Optimizer, Several(parts)))


OptimizerChoice = AdamW | Adam | SGD | Muon


class Several:
    """Several torch optimizers over disjoint parameters that step as one; has what the loop needs of an optimizer."""

    def __init__(self, parts: list[Optimizer]) -> None:
        self.parts = parts

    @property
    def param_groups(self) -> list[dict[str, Any]]:
        """The groups of all parts, in order."""
        return [group for part in self.parts for group in part.param_groups]

    @property
    def state(self) -> dict[Any, Any]:
        """What all parts remember of their parameters."""
        return {parameter: moments for part in self.parts for parameter, moments in part.state.items()}

    def step(self) -> None:
        """One step of each part."""
        for part in self.parts:
            part.step()

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Clear the gradients of all parts."""
        for part in self.parts:
            part.zero_grad(set_to_none)

    def state_dict(self) -> dict[str, Any]:
        """The state of each part."""
        return {"parts": [part.state_dict() for part in self.parts]}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Restore what `state_dict` gave."""
        for part, state in zip(self.parts, state_dict["parts"], strict=True):
            part.load_state_dict(state)


def build_optimizer(
    model: nn.Module, lr: float, *, weight_decay: float = 0.01, betas: tuple[float, float] = (0.9, 0.999)
) -> Optimizer:
    """AdamW over `model` with decay groups, for people with a loop of their own."""
    return AdamW(lr=lr, betas=betas, weight_decay=weight_decay).build(model)


def trainable(model: nn.Module) -> list[nn.Parameter]:
    """The parameters that want a gradient, each once, in the model's order."""
    return [parameter for parameter in model.parameters() if parameter.requires_grad]


def decay_groups(parameters: Iterable[nn.Parameter], weight_decay: float) -> list[dict[str, Any]]:
    """Two parameter groups: matrices with `weight_decay`, biases and norms without. Empty groups are left out."""
    parameters = list(parameters)
    matrices = [parameter for parameter in parameters if parameter.ndim >= 2]
    vectors = [parameter for parameter in parameters if parameter.ndim < 2]
    groups = [{"params": matrices, "weight_decay": weight_decay}, {"params": vectors, "weight_decay": 0.0}]
    return [group for group in groups if group["params"]]


def adam(groups: list[dict[str, Any]], choice: AdamW | Adam) -> Optimizer:
    """What `choice` describes over `groups`: in one fused kernel where they allow it, else torch's own."""
    decoupled = isinstance(choice, AdamW)
    if one_kind(groups):
        return FusedAdam(groups, lr=choice.lr, betas=choice.betas, eps=choice.eps, decoupled=decoupled)
    kind = torch.optim.AdamW if decoupled else torch.optim.Adam
    return kind(groups, lr=choice.lr, betas=choice.betas, eps=choice.eps)


def one_kind(groups: list[dict[str, Any]]) -> bool:
    """Whether all parameters are floating-point numbers of one type on one device, as fused kernels want them."""
    kinds = {(parameter.device, parameter.dtype) for group in groups for parameter in group["params"]}
    return len(kinds) == 1 and next(iter(kinds))[1].is_floating_point


def with_peak(optimizer: Optimizer) -> Optimizer:
    """Note each group's rate as its peak."""
    for group in optimizer.param_groups:
        group["initial_lr"] = group["lr"]
    return optimizer
