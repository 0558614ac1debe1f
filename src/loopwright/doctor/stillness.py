"""A model as it was: what a forward pass of a probe changes, in the model or beside it, is put back."""

from __future__ import annotations

import copy
import io
import random
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from types import GeneratorType, ModuleType
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from loopwright.seeding import preserved_generators

PLAIN = (int, float, bool, str, Tensor, type(None))
HELD = (list, dict, set, deque)
ELSEWHERE = (nn.Module, Tensor, type, ModuleType, Optimizer)
"""What no forward pass changes, or is put back by itself."""
FIXED = (int, float, complex, bool, str, bytes, type(None), type, ModuleType)
ONE_WAY = (GeneratorType, io.IOBase)
"""What cannot be put back to where it was."""
DEEP, MOST, LARGEST = 3, 2000, 20_000_000
OWN = frozenset(vars(nn.Module()))
HOOKS = ("_forward_pre_hooks", "_forward_hooks")


@contextmanager
def undisturbed(module: nn.Module) -> Iterator[None]:
    """Evaluation mode, no gradients, no output; everything is put back."""
    parts = list(module.modules())
    restore = [*map(attributes, parts), *kept_objects(parts)]
    buffers = [(buffer, buffer.clone()) for part in parts for buffer in part.buffers(recurse=False)]
    silent = io.StringIO()
    try:
        with preserved_generators(), torch.no_grad(), redirect_stdout(silent), redirect_stderr(silent):
            for part in parts:
                part.training = False
            yield
    finally:
        for put in restore:
            put()
        for buffer, before in buffers:
            if not torch.equal(buffer, before):
                buffer.data.copy_(before)


def attributes(part: nn.Module) -> Callable[[], None]:
    """What gives a module the plain attributes and the mode that it has now."""
    known = vars(part)
    saved = {name: value for name, value in known.items() if isinstance(value, PLAIN)}
    counting = [name for name, value in known.items() if type(value).__module__ == "itertools"]
    saved |= {name: copy.copy(known[name]) for name in counting}
    return lambda: known.update(saved)


def kept_objects(parts: list[nn.Module]) -> Iterator[Callable[[], None]]:
    """What puts back the objects that modules hold, or that their forward passes and hooks know by name, and what is in
    these, some levels deep: containers, arrays, generators of random numbers, and objects of the program's own.

    Raises RuntimeError where something is among them that goes on for good: a generator, a file, compiled code.
    """
    if any(isinstance(part, torch.jit.ScriptModule) for part in parts):
        raise RuntimeError("what compiled code knows cannot be put back")
    waiting = [(value, DEEP) for part in parts for name, value in vars(part).items() if name not in OWN]
    for part in parts:
        hooks = [hook for name in HOOKS for hook in vars(part).get(name, {}).values()]
        waiting += [(value, DEEP) for function in (type(part).forward, *hooks) for value in named_in(function)]
    seen = set[int]()
    for value, depth in waiting:  # which grows
        if id(value) not in seen and len(seen) < MOST:
            seen.add(id(value))
            if isinstance(value, ONE_WAY):
                raise RuntimeError(f"{type(value).__name__} cannot be put back")
            yield from keeping(value)
            waiting += [(each, depth - 1) for each in inside(value)] if depth else []


def inside(value: Any) -> list[Any]:
    """What is in a container or an object of the program's own, as far as it may be changed."""
    if isinstance(value, dict):
        found = list(value.values())
    elif isinstance(value, HELD):
        found = list(value)
    else:
        found = list(vars(value).values()) if hasattr(value, "__dict__") and not opaque(value) else []
    return [each for each in found[:MOST] if not isinstance(each, FIXED)]


def opaque(value: Any) -> bool:
    """Whether an object is looked at elsewhere, or not at all."""
    return isinstance(value, ELSEWHERE) or callable(value)


def named_in(function: Any) -> list[Any]:
    """What a function has closed over, is bound to, or knows by a global name, and may change."""
    inner = getattr(function, "__func__", getattr(function, "func", function))
    bound = getattr(function, "__self__", None)
    found = [bound, *getattr(function, "args", ()), *(vars(bound).values() if hasattr(bound, "__dict__") else ())]
    code = getattr(inner, "__code__", None)
    if code is not None:
        found += [cell.cell_contents for cell in inner.__closure__ or () if not empty(cell)]
        found += [inner.__globals__[name] for name in code.co_names if name in inner.__globals__]
    return [value for value in found if not isinstance(value, nn.Module)]


def empty(cell: Any) -> bool:
    """Whether a closed-over name has no value yet."""
    try:
        cell.cell_contents  # noqa: B018
    except ValueError:
        return True
    return False


def keeping(value: Any) -> Iterator[Callable[[], None]]:
    """What gives an object the content that it has now; nothing where it has none of its own."""
    if isinstance(value, HELD):
        before = copy.copy(value)
        yield lambda: put_back(value, before)
    elif isinstance(value, torch.Generator):
        state = value.get_state()
        yield lambda: void(value.set_state(state))
    elif isinstance(value, random.Random):
        python = value.getstate()
        yield lambda: value.setstate(python)
    elif isinstance(value, np.random.Generator):
        numbers = copy.deepcopy(value.bit_generator.state)
        yield lambda: setattr(value.bit_generator, "state", numbers)
    elif isinstance(value, np.random.RandomState):
        older = value.get_state()
        yield lambda: value.set_state(older)
    elif isinstance(value, np.ndarray) and value.dtype != object:
        array = value.copy()
        yield lambda: np.copyto(value, array) if value.flags.writeable else None
    elif isinstance(value, Tensor) and copied(value):
        kept = value.detach().clone()
        yield lambda: None if torch.equal(value, kept) else void(value.data.copy_(kept))
    elif hasattr(value, "__dict__") and not opaque(value):
        content = dict(vars(value))
        yield lambda: put_attributes(vars(value), content)


def copied(value: Tensor) -> bool:
    """Whether a tensor's numbers are kept: no forward pass changes a parameter, and a large one is a data set."""
    return not isinstance(value, nn.Parameter) and value.layout is torch.strided and value.numel() <= LARGEST


def void(_: object) -> None:
    """Nothing, whatever came back."""


def put_back(value: Any, before: Any) -> None:
    """Let a list, dictionary, set or deque have what it had."""
    if isinstance(value, list):
        value[:] = before
    elif len(value) != len(before) or any(a is not b for a, b in zip(members(value), members(before), strict=True)):
        value.clear()
        value.extend(before) if isinstance(value, deque) else value.update(before)


def members(value: Any) -> list[Any]:
    """What is in a container: of a dictionary keys and values."""
    return [each for pair in value.items() for each in pair] if isinstance(value, dict) else list(value)


def put_attributes(value: dict[str, Any], before: dict[str, Any]) -> None:
    """Let an object have the attributes that it had; it is never without those, for another thread may use it."""
    for name in value.keys() - before.keys():
        del value[name]
    value.update(before)
