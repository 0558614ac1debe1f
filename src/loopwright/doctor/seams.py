"""The seams that every PyTorch program has, and how the doctor listens there: functions of torch are replaced by ones
that tell the eyes and then do what they always did. `remove` puts everything back.

While nobody looks, all that is left in a step is a hook that torch calls for every optimizer.
"""

from __future__ import annotations

import functools
import inspect
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import distributions, nn
from torch.nn import functional
from torch.optim import Optimizer, lr_scheduler
from torch.optim import optimizer as optimizers
from torch.utils.data import DataLoader
from torch.utils.data import dataloader as loading

from loopwright.doctor.eyes import Eyes
from loopwright.doctor.measures import having, traced
from loopwright.doctor.shield import Shield

LOSSES = (
    *("cross_entropy", "nll_loss", "binary_cross_entropy", "binary_cross_entropy_with_logits", "kl_div"),
    *("mse_loss", "l1_loss", "smooth_l1_loss", "huber_loss"),
    *("multi_margin_loss", "soft_margin_loss", "hinge_embedding_loss"),
)
SCHEDULES = (lr_scheduler.LRScheduler, lr_scheduler.ReduceLROnPlateau)
EARLY = 3
PAIRS = {"__sub__": "difference", "__mul__": "product"}
SCRIPTS = ("script", "trace")
INSIDE = ("relu", "relu_", "dropout", "dropout1d", "dropout2d", "dropout3d", "scaled_dot_product_attention")
"""Functions that are called inside of models."""
Wrapper = Callable[..., Any]


@dataclass(frozen=True)
class Seam:
    """A function of torch, and what stands in its place while somebody listens."""

    owner: Any
    name: str
    original: Any
    wrapper: Wrapper

    def put(self, function: Any) -> None:
        """Let the name stand for `function`."""
        setattr(self.owner, self.name, function)


class Seams:
    """Listens for `eyes` from `install` to `remove`.

    What is rare is listened to all the time; what happens in every step, only while somebody looks.
    """

    def __init__(self, eyes: Eyes) -> None:
        self.eyes = eyes
        self.scene = eyes.scene
        self.standing: list[Seam] = []
        self.switched: list[Seam] = []
        self.handles: list[Any] = []
        self.thread = threading.get_ident()

    def install(self) -> None:
        """Replace the functions, once."""
        scene = self.scene
        self.standing = list(self.rare())
        self.switched = list(self.frequent())
        for seam in self.standing:
            seam.put(seam.wrapper)
        self.handles = [optimizers.register_optimizer_step_post_hook(self._post_step())]
        scene.watch = self.watch
        self.watch(scene.stretch)
        for name in LOSSES:
            scene.losses[name] = next(seam.original for seam in self.switched if seam.name == name)

    def rare(self) -> Iterator[Seam]:
        """What happens once in a while."""
        samples, updates = self.eyes.samples, self.eyes.updates
        always, after = functools.partial(self._always, samples.no_grad), self._after
        yield self._seam(nn.Module, "train", functools.partial(self._always, samples.mode))
        yield self._seam(nn.Module, "load_state_dict", self._loaded)
        for kind in having("load_state_dict", Optimizer, *SCHEDULES):
            yield self._seam(kind, "load_state_dict", functools.partial(after, samples.state_loaded))
        yield self._seam(Optimizer, "__init__", functools.partial(after, updates.built))
        for kind in having("step", *SCHEDULES):
            yield self._seam(kind, "step", functools.partial(after, updates.scheduled))
        for name in ("scale", "unscale_", "step", "update"):
            yield self._seam(
                torch.amp.GradScaler, name, functools.partial(self._told, self.eyes.gradients.scaler(name))
            )
        yield self._seam(torch, "load", functools.partial(self._gave, samples.read))
        yield self._seam(torch, "save", functools.partial(after, samples.saved))
        yield self._seam(DataLoader, "__iter__", self._epoch)
        yield self._seam(loading._BaseDataLoaderIter, "__next__", self._batch)
        yield self._seam(torch.no_grad, "__enter__", always)
        yield self._seam(torch.inference_mode, "__enter__", always)
        for owner, name in ((torch, "randperm"), (np.random, "permutation")):
            yield self._seam(owner, name, functools.partial(self._gave, samples.order))
        yield self._seam(torch, "compile", functools.partial(self._unseen, samples.compiled))
        yield from (self._seam(torch.jit, each, functools.partial(self._unseen, lambda: None)) for each in SCRIPTS)

    def frequent(self) -> Iterator[Seam]:
        """What happens in every step."""
        cleared = functools.partial(self._told, self.eyes.gradients.cleared)
        yield self._seam(torch.autograd, "backward", self._backward)
        for name in LOSSES:
            yield self._seam(functional, name, functools.partial(self._loss, name))
        for kind in having("zero_grad", Optimizer, nn.Module):
            yield self._seam(kind, "zero_grad", cleared)
        for name in ("clip_grad_norm_", "clip_grad_value_"):
            for place in (torch.nn.utils, torch.nn.utils.clip_grad):
                yield self._seam(place, name, functools.partial(self._clip, name))
        forwards = self.eyes.forwards
        tells: dict[str, Callable[..., None]] = {"relu": forwards.activation, "drop": forwards.dropped}
        for name in INSIDE:
            tell = tells.get(name[:4], forwards.attended)
            owner = torch if name.startswith("relu") else functional  # whose relu calls that of torch
            yield self._seam(owner, name, functools.partial(self._seen, tell))
        for kind in (distributions.Categorical, distributions.Bernoulli):
            yield self._seam(kind, "__init__", functools.partial(self._seen, self.eyes.gradients.distribution))
        for kind in (distributions.Categorical, distributions.Bernoulli, distributions.Normal):
            yield self._seam(kind, "log_prob", functools.partial(self._seen, self.eyes.gradients.likelihood))
        yield self._seam(distributions.Normal, "sample", functools.partial(self._seen, forwards.sampled))

    def remove(self) -> None:
        """Put everything back."""
        self.watch(False)
        for seam in self.standing:
            seam.put(seam.original)
        for handle in self.handles:
            handle.remove()
        self.standing, self.switched, self.handles = [], [], []

    def watch(self, wanted: bool) -> None:
        """Listen to what happens in every step, or no longer."""
        for seam in self.switched:
            inside = self.scene.program.compiled and seam.name in INSIDE  # what is compiled would be compiled anew
            seam.put(seam.wrapper if wanted and not inside else seam.original)
        owner: Any = nn.Module
        if self.scene.program.compiled:
            owner = getattr(torch._dynamo.eval_frame, "OptimizedModule", nn.Module)
        for handle in self.handles[1:]:  # the one before a step, which is there while somebody looks
            handle.remove()
        self.handles[1:] = [optimizers.register_optimizer_step_pre_hook(self._pre_step())] if wanted else []
        self.watch_pairs(wanted and self.scene.program.count < EARLY and not self.scene.program.compiled)
        watched = getattr(owner.__call__, "loopwright", None)
        if wanted and watched is None:
            setattr(owner, "__call__", self._call(owner.__call__))  # noqa: B010 - a method of a class
        elif not wanted:
            for each in (nn.Module, owner):
                original = getattr(each.__call__, "loopwright", None)
                if original is not None:
                    setattr(each, "__call__", original)  # noqa: B010

    def watch_pairs(self, wanted: bool) -> None:
        """Listen to `a - b` and `a * b` of tensors, in the first steps alone."""
        for name in PAIRS:
            known = vars(torch.Tensor).get(name)
            if wanted and known is None:
                setattr(torch.Tensor, name, self._pair(name, getattr(torch.Tensor, name)))
            elif not wanted and hasattr(known, "loopwright"):
                delattr(torch.Tensor, name)

    def _pair(self, name: str, original: Any) -> Wrapper:
        eyes, scene = self.eyes, self.scene

        def pair(one: Any, other: Any) -> Any:
            result = original(one, other)
            if scene.on and result is not NotImplemented and not traced():
                scene.safely(eyes.forwards.paired, PAIRS[name], one, other, result)
            return result

        pair.loopwright = original  # type: ignore[attr-defined]
        return pair

    def _seam(self, owner: Any, name: str, wrap: Callable[[Any], Wrapper]) -> Seam:
        original = inspect.getattr_static(owner, name) if inspect.isclass(owner) else getattr(owner, name)
        return Seam(owner, name, original, wrap(original))

    def _pre_step(self) -> Wrapper:
        scene, before = self.scene, self.eyes.updates.before_step

        def pre_step(optimizer: Optimizer, args: Any, kwargs: Any) -> None:
            scene.safely(before, optimizer, args, kwargs)

        return pre_step

    def _post_step(self) -> Wrapper:
        """Runs in every step of the program: it counts, and no more, while nobody looks."""
        scene, updates, program = self.scene, self.eyes.updates, self.scene.program
        known, shield = program.held, Shield("unseen", scene.failures)

        def post_step(optimizer: Optimizer, args: Any, kwargs: Any) -> None:
            if scene.stretch:
                scene.safely(updates.after_step, optimizer, args, kwargs)
                return
            program.count = count = program.count + 1
            held = known.get(id(optimizer))
            if held is None:
                scene.safely(updates.known, optimizer)
                return
            held.steps += 1
            groups = optimizer.param_groups
            if held.order or len(groups) != 1 or groups[0].get("lr") is not held.rate.now:  # seldom
                with shield:
                    updates.unseen(held, optimizer)
            if count >= scene.following:
                scene.safely(scene.ended)

        return post_step

    def _told(self, tell: Callable[..., None], original: Any) -> Wrapper:
        """Tell with the arguments, then do."""
        scene = self.scene

        @functools.wraps(original)
        def wrapper(*args: Any, **kwargs: Any) -> Any:
            if not traced():
                scene.tell(tell, original, args, kwargs)
            return original(*args, **kwargs)

        return wrapper

    def _always(self, tell: Callable[..., None], original: Any) -> Wrapper:
        """Tell with the first argument, watching or not: of what is rare or must be cheap."""

        @functools.wraps(original)
        def wrapper(*args: Any, **kwargs: Any) -> Any:
            if not traced():
                tell(*args)
            return original(*args, **kwargs)

        return wrapper

    def _after(self, tell: Callable[..., None], original: Any) -> Wrapper:
        """Do, then tell with the arguments; watching or not, since this is rare."""
        scene = self.scene

        @functools.wraps(original)
        def wrapper(*args: Any, **kwargs: Any) -> Any:
            result = original(*args, **kwargs)
            scene.tell(tell, original, args, kwargs)
            return result

        return wrapper

    def _backward(self, original: Any) -> Wrapper:
        eyes, scene = self.eyes, self.scene

        @functools.wraps(original)
        def backward(tensors: Any, *args: Any, **kwargs: Any) -> Any:
            if not scene.on or traced():
                return original(tensors, *args, **kwargs)
            scene.safely(eyes.gradients.before_backward, tensors)
            result = original(tensors, *args, **kwargs)
            scene.safely(eyes.gradients.after_backward, tensors)
            return result

        return backward

    def _loss(self, kind: str, original: Any) -> Wrapper:
        eyes, scene = self.eyes, self.scene
        signature = inspect.signature(original)

        @functools.wraps(original)
        def loss(*args: Any, **kwargs: Any) -> Any:
            try:
                value = original(*args, **kwargs)
            except (IndexError, RuntimeError):
                scene.safely(eyes.gradients.refused, kind, signature, args, kwargs)
                raise
            if scene.on and not traced():
                scene.safely(eyes.gradients.loss, kind, signature, args, kwargs, value)
            return value

        return loss

    def _clip(self, kind: str, original: Any) -> Wrapper:
        eyes, scene = self.eyes, self.scene
        signature = inspect.signature(original)

        @functools.wraps(original)
        def clip(*args: Any, **kwargs: Any) -> Any:
            given = signature.bind(*args, **kwargs)
            parameters, limit = list(given.arguments.values())[:2]
            listed = [parameters] if isinstance(parameters, torch.Tensor) else list(parameters)
            given.arguments["parameters"] = listed  # what was a generator can be read once
            result = original(*given.args, **given.kwargs)
            if scene.on:
                scene.safely(eyes.gradients.clipped, listed, limit, result if kind == "clip_grad_norm_" else None)
            return result

        return clip

    def _batch(self, original: Any) -> Wrapper:
        eyes, scene = self.eyes, self.scene

        @functools.wraps(original)
        def following(iterator: Any) -> Any:
            batch = original(iterator)
            loader = scene.iterators.get(id(iterator))
            if loader is not None:
                loader.drawn[-1] += 1
            if scene.on:
                scene.safely(eyes.samples.batch, iterator, batch)
            return batch

        return following

    def _epoch(self, original: Any) -> Wrapper:
        eyes, scene = self.eyes, self.scene

        @functools.wraps(original)
        def iterate(loader: Any) -> Any:
            iterator = original(loader)
            scene.safely(eyes.samples.epoch, loader, iterator)
            return iterator

        return iterate

    def _seen(self, tell: Callable[..., None], original: Any) -> Wrapper:
        """Do, then tell with what came out and the arguments, while somebody looks."""
        scene = self.scene

        @functools.wraps(original)
        def wrapper(*args: Any, **kwargs: Any) -> Any:
            output = original(*args, **kwargs)
            if scene.on and not traced():
                scene.safely(tell, output, args, kwargs)
            return output

        return wrapper

    def _unseen(self, tell: Callable[[], None], original: Any) -> Wrapper:
        """What compiles a model reads, traces or keeps what it meets, and finds torch's own functions there."""

        @functools.wraps(original)
        def compile_bare(*args: Any, **kwargs: Any) -> Any:
            self.remove()
            try:
                return original(*args, **kwargs)
            finally:
                tell()
                self.install()

        return compile_bare

    def _gave(self, tell: Callable[..., None], original: Any) -> Wrapper:
        """Do, then tell with what came out, watching or not."""
        scene = self.scene

        @functools.wraps(original)
        def wrapper(*args: Any, **kwargs: Any) -> Any:
            output = original(*args, **kwargs)
            scene.safely(tell, output)
            return output

        return wrapper

    def _loaded(self, original: Any) -> Wrapper:
        eyes, scene = self.eyes, self.scene

        @functools.wraps(original)
        def load_state_dict(module: nn.Module, *args: Any, **kwargs: Any) -> Any:
            result = original(module, *args, **kwargs)
            scene.safely(eyes.samples.loaded, module, (*args, *kwargs.values()), result)
            return result

        return load_state_dict

    def _call(self, original: Any) -> Wrapper:
        eyes, scene, thread = self.eyes, self.scene, self.thread

        @functools.wraps(original)
        def call(module: nn.Module, *args: Any, **kwargs: Any) -> Any:
            if not scene.on or traced() or threading.get_ident() != thread:
                return original(module, *args, **kwargs)
            token = scene.safely(eyes.forwards.enter, module, args, kwargs)
            try:
                result = original(module, *args, **kwargs)
            except BaseException:
                scene.safely(eyes.forwards.unwind, module)
                raise
            scene.safely(eyes.forwards.leave, module, token, result)
            return result

        call.loopwright = original  # type: ignore[attr-defined]
        return call
