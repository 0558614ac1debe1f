"""Programs that update their weights by hand, without an optimizer: a step ends when the next backward pass begins."""

from __future__ import annotations

from typing import Any, cast

import torch
from torch import Tensor
from torch.optim import Optimizer

from loopwright.doctor.eyes.scene import Scene
from loopwright.doctor.eyes.updates import Updates

Kept = tuple[str, Tensor, Tensor]

PATIENCE = 3
"""After so many backward passes without an optimizer there is none."""


class UpdatesByHand:
    """Takes the leaves of a loss's graph for the parameters of an optimizer that is not there."""

    def __init__(self, scene: Scene, updates: Updates) -> None:
        self.scene = scene
        self.updates = updates
        self.optimizer: Optimizer | None = None
        self.mark = (0, 0)

    def close(self, loss: Tensor) -> None:
        """A backward pass begins: have the weights changed since the last one? Then that was a step."""
        scene = self.scene
        if self.optimizer is None:
            if scene.program.held or scene.program.backwards < PATIENCE or loss.grad_fn is None:
                return
            found = [leaf for leaf in graph_leaves(loss) if leaf.ndim]
            if found:
                self.optimizer = cast(Optimizer, ByHand(found))
                self.updates.adopt(self.optimizer)
            return
        if any(held.kind != ByHand.__name__ for held in scene.program.held.values()):
            self.optimizer = None
            return
        pending = self.rebound(scene.pending.get(id(self.optimizer), []), loss)
        if any(not torch.equal(parameter.detach(), old) for _, parameter, old in pending):
            later = scene.calls[self.mark[0] :], scene.loss_calls[self.mark[1] :]
            scene.calls, scene.loss_calls = scene.calls[: self.mark[0]], scene.loss_calls[: self.mark[1]]
            self.updates.after_step(self.optimizer, (), {})
            scene.calls, scene.loss_calls = later

    def rebound(self, pending: list[Kept], loss: Tensor) -> list[Kept]:
        """What was kept, with the leaves of this loss where `w = w - rate * w.grad` has made new ones."""
        found = [leaf for leaf in graph_leaves(loss) if leaf.ndim]
        if [tuple(leaf.shape) for leaf in found] != [tuple(parameter.shape) for _, parameter, _ in pending]:
            return pending
        assert self.optimizer is not None
        self.optimizer.param_groups[0]["params"] = found
        kept = [(name, leaf, old) for leaf, (name, _, old) in zip(found, pending, strict=True)]
        self.scene.pending[id(self.optimizer)] = kept
        return kept

    def begin(self) -> None:
        """A backward pass is over: keep what the update will start from."""
        if self.optimizer is not None:
            self.updates.note_start(self.updates.known(self.optimizer), self.optimizer)
            self.mark = len(self.scene.calls), len(self.scene.loss_calls)


def graph_leaves(loss: Tensor, most: int = 4000) -> list[Tensor]:
    """The tensors that a loss is differentiated for, in the order in which they are met."""
    found: list[Tensor] = []
    seen, waiting = set[Any](), [loss.grad_fn]
    while waiting and len(seen) < most:
        node = waiting.pop()
        if node is None or node in seen:
            continue
        seen.add(node)
        variable = getattr(node, "variable", None)
        if isinstance(variable, Tensor) and not any(variable is one for one in found):
            found.append(variable)
        waiting += [below for below, _ in node.next_functions]
    return found


class ByHand:
    """Stands for the optimizer of a program that updates its weights by hand."""

    def __init__(self, parameters: list[Tensor]) -> None:
        self.param_groups: list[dict[str, Any]] = [{"params": parameters}]
        self.state: dict[Any, Any] = {}
