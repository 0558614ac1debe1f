"""One step of a run, done by the loop itself and watched from outside: what went in, what each module gave, what came
out.

Watching copies; it draws no random number and changes no bit.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field, replace
from typing import Any, cast

import torch
import xxhash
from torch import Tensor, nn

from loopwright.bits import as_bytes, leaves
from loopwright.core.experiment import Cadence, Experiment
from loopwright.core.loop import train_step
from loopwright.core.state import State
from loopwright.errors import NonFiniteError
from loopwright.journal.journal import step_records
from loopwright.lines import Record, comparable
from loopwright.matching.tensors import Tensors
from loopwright.protocols import Batch


@dataclass(frozen=True)
class Call:
    """One forward call of a module in a shard: a digest of what it was given, copies of what it gave."""

    module: str
    kind: str
    shard: int
    inputs: str
    outputs: Tensors

    @property
    def place(self) -> tuple[str, int]:
        """Which module in which shard."""
        return self.module, self.shard

    @property
    def title(self) -> str:
        """The module's name and class."""
        return f"{self.module} ({self.kind})"


@dataclass(frozen=True)
class AttentionMap:
    """Attention weights (B, H, T, S) that a module, or a function called inside of it, used in a shard.

    `mean_of` is over how many heads they are a mean; H is 1 then.
    """

    module: str
    shard: int
    weights: Tensor
    mean_of: int = 1


@dataclass
class Watch:
    """What a step does, noted while it runs. `shard` is the one under way, `inside` the modules, the innermost last."""

    shard: int = 0
    inside: list[str] = field(default_factory=list)
    calls: list[Call] = field(default_factory=list)
    maps: list[AttentionMap] = field(default_factory=list)
    backward: list[str] = field(default_factory=list)
    gradients: dict[str, Tensor] = field(default_factory=dict)


@dataclass(frozen=True)
class Trace:
    """A step that was done: its record as the history has it, and copies of all its tensors, on the CPU.

    `before` and `after` are the state's tensors by dotted path (`model.…`, `optimizer.…`). `gradients` are those of
    the whole batch, unscaled and not clipped, in the order in which the backward pass reached the parameters.
    A step that `broke`, and how, ended before its update.
    """

    record: Record
    shards: Sequence[Batch]
    before: Tensors
    after: Tensors
    calls: Sequence[Call]
    maps: Sequence[AttentionMap]
    gradients: Tensors
    broke: str = ""


Watching = Callable[[State, Watch], AbstractContextManager[None]]
"""What is watched besides gradients and weights."""


@contextmanager
def unwatched(state: State, watch: Watch) -> Iterator[None]:
    """Watch no module."""
    yield


def trace_step(
    experiment: Experiment, state: State, cadence: Cadence, shards: Sequence[Batch], watching: Watching = unwatched
) -> Trace:
    """Do one step, as the loop does it, and keep what was seen of it; of one that is not finite, up to there."""
    watch, before, given = Watch(), tensors_of(state), [copied(shard) for shard in shards]
    broke = ""
    with gradients_kept(state, watch), watching(state, watch):
        try:
            record = comparable(step_records([train_step(experiment, state, cadence, shards)], [0.0])[0])
        except NonFiniteError as error:
            broke, record = str(error), broken_record(error, state, cadence, shards)
    return Trace(
        record=record,
        shards=given,
        before=before,
        after=tensors_of(state),
        calls=watch.calls,
        maps=watch.maps,
        gradients={name: watch.gradients[name] for name in watch.backward},
        broke=broke,
    )


def broken_record(error: NonFiniteError, state: State, cadence: Cadence, shards: Sequence[Batch]) -> Record:
    """What the history would have of a step if it were not for the numbers that ended it."""
    rate, samples = state.optimizer.param_groups[0]["lr"], sum(len(shard) for shard in shards)
    about = {"kind": "step", "step": error.step, "epoch": state.step // cadence.epoch, "lr": rate, "samples": samples}
    return {**about, "loss": dict(error.losses), "grad_norm": error.grad_norm}


def tensors_of(state: State) -> dict[str, Tensor]:
    """Copies of the tensors that the next step depends on: weights, buffers, the optimizer's memory."""
    return copies({"model": state.model.state_dict(), "optimizer": state.optimizer.state_dict()})


def copies(tree: Any) -> dict[str, Tensor]:
    """Copies of the tensors in nested mappings, lists and tuples, by dotted path."""
    return {path: copy(leaf) for path, leaf in leaves(tree).items() if isinstance(leaf, Tensor)}


def copy(tensor: Tensor) -> Tensor:
    """A copy on the CPU that nothing else writes to."""
    dense = tensor.detach().to_dense() if tensor.is_sparse else tensor.detach()
    return dense.to("cpu", copy=True)


def copied(shard: Batch) -> Batch:
    """A copy of a shard: a model may change what it is given."""
    return replace(shard, tensors={name: copy(tensor) for name, tensor in shard.tensors.items()})


class WatchedScaler:
    """The state's scaler: what `scale` is called with ends a shard's forward pass, after `unscale_` the gradients are
    those of the batch."""

    def __init__(self, scaler: torch.amp.GradScaler, state: State, watch: Watch) -> None:
        self.scaler, self.state, self.watch = scaler, state, watch

    def __getattr__(self, name: str) -> Any:
        return getattr(self.scaler, name)

    def scale(self, loss: Tensor) -> Tensor:
        """Pass on; another shard is next. What has no gradient is no loss: a step begins the scaler with a zero."""
        self.watch.shard += loss.requires_grad
        return self.scaler.scale(loss)

    def unscale_(self, optimizer: torch.optim.Optimizer) -> None:
        """Pass on; keep the gradients."""
        self.scaler.unscale_(optimizer)
        for name, parameter in self.state.model.named_parameters():
            if parameter.grad is not None:
                self.watch.gradients[name] = copy(parameter.grad)


@contextmanager
def gradients_kept(state: State, watch: Watch) -> Iterator[None]:
    """Note the gradients of the batch, and in which order the backward pass reached the parameters."""

    def reached(name: str) -> Callable[[Tensor], None]:
        return lambda parameter: None if name in watch.backward else watch.backward.append(name)

    handles = [
        parameter.register_post_accumulate_grad_hook(reached(name))
        for name, parameter in state.model.named_parameters()
        if parameter.requires_grad
    ]
    scaler = state.scaler
    state.scaler = cast(torch.amp.GradScaler, WatchedScaler(scaler, state, watch))
    try:
        yield
    finally:
        state.scaler = scaler
        for handle in handles:
            handle.remove()


@contextmanager
def module_calls(state: State, watch: Watch) -> Iterator[None]:
    """Note every forward call of every module, in the order in which they end.

    A compiled model is one module: hooks inside of it would change what is compiled.
    """
    compiled = state.forward is not state.model
    modules = [("", state.forward)] if compiled else list(state.model.named_modules())
    given: list[str] = []
    handles = []

    def enter(name: str) -> Callable[..., None]:
        def hook(module: nn.Module, arguments: Any, named: Any) -> None:
            if not recomputing():
                watch.inside.append(name or "the model")
                given.append(digest((arguments, named)))

        return hook

    def leave(module: nn.Module, arguments: Any, output: Any) -> None:
        if not recomputing():
            name, inputs = watch.inside.pop(), given.pop()
            watch.calls.append(Call(name, type(module).__name__, watch.shard, inputs, copies(output)))

    for name, module in modules:
        handles.append(module.register_forward_pre_hook(enter(name), with_kwargs=True))
        handles.append(module.register_forward_hook(leave))
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


def recomputing() -> bool:
    """Whether a backward pass is under way: activation checkpointing calls modules a second time there, not all of them
    to the end."""
    return bool(torch._C._current_graph_task_id() != -1)


def digest(value: Any) -> str:
    """A digest of the tensors in `value`, with their shapes and dtypes."""
    found = xxhash.xxh3_128()
    for path, tensor in copies(value).items():
        found.update(f"{path} {tensor.dtype} {tuple(tensor.shape)}\n".encode())
        found.update(as_bytes(tensor).numpy().data)
    return found.hexdigest()
