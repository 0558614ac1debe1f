"""Forward passes: calls of the outermost modules, and what is noted inside of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from weakref import ref

import torch
from torch import Tensor, nn

from loopwright.doctor.eyes.scene import Scene
from loopwright.doctor.measures import BITS, Stats, bits, fingerprint, leaves, place, rows
from loopwright.doctor.program import REMEMBERED
from loopwright.doctor.records import Call, Rectified
from loopwright.doctor.shield import Shield

MOST_CALLS = 96
"""So many calls since the last step are remembered."""
ROWS, BATCHES = 200_000, 4096
MOST_GRADIENT = 1_000_000
FOREIGN = 64
"""So many modules that are called by a model and are no part of it are remembered."""
MEASURED = 64
EARLY = 8
FEW_ALIVE = 0.2
LAYERS = nn.Linear | nn.modules.conv._ConvNd | nn.RNNBase
"""What multiplies its input by weights."""
KEPT = 4
"""Of so many of the last calls the tensors are kept: their graphs stay alive with them."""


class Forwards:
    """Listens to `nn.Module.__call__`."""

    def __init__(self, scene: Scene) -> None:
        self.scene = scene
        self.shield = Shield("touched rows", scene.failures)

    def enter(self, module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Call | None:
        """A module is called; the outermost with parameters makes a Call."""
        outermost = not self.scene.stack
        self.scene.stack.append(module)
        if not outermost:
            inside = (
                self.scene.calls[-1]
                if self.scene.calls and self.scene.calls[-1].module is self.scene.stack[0]
                else None
            )
            if inside is not None:
                if inside.grad and isinstance(module, LAYERS) and args:
                    self.arrived(inside, args[0])
                inside.ran.add(id(module))
                if id(module) not in self.scene.anatomy(inside.module).modules and len(inside.foreign) < FOREIGN:
                    inside.foreign.append(module)
            if isinstance(module, nn.Linear) and args:
                self.follow(module, args[0])
            if inside is not None and args and id(args[0]) in self.scene.drawn:
                inside.sampled = type(module).__name__
            return None
        anatomy = self.scene.called_anew(module)
        if not anatomy.names:
            return None
        inputs, moded = leaves(args, kwargs), (*anatomy.dropouts, *anatomy.batch_norms)
        call = Call(
            module=module,
            args=args,
            kwargs=kwargs,
            training=module.training,
            grad=torch.is_grad_enabled(),
            inputs=inputs,
            ran={id(module)},
            quiet=[called(name, part) for name, part in moded if not part.training],
            active=[called(name, part) for name, part in moded if part.training],
            half=str(torch.get_autocast_dtype(inputs[0].device.type)) if inputs and autocasting(inputs[0]) else "",
            batch=any(place(tensor) in self.scene.last_batch[0] for tensor in inputs),
            asked=self.scene.last_batch[2],
            source=id(self.scene.last_batch[1]) if self.scene.last_batch[1] is not None else 0,
        )
        given = {place(tensor) for tensor in inputs}
        for other in self.scene.calls[-KEPT:]:
            if any(place(tensor) in given for tensor in other.outputs):
                self.scene.program.notes.of(other.module).feeds = True
                self.scene.program.notes.of(module).fed = True
        self.scene.calls.append(call)
        self.scene.program.calls += 1
        return call

    def arrived(self, call: Call, given: Any) -> None:
        """Measure what comes to the first layer of a model, or to one that gets an input as it is; in the first steps
        alone. The largest counts."""
        first, early = call.inputs[:1], self.scene.program.count < EARLY * self.scene.program.stepping
        if not early or not first or not first[0].is_floating_point() or not measurable(given):
            return
        if call.entered is None or any(place(given) == place(each) for each in call.inputs):
            found = Stats.of(given)
            call.entered = found if call.entered is None or found.std > call.entered.std else call.entered

    def follow(self, layer: nn.Linear, given: Any) -> None:
        """Note a linear layer whose input is another's output, untouched."""
        result, version, before = self.scene.made.get(id(given), (None, 0, layer))
        # What is written into in place, as by nn.ReLU(inplace=True), is another version of the same tensor.
        if result is given and result._version == version and before is not layer:
            pairs = self.scene.program.notes.linear_pairs
            if len(pairs) < 8:
                pairs.setdefault((id(before), id(layer)), (ref(before), ref(layer)))

    def leave(self, module: nn.Module, call: Call | None, result: Any) -> None:
        """A module's call is over."""
        self.unwind(module)
        if call is None:
            known = isinstance(result, Tensor) and not result.is_inference()
            if known and isinstance(module, nn.Linear) and self.scene.program.count < 3:
                self.scene.made[id(result)] = (result, result._version, module)
            return
        call.outputs = leaves(result)
        if call.inputs:
            self.measure(call)
        if call.grad:
            for number, tensor in enumerate(call.outputs):
                if tensor.requires_grad:
                    tensor.register_hook(marker(call.flowed, number))
                    if call.rows:
                        places = call.touched.setdefault(number, set())
                        tensor.register_hook(toucher(places, len(call.rows), self.shield))
        self.scene.called(call)
        if not call.grad:
            if call.hash in self.scene.program.notes.of(module).hashes and len(call.outputs) == 1:
                call.answers = rows(call.outputs[0]) if call.outputs[0].ndim == 2 else []
            call.drop()
        elif len(self.scene.calls) > KEPT:
            self.scene.calls[-KEPT - 1].drop()
        if len(self.scene.calls) > MOST_CALLS:
            del self.scene.calls[: MOST_CALLS // 2]

    def paired(self, kind: str, one: Any, other: Any, result: Any) -> None:
        """A difference or a product of two tensors: do their shapes make a table of pairs?"""
        if not isinstance(one, Tensor) or not isinstance(other, Tensor) or not result.requires_grad:
            return
        if place(one) == place(other) or self.scene.stack:
            return  # each with each on purpose, as centers of a layer
        shapes = tuple(one.shape), tuple(other.shape), tuple(result.shape)
        if len(shapes[0]) != len(shapes[1]) and {*map(len, shapes[:2])} == {1, 2} and result.numel() > 1:
            column, row = (one, other) if one.ndim == 2 else (other, one)
            sizes = {len(given) for call in self.scene.calls for given in call.inputs[:1] if given.ndim}
            if column.shape[1] == 1 and len(column) == len(row) > 1 and (kind == "difference" or len(row) in sizes):
                counts = self.scene.program.notes.broadcast
                counts[kind, *shapes] = counts.get((kind, *shapes), 0) + 1

    def sampled(self, drawn: Any, args: tuple[Any, ...], _: Any) -> None:
        """A normal distribution, whose parameters are learned, gave a sample without a graph, inside of a model."""
        learned = any(isinstance(each, Tensor) and each.requires_grad for each in (args[0].loc, args[0].scale))
        if learned and self.scene.stack and torch.is_grad_enabled() and isinstance(drawn, Tensor):
            self.scene.drawn = {**dict(list(self.scene.drawn.items())[1 - KEPT :]), id(drawn): drawn}

    def unwind(self, module: nn.Module) -> None:
        """A module's call is over, or has raised: take it, and what was left above it, from the stack."""
        if module in self.scene.stack:
            while self.scene.stack.pop() is not module:
                pass

    def measure(self, call: Call) -> None:
        """Statistics and rows of a call's input, of training and of phases apart."""
        first, notes = call.inputs[0], self.scene.program.notes
        if first.layout is not torch.strided or first.is_nested:
            return
        kind, seen = "train" if call.grad else "phase", notes.of(call.module)
        measured = notes.stats[kind]
        if not call.grad and self.scene.trains(call.module):
            for order in self.scene.program.orders:
                order.trains &= order.at != self.scene.program.count
        call.hash, call.floating, call.shape = fingerprint(first), first.is_floating_point(), tuple(first.shape[1:])
        if not call.grad and first.ndim > 1 and measurable(first):
            call.profile = first.detach().float().flatten(1).mean(1)
            if first.ndim == 2 and first.numel() <= MOST_GRADIENT:
                wide = first.detach().double()
                call.sums = torch.stack([wide.sum(0), wide.square().sum(0)])
        if call.grad:
            call.again = call.hash in seen.hashes
            if len(seen.hashes) < BATCHES:
                seen.hashes.add(call.hash)
            seen.shapes.add(tuple(first.shape[1:]))
            if first.ndim and len(seen.sizes) < REMEMBERED:
                seen.sizes.add(len(first))
        if measurable(first) and len(measured) < MEASURED:
            measured.append((self.scene.program.count, seen, Stats.of(first)))
        if first.ndim > first.is_floating_point() and first.numel() <= 4_000_000:
            if call.grad and len(first) >= 16 and notes.bits <= BITS:
                notes.bits = max(bits(first), notes.bits)
            if not call.grad or len(seen.rows) < ROWS:
                call.rows = rows(first)
                if first.ndim == 1:  # users, say, of whom each has many items
                    others = [each for each in call.inputs[1:] if each.ndim and len(each) == len(first)]
                    found = [call.rows, *(rows(each) for each in others if each.layout is torch.strided)]
                    call.rows = [hash(each) for each in zip(*found, strict=True)]

    def dropped(self, _: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        """torch.nn.functional.dropout was called: by a module in evaluation mode, and not told whether to train? Who
        says `training=True` wants that, and so does who drops parts of what is given to the model."""
        said = len(args) > 2 or "training" in kwargs
        given = args[0] if args else kwargs.get("input")
        inputs = self.scene.calls[-1].inputs if self.scene.calls else []
        if not said and isinstance(given, Tensor) and not any(place(given) == place(each) for each in inputs):
            self.drew("dropout", kwargs.get("p", args[1] if len(args) > 1 else 0.5))

    def attended(self, _: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        """Attention was computed: with dropout, by a module in evaluation mode?"""
        self.drew("dropout of attention", kwargs.get("dropout_p", args[4] if len(args) > 4 else 0.0))

    def drew(self, what: str, rate: Any) -> None:
        """Something was dropped at a `rate`: note how often, and what, where the mode is that of an evaluation."""
        stack, calls = self.scene.stack, self.scene.calls
        if rate and stack and calls and calls[-1].module is stack[0]:
            calls[-1].draws += 1
            if stack[0].training:
                seen = self.scene.program.notes.of(stack[0])
                seen.draws = max(seen.draws, calls[-1].draws)
            elif not stack[-1].training:
                calls[-1].drew = f"{what} ({rate:g}) in {type(stack[-1]).__name__}"

    def activation(self, output: Any, *_: Any) -> None:
        """A rectifier has put out something: which units are zero for every sample?"""
        if not isinstance(output, Tensor) or output.ndim < 2 or len(output) < 8 or not torch.is_grad_enabled():
            return
        if not output.numel() or output.layout is not torch.strided or not self.scene.stack:
            return  # a penalty, say, that is not needed
        where = next(
            (self.scene.anatomy(self.scene.stack[0]).modules.get(id(m), "") for m in reversed(self.scene.stack)), ""
        )
        flat = output.detach().flatten(2).amax(2) if output.ndim > 2 else output.detach()
        alive = flat.amax(0) > 0
        units, living = len(alive), int(alive.sum())
        few = frozenset(alive.nonzero().flatten().tolist()) if living < FEW_ALIVE * units else frozenset[int]()
        found = self.scene.program.notes.dead.setdefault(where or "a rectifier", {})
        found[self.scene.program.count] = Rectified(1 - living / units, units, few)


def measurable(given: Any) -> bool:
    """Whether something is a tensor of numbers, and there are some."""
    plain = isinstance(given, Tensor) and given.layout is torch.strided and not given.is_nested
    return plain and given.is_floating_point() and given.numel() > 0


def called(name: str, part: nn.Module) -> str:
    """A part of a model, for people: its kind and its name."""
    return f"{type(part).__name__} {name}".strip()


def marker(flowed: set[int], number: int) -> Callable[[Tensor], None]:
    """A hook that notes that a gradient came."""

    def mark(gradient: Tensor) -> None:
        flowed.add(number)

    return mark


def toucher(places: set[int], rows: int, shield: Shield) -> Callable[[Tensor], None]:
    """A hook that notes for which rows a gradient came. It must not hold what holds the tensor: both would stay."""

    def touch(gradient: Tensor) -> None:
        with shield:
            plain = type(gradient) is Tensor and gradient.layout is torch.strided and gradient.ndim > 1
            if plain and len(gradient) == rows and gradient.numel() <= MOST_GRADIENT:
                places.update(gradient.flatten(1).any(1).nonzero().flatten().tolist())
            else:
                places.update(range(rows))

    return touch


def autocasting(tensor: Tensor) -> bool:
    """Whether autocast is at work on a tensor's device."""
    return bool(torch.is_autocast_enabled(tensor.device.type))
