"""Samples and modes: loaders, permutations, training and evaluation mode, what is loaded."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from typing import Any
from weakref import ref

import torch
from torch import Tensor, nn

from loopwright.doctor.eyes.gradients import FEWEST
from loopwright.doctor.eyes.scene import Scene
from loopwright.doctor.measures import ends_with, fingerprint, leaves, place, settings, tensors, within_step
from loopwright.doctor.optimizers import told_of
from loopwright.doctor.program import REMEMBERED, Load, Loader, Order, Scheduled, Stored

QUIET_FILES = ("clip_grad.py", "optimizer.py", "init.py", "swa_utils.py", "adam.py", "adamw.py", "sgd.py")
"""Where torch itself turns gradients off, in each step: no sign that the program does something else now."""


class Samples:
    """Listens to loaders and permutations, and to what tells one phase of a program from another."""

    def __init__(self, scene: Scene) -> None:
        self.scene = scene

    def epoch(self, loader: Any, iterator: Any) -> None:
        """A loader is iterated from its beginning."""
        known = self.scene.program.loaders
        if id(loader) not in known or known[id(loader)].loader() is not loader:
            sized = hasattr(type(loader.dataset), "__len__")
            known[id(loader)] = Loader(
                ref(loader),
                len(loader) if sized else None,
                type(loader.sampler).__name__,
                len(loader.dataset) if sized else None,
            )
        known[id(loader)].drawn.append(0)
        # An iterator that has gone may have had the same id.
        others = [(key, value) for key, value in self.scene.iterators.items() if key != id(iterator)]
        self.scene.iterators = dict([(id(iterator), known[id(loader)]), *others[:8]])
        if self.scene.wants_phase():
            self.scene.open()

    def batch(self, iterator: Any, batch: Any) -> None:
        """A loader has given a batch."""
        loader = self.scene.iterators.get(id(iterator))
        found = leaves(batch)
        if loader is not None and loader.drawn[-1] == 1 and found and len(loader.began) < 2:
            loader.began.add(fingerprint(found[0]) if found[0].layout is torch.strided else 0)
        asked = next((fingerprint(each) for each in found if labels(each)), 0)
        if loader is not None:
            loader.flat &= len(found) == 1 and found[0].ndim == 1
            loader.plain &= len(found) == 2
            loader.labelled |= len(found) > 1 and asked != 0
            loader.last = found[0] if loader.flat and found else None
        self.scene.last_batch = ({place(tensor) for tensor in found}, loader, asked)

    def order(self, order: Any) -> None:
        """A permutation was drawn."""
        size = len(order) if hasattr(order, "__len__") else 0
        inside = self.scene.stack or not torch.is_grad_enabled()  # of a model, or where nobody trains
        if size >= 32 and len(self.scene.program.orders) < 256 and not inside:
            drawn = torch.as_tensor(order)
            if drawn.ndim == 1 and not drawn.is_floating_point():
                self.scene.program.orders.append(Order(self.scene.program.count, size, fingerprint(drawn)))

    def mode(self, module: nn.Module, *_: Any) -> None:
        """A module changes its mode: something else may begin now."""
        if not self.scene.stretch and self.scene.program.count and self.scene.wants_phase():
            self.scene.open()

    def no_grad(self, *_: Any) -> None:
        """Gradients are turned off: a validation may begin now."""
        if self.scene.stretch or not self.scene.program.count:
            return
        if sys._getframe(2).f_code.co_filename.endswith(QUIET_FILES) or within_step():
            return
        if self.scene.wants_phase():
            self.scene.open()

    def loaded(self, module: nn.Module, args: Any, result: Any) -> None:
        """Weights were loaded into a module."""
        program = self.scene.program
        missing, unexpected = list(getattr(result, "missing_keys", [])), list(getattr(result, "unexpected_keys", []))
        held = module.state_dict()
        total = len(held)
        if len(program.loads) < REMEMBERED:
            own = bool(args) and in_own_memory(held, args[0]) and self.scene.trains(module)
            given = args[0] if args and isinstance(args[0], Mapping) else {}
            unexpected = [name for name in unexpected if fits(given.get(name), name, missing, held)]
            kind, lacking = type(module).__name__, len(missing)
            program.loads.append(Load(kind, missing[:50], unexpected[:50], total, program.count, own, lacking))
        lacks = set(missing)
        for name, parameter in module.named_parameters():
            if name not in lacks:
                program.notes.loaded.note(parameter)

    def read(self, content: Any) -> None:
        """torch.load has read a file: is an optimizer's state in it?"""
        known = self.scene.program.read
        known += list(states(content))[: REMEMBERED - len(known)]
        program = self.scene.program
        program.scheduled += list(schedules(content))[: REMEMBERED - len(program.scheduled)]
        program.stored |= {id(each) for each in tables(content) if "param_groups" in each}
        for schedule in program.schedules.values():
            schedule.older |= schedule.steps > 0

    def saved(self, content: Any, *_: Any) -> None:
        """torch.save writes something: weights, and an optimizer's state beside them?"""
        if next(tensors(content, 4), None) is not None:
            self.scene.program.saves += 1
            self.scene.program.resumable += next(states(content), None) is not None

    def state_loaded(self, owner: Any, *args: Any) -> None:
        """The state of an optimizer or a schedule was loaded; from a file, where it is one of those that were read."""
        notes, program = self.scene.program.notes, self.scene.program
        notes.restored.note(owner)
        if args and id(args[0]) in program.stored:
            notes.resumed.note(owner)

    def compiled(self, *_: Any) -> None:
        """torch.compile is used: inside of what it compiles nothing can be watched."""
        self.scene.program.compiled = True


def labels(tensor: Tensor) -> bool:
    """Whether a tensor of a batch may be its labels: whole numbers (B,), of more than one kind."""
    whole = tensor.ndim == 1 and len(tensor) >= FEWEST and not tensor.is_floating_point()
    return whole and bool((tensor != tensor[0]).any())


def fits(given: Any, name: str, missing: list[str], held: Mapping[str, Any]) -> bool:
    """Whether what was not used could have been something that was missing: it has its shape."""
    alike = [other for other in missing if ends_with(name, other)]
    shapes = [getattr(held.get(other), "shape", None) for other in alike]
    return not alike or getattr(given, "shape", None) in shapes


def in_own_memory(held: Mapping[str, Any], given: Any) -> bool:
    """Whether all tensors that are given for a module's state are that state itself, not a copy of it."""
    if not isinstance(given, Mapping) or not held:
        return False
    pairs = [(tensor, given.get(name)) for name, tensor in held.items() if isinstance(tensor, Tensor) and tensor.ndim]
    return bool(pairs) and all(isinstance(b, Tensor) and place(a) == place(b) for a, b in pairs)


def tables(content: Any, depth: int = 3) -> Iterator[Mapping[str, Any]]:
    """What a checkpoint holds, and what is in that: the states of optimizers and schedules among them."""
    if isinstance(content, Mapping):
        yield content
        for each in content.values() if depth else ():
            yield from tables(each, depth - 1)


def states(content: Any) -> Iterator[Stored]:
    """The states of optimizers in a checkpoint: tables with `state` and `param_groups`."""
    for table in tables(content):
        groups = table.get("param_groups")
        if "state" in table and isinstance(groups, list) and groups and isinstance(groups[0], Mapping):
            yield Stored(settings(groups[0]), sum(len(group.get("params", ())) for group in groups))


def schedules(content: Any) -> Iterator[Scheduled]:
    """The states of schedules in a checkpoint."""
    for table in tables(content):
        if "last_epoch" in table and "_step_count" in table:
            rates = [rate for rate in table.get("_last_lr") or () if isinstance(rate, int | float)]
            yield Scheduled(int(table["last_epoch"]), max(rates, default=0.0), told_of(table))
