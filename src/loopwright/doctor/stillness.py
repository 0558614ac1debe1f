"""A model as it was: what a forward pass of a probe changes is put back, and nobody but the model is called."""

from __future__ import annotations

import copy
import io
import random
from collections import OrderedDict, deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from loopwright.seeding import preserved_generators

PLAIN = (int, float, bool, str, Tensor, type(None))
HELD = (list, dict, set, deque)
DRAWING = (torch.Generator, random.Random, np.random.Generator, np.random.RandomState)
OWN = frozenset(vars(nn.Module()))
HOOKS = {"_forward_pre_hooks", "_forward_hooks"}


@contextmanager
def undisturbed(module: nn.Module) -> Iterator[None]:
    """Evaluation mode, no gradients, no output, no hooks of the program's own; everything is put back."""
    parts = list(module.modules())
    restore = [*map(attributes, parts), *kept_objects(parts)]
    buffers = [(buffer, buffer.clone()) for part in parts for buffer in part.buffers(recurse=False)]
    silent = io.StringIO()
    try:
        with preserved_generators(), torch.no_grad(), redirect_stdout(silent), redirect_stderr(silent):
            for part in parts:
                part.training = False
                for name in vars(part).keys() & HOOKS:
                    vars(part)[name] = own_hooks(vars(part)[name])
            yield
    finally:
        for put in restore:
            put()
        for buffer, before in buffers:
            if not torch.equal(buffer, before):
                buffer.data.copy_(before)


def own_hooks(hooks: Any) -> OrderedDict[int, Any]:
    """The hooks that are torch's own, without which a layer has no weight; a program's own may do anything."""
    return OrderedDict(
        (key, hook)
        for key, hook in hooks.items()
        if str(getattr(hook, "__module__", type(hook).__module__)).startswith("torch.")
    )


def attributes(part: nn.Module) -> Callable[[], None]:
    """What gives a module the plain attributes, the mode and the hooks that it has now."""
    known = vars(part)
    saved = {name: value for name, value in known.items() if isinstance(value, PLAIN) or name in HOOKS}
    counting = [name for name, value in known.items() if type(value).__module__ == "itertools"]
    saved |= {name: copy.copy(known[name]) for name in counting}
    return lambda: known.update(saved)


def kept_objects(parts: list[nn.Module]) -> Iterator[Callable[[], None]]:
    """What puts back the objects that modules hold, or that their forward passes know by name: containers, generators
    of random numbers, and objects of the program's own."""
    seen = set[int]()
    for part in parts:
        values = [value for name, value in vars(part).items() if name not in OWN]
        for value in [*values, *named_in(type(part).forward)]:
            if id(value) not in seen:
                seen.add(id(value))
                yield from keeping(value)


def named_in(forward: Any) -> list[Any]:
    """Generators of random numbers that a function knows by a global name, or has closed over."""
    code = getattr(forward, "__code__", None)
    if code is None:
        return []
    cells = [cell.cell_contents for cell in forward.__closure__ or () if cell is not None]
    known = [forward.__globals__[name] for name in code.co_names if name in forward.__globals__]
    return [value for value in (*cells, *known) if isinstance(value, DRAWING)]


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
    elif hasattr(value, "__dict__") and not isinstance(value, nn.Module | Tensor | type) and not callable(value):
        content = dict(vars(value))
        yield lambda: put_back(vars(value), content)


def void(_: object) -> None:
    """Nothing, whatever came back."""


def put_back(value: Any, before: Any) -> None:
    """Let a list, dictionary, set or deque have what it had."""
    if isinstance(value, list):
        value[:] = before
    else:
        value.clear()
        value.extend(before) if isinstance(value, deque) else value.update(before)
