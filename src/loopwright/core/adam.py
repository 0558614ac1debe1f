"""Adam and AdamW in torch's fused kernel, with little around it."""

from __future__ import annotations

import inspect
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer
from torch.optim.optimizer import _global_optimizer_post_hooks, _global_optimizer_pre_hooks

Moments = dict[str, Tensor]


class FusedAdam(Optimizer):
    """AdamW, or with `decoupled=False` Adam: the bits and the state of torch's own (fused), in less time.

    On a small model torch's classes spend five times the kernel's time around it: a profiler scope, hooks, grouping
    by device and dtype. Here all parameters must be of one device and dtype, and of torch's hooks on optimizer steps
    only the global ones are called, those that watch every optimizer.
    """

    def __init__(
        self,
        groups: list[dict[str, Any]],
        *,
        lr: float,
        betas: tuple[float, float],
        eps: float = 1e-8,
        decoupled: bool = True,
    ) -> None:
        super().__init__(groups, {"lr": lr, "betas": betas, "eps": eps, "weight_decay": 0.0, "fused": True})
        self.kernel = torch._fused_adamw_ if decoupled else torch._fused_adam_

    # torch's own without what keeps its compiler out of them: that alone imports the compiler, 1.5 s of each start.
    add_param_group = inspect.unwrap(Optimizer.add_param_group)
    state_dict = inspect.unwrap(Optimizer.state_dict)
    load_state_dict = inspect.unwrap(Optimizer.load_state_dict)

    def _patch_step_function(self) -> None:
        # Optimizer's would wrap `step` in the profiler scope and the hooks.
        self._zero_grad_profile_name = "FusedAdam.zero_grad"

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        for group in self.param_groups:
            group["fused"] = True  # whatever a checkpoint says, so that its moments are held to the kernel's rules

    def step(self, closure: None = None) -> None:  # type: ignore[override]
        """One update of every parameter that has a gradient; there is no closure."""
        for before in tuple(_global_optimizer_pre_hooks.values()):
            before(self, (self,), {})
        self.update()
        for behind in tuple(_global_optimizer_post_hooks.values()):
            behind(self, (self,), {})

    @torch.no_grad()
    def update(self) -> None:
        """The update itself."""
        for group in self.param_groups:
            parameters = [parameter for parameter in group["params"] if parameter.grad is not None]
            if not parameters:
                continue
            moments = [self.state[parameter] or self.begin(parameter) for parameter in parameters]
            steps = [entry["step"] for entry in moments]
            torch._foreach_add_(steps, 1)
            self.kernel(
                parameters,
                [parameter.grad for parameter in parameters],
                [entry["exp_avg"] for entry in moments],
                [entry["exp_avg_sq"] for entry in moments],
                [],
                steps,
                lr=group["lr"],
                beta1=group["betas"][0],
                beta2=group["betas"][1],
                weight_decay=group["weight_decay"],
                eps=group["eps"],
                amsgrad=False,
                maximize=False,
            )

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Drop the gradients; the next backward pass makes new ones."""
        for group in self.param_groups:
            for parameter in group["params"]:
                parameter.grad = None

    def begin(self, parameter: nn.Parameter) -> Moments:
        """The state of a parameter before its first update."""
        moments = {
            "step": torch.zeros((), dtype=torch.float32, device=parameter.device),
            "exp_avg": torch.zeros_like(parameter, memory_format=torch.preserve_format),
            "exp_avg_sq": torch.zeros_like(parameter, memory_format=torch.preserve_format),
        }
        self.state[parameter] = moments
        return moments
