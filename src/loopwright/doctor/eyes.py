"""The eyes: what the seams tell becomes records of calls, losses, steps and phases.

`stretch` says whether this part of the program is looked at: from the beginning, for a number of steps; later for a
step now and then, as the doctor decides. `on` is the same, but for the time in which the doctor itself is at work.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import Any, TypeVar, cast
from weakref import ref

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from loopwright.doctor.measures import (
    Anatomy,
    Stats,
    bits,
    chain,
    chosen,
    fingerprint,
    leaves,
    norms,
    rows,
    tensors,
)
from loopwright.doctor.records import Backward, Call, Held, Loader, LossCall, Phase, Program, Schedule, Step
from loopwright.doctor.shield import Failures, Shield
from loopwright.doctor.summaries import summarized

T = TypeVar("T")

PHASE_CALLS = 24
"""How many forward passes of a phase are looked at closely."""
ROWS = 200_000
QUIET_FILES = ("clip_grad.py", "optimizer.py", "init.py", "swa_utils.py", "adam.py", "adamw.py", "sgd.py")
"""Where torch itself turns gradients off, in each step: no sign that the program does something else now."""


class Eyes:
    """Listens to the seams; tells `judge` of each step that was looked at and `reflect` of each phase."""

    def __init__(self, failures: Failures) -> None:
        self.failures = failures
        self.program = Program()
        self.stretch = False
        self.on = False
        self.in_step = False
        self.seconds = 0.0
        self.stack: list[nn.Module] = []
        self.calls: list[Call] = []
        self.loss_calls: list[LossCall] = []
        self.backwards: list[Backward] = []
        self.clips: list[tuple[float, float]] = []
        self.pending: dict[int, list[tuple[str, Tensor, Tensor]]] = {}
        self.losses: dict[str, Callable[..., Tensor]] = {}
        self.anatomies: dict[int, tuple[ref[nn.Module], Anatomy]] = {}
        self.made: dict[int, tuple[Tensor, nn.Module]] = {}
        self.last_batch: tuple[set[int], Loader | None] = (set(), None)
        self.iterators: dict[int, Loader] = {}
        self.scaled = False
        self.by_hand: Optimizer | None = None
        self.mark = (0, 0)
        self.watch_forwards: Callable[[bool], None] = lambda wanted: None
        self.judge: Callable[[Step], None] = lambda step: None
        self.reflect: Callable[[Phase], None] = lambda phase: None
        self.ended: Callable[[], None] = lambda: None
        self.wants_phase: Callable[[], bool] = lambda: True
        self.called: Callable[[Call], None] = lambda call: None

    def safely(self, tell: Callable[..., T], *args: Any) -> T | None:
        """Call a handler with the eyes closed, so that it does not see itself; its mistakes switch it off."""
        name = getattr(tell, "__name__", str(tell))
        if name in self.failures:
            return None
        self.on, began = False, time.perf_counter()
        told: T | None = None
        with Shield(name, self.failures):
            told = tell(*args)
        self.on = self.stretch
        self.seconds += time.perf_counter() - began
        return told

    def open(self) -> None:
        """Look from now on."""
        if not self.stretch:
            self.stretch = True
            self.on = True
            self.watch_forwards(True)

    def close(self) -> None:
        """Look no longer; what was begun is forgotten."""
        self.stretch = self.on = False
        self.watch_forwards(False)
        for held in self.program.held.values():
            held.fresh = False
        self.stack.clear()
        self.forget()

    def forget(self) -> None:
        """Let go of the tensors of what was seen last."""
        self.calls, self.loss_calls, self.backwards, self.clips = [], [], [], []
        self.made.clear()
        self.pending.clear()

    # Forward passes.

    def enter(self, module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Call | None:
        """A module is called; the outermost with parameters makes a Call."""
        outermost = not self.stack
        self.stack.append(module)
        if not outermost:
            inside = self.calls[-1] if self.calls and self.calls[-1].module is self.stack[0] else None
            if inside is not None:
                inside.ran.add(id(module))
            if isinstance(module, nn.Linear) and args:
                self.follow(module, args[0])
            return None
        anatomy = self.anatomy(module)
        if not anatomy.names:
            return None
        inputs = leaves(args, kwargs)
        call = Call(
            module=module,
            args=args,
            kwargs=kwargs,
            training=module.training,
            grad=torch.is_grad_enabled(),
            inputs=inputs,
            ran={id(module)},
            quiet=[name for name, part in (*anatomy.dropouts, *anatomy.batch_norms) if not part.training],
            active=[name for name, part in (*anatomy.dropouts, *anatomy.batch_norms) if part.training],
            half=str(torch.get_autocast_dtype(inputs[0].device.type)) if inputs and autocasting(inputs[0]) else "",
            batch=any(tensor.data_ptr() in self.last_batch[0] for tensor in inputs),
        )
        self.calls.append(call)
        self.program.calls += 1
        return call

    def follow(self, layer: nn.Linear, given: Any) -> None:
        """Note a linear layer whose input is another's output, untouched."""
        before = self.made.get(id(given))
        if before is not None and before[0] is given and before[1] is not layer:
            pairs = self.program.notes.setdefault("linear_pairs", {})
            if len(pairs) < 8:
                pairs.setdefault((id(before[1]), id(layer)), (before[1], layer))

    def leave(self, module: nn.Module, call: Call | None, args: tuple[Any, ...], result: Any) -> None:
        """A module's call is over."""
        self.unwind(module)
        if call is None:
            if isinstance(module, nn.Linear) and isinstance(result, Tensor) and self.program.count < 3:
                self.made[id(result)] = (result, module)
            return
        call.outputs = leaves(result)
        if call.inputs:
            self.measure(call)
        if call.grad:
            for number, tensor in enumerate(call.outputs):
                if tensor.requires_grad:
                    tensor.register_hook(marker(call.flowed, number))
        self.called(call)
        if len(self.calls) > 4 * PHASE_CALLS:
            self.calls = self.calls[-PHASE_CALLS:]

    def subtracted(self, one: Any, other: Any, result: Any) -> None:
        """A difference of two tensors: do their shapes make a table of pairs?"""
        if not isinstance(one, Tensor) or not isinstance(other, Tensor) or not result.requires_grad:
            return
        shapes = tuple(one.shape), tuple(other.shape), tuple(result.shape)
        if len(shapes[0]) != len(shapes[1]) and {*map(len, shapes[:2])} == {1, 2} and result.numel() > 1:
            column, row = (one, other) if one.ndim == 2 else (other, one)
            if column.shape[1] == 1 and len(column) == len(row) > 1:
                counts = self.program.notes.setdefault("broadcast", {})
                counts[shapes] = counts.get(shapes, 0) + 1

    def abandon(self, module: nn.Module) -> None:
        """A module's call has raised."""
        self.unwind(module)

    def unwind(self, module: nn.Module) -> None:
        """Take a module, and what was left above it, from the stack."""
        if module in self.stack:
            while self.stack.pop() is not module:
                pass

    def measure(self, call: Call) -> None:
        """Statistics and rows of a call's input, of training and of phases apart."""
        first, notes = call.inputs[0], self.program.notes
        kind = "train" if call.grad else "phase"
        measured = notes.setdefault(f"{kind}_stats", [])
        call.hash = fingerprint(first)
        if call.grad:
            seen = notes.setdefault("hashes", {}).setdefault(id(call.module), set())
            if len(seen) < 64:
                seen.add(call.hash)
            notes.setdefault("shapes", set()).add((id(call.module), tuple(first.shape[1:])))
        if first.is_floating_point() and first.numel() and len(measured) < 64:
            measured.append((self.program.count, id(call.module), Stats.of(first)))
        if first.ndim > first.is_floating_point() and first.numel() <= 4_000_000:
            if call.grad and len(first) >= 16:
                notes["bits"] = max(bits(first), notes.get("bits", 0.0))
            known: dict[int, int] = notes.setdefault("train_rows", {})
            if not call.grad:
                call.rows = rows(first)
            elif len(known) < ROWS:
                for row in rows(first):
                    known[row] = known.get(row, 0) + 1

    def activation(self, output: Any) -> None:
        """A rectifier has put out something: which units are zero for every sample?"""
        if not isinstance(output, Tensor) or output.ndim < 2 or len(output) < 8 or not torch.is_grad_enabled():
            return
        place = next((self.anatomy(self.stack[0]).modules.get(id(m), "") for m in reversed(self.stack)), "")
        flat = output.detach().flatten(2).amax(2) if output.ndim > 2 else output.detach()
        dead = float((flat.amax(0) <= 0).float().mean())
        shares = self.program.notes.setdefault("dead", {})
        shares.setdefault(place or "a rectifier", {})[self.program.count] = (dead, flat.shape[1])

    def anatomy(self, module: nn.Module) -> Anatomy:
        """What a module is made of; looked up again where parameters came, went, froze or thawed."""
        known = self.anatomies.get(id(module))
        if known is not None and known[0]() is module and self.program.count > known[1].looked_at + 50:
            known = None
        if known is None or known[0]() is not module:
            found = Anatomy.of(module, self.program.count)
            self.anatomies[id(module)] = known = (ref(module), found)
        return known[1]

    # Losses and gradients.

    def loss(self, kind: str, signature: Any, args: Any, kwargs: Any, value: Any) -> None:
        """A loss function was called."""
        given = dict(signature.bind(*args, **kwargs).arguments)
        prediction, target = given.pop("input", None), given.pop("target", None)
        if not isinstance(prediction, Tensor) or not isinstance(target, Tensor) or not isinstance(value, Tensor):
            return
        call = LossCall(kind, prediction, target, given, value.requires_grad, value, chain(prediction))
        if value.requires_grad:
            value.register_hook(marker(call.flowed, 0))
        self.loss_calls.append(call)
        self.program.notes["losses"] = True
        if len(self.loss_calls) > 4 * PHASE_CALLS:
            self.loss_calls = self.loss_calls[-PHASE_CALLS:]

    def before_backward(self, given: Any) -> None:
        """A backward pass begins: what lies in the gradients already?"""
        loss = next(iter(tensors(given)), None)
        if loss is None:
            return
        self.program.backwards += 1
        self.close_by_hand(loss)
        self.backwards.append(Backward(loss, scaled=self.scaled))
        for held, optimizer in self.program.living():
            if not held.cleared and held.fresh:
                held.cleared = empty(optimizer)
            held.order.append("backward")

    def after_backward(self, given: Any) -> None:
        """A backward pass is over."""
        self.scaled = False
        if self.backwards and self.backwards[-1].loss.numel() == 1:
            self.backwards[-1].value = float(self.backwards[-1].loss.detach())
        if self.by_hand is not None:
            self.note_start(self.known(self.by_hand), self.by_hand)
            self.mark = len(self.calls), len(self.loss_calls)

    def close_by_hand(self, loss: Tensor) -> None:
        """Where there is no optimizer, a step ends when the next backward pass begins."""
        if self.by_hand is None:
            if self.program.held or self.program.backwards < 3 or loss.grad_fn is None:
                return
            leaves_ = [leaf for leaf in graph_leaves(loss) if leaf.ndim]
            if leaves_:
                self.by_hand = cast(Optimizer, ByHand(leaves_))
                self.adopt(self.by_hand)
            return
        if any(held.kind != "ByHand" for held in self.program.held.values()):
            self.by_hand = None
            return
        pending = self.pending.get(id(self.by_hand), [])
        if any(not torch.equal(parameter.detach(), old) for _, parameter, old in pending):
            later = self.calls[self.mark[0] :], self.loss_calls[self.mark[1] :]
            self.calls, self.loss_calls = self.calls[: self.mark[0]], self.loss_calls[: self.mark[1]]
            self.after_step(self.by_hand, (), {})
            self.calls, self.loss_calls = later

    def cleared(self, owner: Any, *_: Any) -> None:
        """Gradients are cleared, by an optimizer or a module."""
        ids = {id(p) for group in owner.param_groups for p in group["params"]} if isinstance(owner, Optimizer) else None
        ids = ids if ids is not None else {id(parameter) for parameter in owner.parameters()}
        for held, _optimizer in self.program.living():
            if len(ids & held.parameters) * 2 > len(held.parameters):
                held.cleared = True
                held.order.append("zero")

    def clipped(self, parameters: list[Tensor], limit: Any, norm: Any) -> None:
        """Gradients were clipped."""
        ids = {id(parameter) for parameter in parameters}
        for held, _ in self.program.living():
            if ids & held.parameters:
                held.order.append("clip")
                held.clip_scaled |= self.scaled_now(held)
        self.program.notes["clips"] = True
        if norm is not None:
            self.clips.append((float(norm), float(limit)))

    def scaled_now(self, held: Held) -> bool:
        """Whether the gradients that lie there are those of a scaled loss, and not unscaled yet."""
        last = [name for name in held.order if name in ("backward", "unscale")]
        return bool(last and last[-1] == "backward" and self.backwards and self.backwards[-1].scaled)

    def scaler(self, name: str) -> Callable[..., None]:
        """What listens to the GradScaler's method `name`."""

        def told(scaler: Any, *args: Any) -> None:
            if not scaler.is_enabled():
                return
            self.program.scalers = True
            self.scaled |= name == "scale"
            counts = self.program.notes.setdefault("scaler", {})
            counts[name] = counts.get(name, 0) + 1
            if name == "unscale_":
                for held, optimizer in self.program.living():
                    if args and args[0] is optimizer:
                        held.order.append("unscale")

        told.__name__ = f"scaler_{name}"
        return told

    # Optimizers and schedules.

    def built(self, optimizer: Optimizer, *_: Any) -> None:
        """An optimizer was built."""
        self.adopt(optimizer)

    def adopt(self, optimizer: Optimizer) -> Held:
        """The record of an optimizer."""
        parameters = frozenset(id(p) for group in optimizer.param_groups for p in group["params"])
        held = Held(ref(optimizer), type(optimizer).__name__, len(self.program.notes.get("built", [])), parameters)
        settings = {k: v for k, v in optimizer.param_groups[0].items() if isinstance(v, int | float | tuple | bool)}
        self.program.notes.setdefault("built", []).append((held, self.program.count, settings))
        self.program.held[id(optimizer)] = held
        self.program.notes["loaded_before"] = frozenset(self.program.notes.get("loaded", ()))
        held.fresh = self.stretch
        return held

    def before_step(self, optimizer: Optimizer, args: Any, kwargs: Any) -> None:
        """An optimizer is about to make a step: keep what it starts from."""
        self.in_step = True
        if not self.stretch or args[1:] or kwargs.get("closure"):
            return
        self.note_start(self.known(optimizer), optimizer)

    def note_start(self, held: Held, optimizer: Optimizer) -> None:
        """Keep what a step starts from: weights and gradients."""
        self.pending[id(optimizer)] = [
            (name, parameter, parameter.detach().clone())
            for name, parameter in chosen(self.named(optimizer))
            if type(parameter).__name__ != "DTensor"
        ]
        held.norms = {}
        present = [(name, p) for name, p, _ in self.pending[id(optimizer)]]
        there = [(name, p.grad) for name, p in present if p.grad is not None and not p.grad.is_sparse]
        found = dict(zip((name for name, _ in there), norms([g for _, g in there]), strict=True))
        held.norms = {name: found.get(name) for name, _ in present}

    def known(self, optimizer: Optimizer) -> Held:
        """The record of an optimizer, made now where it was built before anybody looked."""
        held = self.program.held.get(id(optimizer))
        if held is None or held.optimizer() is not optimizer:
            held = self.adopt(optimizer)
            held.fresh = False
        ids = frozenset(id(p) for group in optimizer.param_groups for p in group["params"])
        held.parameters = ids
        return held

    def named(self, optimizer: Optimizer) -> list[tuple[str, nn.Parameter]]:
        """The optimizer's parameters with the names that their modules have for them."""
        names: dict[int, str] = {}
        for module, anatomy in self.anatomies.values():
            if module() is not None:
                names = {**anatomy.names, **names}
        found, number = [], 0
        for group in optimizer.param_groups:
            for parameter in group["params"]:
                found.append((names.get(id(parameter), f"parameter {number}"), parameter))
                number += 1
        return found

    def after_step(self, optimizer: Optimizer, args: Any, kwargs: Any) -> None:
        """An optimizer has made a step."""
        self.in_step = False
        program = self.program
        program.count += 1
        held = self.known(optimizer)
        held.steps += 1
        if self.stretch:
            step = self.record(held, optimizer)
            program.trained |= held.parameters
            self.settle(step)
            program.steps.append(step)
            self.judge(step)
            step.calls, step.losses, step.backwards = [], [], []
            held.fresh = True
            self.forget()
        held.order, held.cleared, held.clip_scaled = [], False, False
        for other, _ in program.living():
            if other is not held:
                other.order.append("other step")
        self.ended()

    def record(self, held: Held, optimizer: Optimizer) -> Step:
        """The step that was just made."""
        before = self.pending.pop(id(optimizer), [])
        names = [name for name, _, _ in before]
        moved = [(parameter.detach() - old) for _, parameter, old in before]
        weights, moves = norms([old for _, _, old in before]), norms(moved)
        return Step(
            number=held.steps,
            held=held,
            order=[*held.order, "step"],
            calls=[call for call in self.calls if call.flowed],
            losses=[loss for loss in self.loss_calls if loss.flowed],
            backwards=list(self.backwards),
            rates=[float(group["lr"]) for group in optimizer.param_groups if "lr" in group],
            settings={k: v for k, v in optimizer.param_groups[0].items() if k != "params"},
            norms=dict(held.norms),
            weights=dict(zip(names, weights, strict=True)),
            moves=dict(zip(names, moves, strict=True)),
            unmoved={name: float((delta == 0).float().mean()) for name, delta in zip(names, moved, strict=True)},
            clips=list(self.clips),
            whole=held.fresh,
            cleared=held.cleared,
            clip_scaled=held.clip_scaled,
            loss=self.backwards[-1].value if self.backwards else float("nan"),
            memory=remembered(optimizer),
            values=[backward.value for backward in self.backwards],
            summaries=[summarized(loss, self.losses) for loss in self.loss_calls if loss.flowed],
        )

    def settle(self, step: Step) -> None:
        """What ran since the last step and took no part in this one is a phase of its own."""
        calls = [call for call in self.calls if not call.flowed]
        if calls:
            phase = Phase(self.program.count - 1, calls, [loss for loss in self.loss_calls if not loss.flowed])
            self.program.phases.append(phase)
            self.reflect(phase)
            phase.calls, phase.losses = [], []
        for call in step.calls:
            if call.batch and self.last_batch[1] is not None:
                self.last_batch[1].trains = True

    def scheduled(self, scheduler: Any, *_: Any) -> None:
        """A scheduler was stepped."""
        if getattr(scheduler, "_step_count", 2) <= 1 and getattr(scheduler, "last_epoch", 1) <= 0:
            return
        known = self.program.schedules
        if id(scheduler) not in known:
            known[id(scheduler)] = Schedule(type(scheduler).__name__, ref(scheduler))
        schedule = known[id(scheduler)]
        optimizer = getattr(scheduler, "optimizer", None)
        held = self.program.held.get(id(optimizer))
        schedule.before |= bool(held is not None and not held.steps and not schedule.steps and not self.program.scalers)
        schedule.steps += 1
        rates = [float(group["lr"]) for group in getattr(optimizer, "param_groups", []) if "lr" in group]
        base = [float(rate) for rate in getattr(scheduler, "base_lrs", rates)]
        schedule.peak = max([schedule.peak, *rates, *base])
        over = getattr(scheduler, "last_epoch", 0) > getattr(scheduler, "T_max", float("inf"))
        gone = bool(rates) and max(rates) <= 1e-3 * schedule.peak and schedule.steps > 1
        if schedule.ended_at is None and (over or gone):
            schedule.ended_at = self.program.count
        elif schedule.ended_at is not None and not over and not gone:
            schedule.ended_at = None
        if held is not None:
            held.order.append("schedule")

    # Data, modes and the rest.

    def epoch(self, loader: Any, iterator: Any) -> None:
        """A loader is iterated from its beginning."""
        known = self.program.loaders
        if id(loader) not in known or known[id(loader)].loader() is not loader:
            sized = hasattr(type(loader.dataset), "__len__")
            known[id(loader)] = Loader(
                ref(loader),
                len(loader) if sized else None,
                len(loader.dataset) if sized else None,
                type(loader.sampler).__name__,
            )
        known[id(loader)].drawn.append(0)
        self.iterators = {id(iterator): known[id(loader)], **dict(list(self.iterators.items())[:8])}
        if self.wants_phase():
            self.open()

    def batch(self, iterator: Any, batch: Any) -> None:
        """A loader has given a batch."""
        loader = self.iterators.get(id(iterator))
        self.last_batch = ({tensor.data_ptr() for tensor in leaves(batch)}, loader)
        if loader is not None and loader.drawn:
            loader.drawn[-1] += 1

    def order(self, order: Any) -> None:
        """A permutation was drawn."""
        size = len(order) if hasattr(order, "__len__") else 0
        if size >= 32 and len(self.program.orders) < 256:
            drawn = torch.as_tensor(order)
            if drawn.ndim == 1 and not drawn.is_floating_point():
                self.program.orders.append((self.program.count, size, fingerprint(drawn)))

    def mode(self, module: nn.Module, *_: Any) -> None:
        """A module changes its mode: something else may begin now."""
        if not self.stretch and self.program.count and self.wants_phase():
            self.open()

    def no_grad(self, *_: Any) -> None:
        """Gradients are turned off: a validation may begin now."""
        if self.stretch or self.in_step or not self.program.count:
            return
        if sys._getframe(2).f_code.co_filename.endswith(QUIET_FILES):
            return
        if self.wants_phase():
            self.open()

    def loaded(self, module: nn.Module, args: Any, result: Any) -> None:
        """Weights were loaded into a module."""
        missing, unexpected = list(getattr(result, "missing_keys", [])), list(getattr(result, "unexpected_keys", []))
        total = len(module.state_dict())
        self.program.loads.append((type(module).__name__, missing[:50], unexpected[:50], total))
        loaded: set[int] = self.program.notes.setdefault("loaded", set())
        if len(missing) < total:
            loaded |= {id(parameter) for parameter in module.parameters()}

    def optimizer_loaded(self, optimizer: Optimizer, *_: Any) -> None:
        """An optimizer's state was loaded."""
        self.program.notes.setdefault("restored", set()).add(id(optimizer))

    def compiled(self, *_: Any) -> None:
        """torch.compile is used: inside of what it compiles nothing can be watched."""
        self.program.compiled = True


def marker(flowed: set[int], number: int) -> Callable[[Tensor], None]:
    """A hook that notes that a gradient came."""

    def mark(gradient: Tensor) -> None:
        flowed.add(number)

    return mark


def empty(optimizer: Optimizer, looked_at: int = 4) -> bool:
    """Whether an optimizer's gradients are all missing or zero; of those there are, the first few are looked at."""
    found = [p.grad for group in optimizer.param_groups for p in group["params"] if p.grad is not None]
    return not any(bool(gradient.any()) for gradient in found[:looked_at])


def remembered(optimizer: Optimizer) -> float:
    """The number of steps that an optimizer's state speaks of; NaN where it does not count, 0 where it has none."""
    if not isinstance(optimizer, Optimizer) or not hasattr(optimizer, "state"):
        return float("nan")
    steps = [
        entry["step"] for entry in list(optimizer.state.values())[:4] if isinstance(entry, dict) and "step" in entry
    ]
    return max((float(step) for step in steps), default=float("nan") if optimizer.state else 0.0)


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


def autocasting(tensor: Tensor) -> bool:
    """Whether autocast is at work on a tensor's device."""
    return bool(torch.is_autocast_enabled(tensor.device.type))
