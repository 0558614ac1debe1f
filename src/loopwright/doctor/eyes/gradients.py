"""Losses and gradients: loss functions, backward passes, clearing, clipping, scaling."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from torch import Tensor
from torch.distributions import Bernoulli, Categorical
from torch.optim import Optimizer

from loopwright.doctor.eyes.byhand import UpdatesByHand
from loopwright.doctor.eyes.forwards import KEPT, MOST_CALLS, marker
from loopwright.doctor.eyes.scene import Scene
from loopwright.doctor.measures import bounded, chain, fingerprint, first_gradient, rows, tensors
from loopwright.doctor.optimizers import Held
from loopwright.doctor.records import Backward, LossCall
from loopwright.doctor.summaries import CLASSES, answers

SQUASHED = {Categorical: ("Softmax",), Bernoulli: ("Sigmoid", "Softmax")}
"""What makes probabilities of logits, by the distribution that takes logits."""
FEWEST = 8
"""So many labels, of more than one kind, tell one batch from another."""


class Gradients:
    """Listens to torch's loss functions, to backward, and to what is done with gradients before a step."""

    def __init__(self, scene: Scene, by_hand: UpdatesByHand) -> None:
        self.scene = scene
        self.by_hand = by_hand

    def loss(self, kind: str, signature: Any, args: Any, kwargs: Any, value: Any) -> None:
        """A loss function was called."""
        given = dict(signature.bind(*args, **kwargs).arguments)
        prediction, target = given.pop("input", None), given.pop("target", None)
        if not all(isinstance(each, Tensor) and not each.is_nested for each in (prediction, target, value)):
            return
        call = LossCall(kind, prediction, target, given, value.requires_grad, value, chain(prediction))
        call.bounded = kind in CLASSES and value.requires_grad and bounded(prediction)
        if value.requires_grad:
            value.register_hook(marker(call.flowed, 0))
        else:
            call.answers = answers(call)
            if (
                not target.is_floating_point()
                and target.numel() >= FEWEST
                and 1 < len(target.unique()) < target.numel()
            ):
                call.asked = fingerprint(target)
            if prediction.ndim == 2 and any(one.answers for one in self.scene.calls[-1:]):
                call.rows = rows(prediction)
            call.drop()
        known = self.scene.loss_calls
        known.append(call)
        self.scene.program.notes.losses = True
        self.scene.program.notes.classes |= kind in CLASSES or kind.startswith("binary")
        if len(known) > KEPT and not known[-KEPT - 1].flowed:
            known[-KEPT - 1].drop()
        if len(known) > MOST_CALLS:
            del known[: MOST_CALLS // 2]

    def distribution(self, _: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        """A distribution over classes was made: are its logits probabilities already?"""
        logits = kwargs.get("logits", args[2] if len(args) > 2 else None)
        if isinstance(logits, Tensor) and logits.requires_grad:
            made = chain(logits)[-1:]
            for kind, makers in SQUASHED.items():
                if isinstance(args[0], kind) and made and made[0] in makers:
                    self.scene.program.notes.squashed.setdefault(kind.__name__, made[0])

    def likelihood(self, value: Any, *_: Any) -> None:
        """A distribution was asked how probable something is: what an update may be made of."""
        if isinstance(value, Tensor) and value.requires_grad and len(self.scene.likelihoods) < KEPT:
            self.scene.likelihoods.append(value)

    def refused(self, kind: str, signature: Any, args: Any, kwargs: Any) -> None:
        """A loss function has raised: were there labels for which there is no class?"""
        given = dict(signature.bind(*args, **kwargs).arguments)
        prediction, target = given.get("input"), given.get("target")
        if not isinstance(prediction, Tensor) or not isinstance(target, Tensor) or target.is_floating_point():
            return
        counted = target[target != given.get("ignore_index", -100)]
        if kind in CLASSES and prediction.ndim > 1 and len(counted):
            self.scene.program.notes.labels = (prediction.shape[1], int(counted.min()), int(counted.max()))

    def before_backward(self, given: Any) -> None:
        """A backward pass begins: what lies in the gradients already?"""
        loss = next(iter(tensors(given)), None)
        if loss is None:
            return
        self.scene.program.backwards += 1
        self.by_hand.close(loss)
        # An optimizer may step in a hook, before the backward pass is over.
        value = float(loss.detach()) if loss.numel() == 1 else float("nan")
        self.scene.backwards.append(Backward(loss, scaled=self.scene.scaled, value=value))
        for held, optimizer in self.scene.program.living():
            if not held.cleared and held.fresh:
                held.cleared = empty(optimizer)
            held.order.append("backward")

    def after_backward(self, given: Any) -> None:
        """A backward pass is over."""
        self.scene.scaled = False
        for held, optimizer in self.scene.program.living():
            held.left = first_gradient(optimizer)
        self.by_hand.begin()

    def cleared(self, owner: Any, *_: Any) -> None:
        """Gradients are cleared, by an optimizer or a module."""
        ids = {id(p) for group in owner.param_groups for p in group["params"]} if isinstance(owner, Optimizer) else None
        ids = ids if ids is not None else {id(parameter) for parameter in owner.parameters()}
        for held, _optimizer in self.scene.program.living():
            mine = len(ids & held.parameters)
            if 0 < mine * 2 <= len(held.parameters):
                held.order.append("zero of a part")
            elif mine:
                held.cleared = True
                held.order.append("zero")
                for call in self.scene.calls:
                    call.wiped |= bool(call.flowed)

    def clipped(self, parameters: list[Tensor], limit: Any, norm: Any) -> None:
        """Gradients were clipped."""
        if not math.isfinite(float(limit)):
            return  # whoever wants to know the norm
        ids = {id(parameter) for parameter in parameters}
        for held, _ in self.scene.program.living():
            if ids & held.parameters:
                held.order.append("clip")
                held.clip_scaled |= self.scaled_now(held)
        self.scene.program.notes.clips = True
        if norm is not None:
            self.scene.clips.append((float(norm), float(limit)))

    def scaled_now(self, held: Held) -> bool:
        """Whether the gradients that lie there are those of a scaled loss, and not unscaled yet."""
        last = [name for name in held.order if name in ("backward", "unscale")]
        return bool(last and last[-1] == "backward" and self.scene.backwards and self.scene.backwards[-1].scaled)

    def scaler(self, name: str) -> Callable[..., None]:
        """What listens to the GradScaler's method `name`."""

        def told(scaler: Any, *args: Any) -> None:
            if not scaler.is_enabled():
                return
            self.scene.program.scalers = True
            self.scene.scaled |= name == "scale"
            counts = self.scene.program.notes.scaler
            counts[name] = counts.get(name, 0) + 1
            if name == "unscale_":
                for held, optimizer in self.scene.program.living():
                    if args and args[0] is optimizer:
                        held.order.append("unscale")

        told.__name__ = f"scaler_{name}"
        return told


def empty(optimizer: Optimizer, looked_at: int = 4) -> bool:
    """Whether an optimizer's gradients are all missing or zero; of those there are, the first few are looked at."""
    found = [p.grad for group in optimizer.param_groups for p in group["params"] if p.grad is not None]
    return not any(bool(gradient.any()) for gradient in found[:looked_at])
