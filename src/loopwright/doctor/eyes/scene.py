"""The scene: what is known of the program, and what is looked at just now.

`stretch` says whether this part of the program is looked at: from the beginning, for a number of steps; later for a
step now and then, as the doctor decides. `on` is the same, but for the time in which the doctor itself is at work.
"""

from __future__ import annotations

import inspect
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any, TypeVar
from weakref import ref

from torch import Tensor, nn
from torch.optim import Optimizer

from loopwright.doctor.measures import Anatomy
from loopwright.doctor.program import Loader, Program
from loopwright.doctor.records import Backward, Call, LossCall, Phase, Step
from loopwright.doctor.shield import Failures, Shield

T = TypeVar("T")
NEVER = 2**63
HUB = "after_step"
"""The handler that takes up what the others have seen."""


class Scene:
    """What the eyes share. They tell `judge` of each step that was looked at, `reflect` of each phase, `called` of each
    call of a model; `ended` after every step, `began_again` when an optimizer is built later; and they ask
    `wants_phase` before they look at what may be a phase."""

    def __init__(self, failures: Failures) -> None:
        self.failures = failures
        self.program = Program()
        self.stretch = False
        self.on = False
        self.seconds = 0.0
        self.stack: list[nn.Module] = []
        self.calls: list[Call] = []
        self.loss_calls: list[LossCall] = []
        self.backwards: list[Backward] = []
        self.clips: list[tuple[float, float]] = []
        self.likelihoods: list[Tensor] = []
        self.drawn: dict[int, Tensor] = {}
        self.pending: dict[int, list[tuple[str, Tensor, Tensor]]] = {}
        self.losses: dict[str, Callable[..., Tensor]] = {}
        self.anatomies: dict[int, tuple[ref[nn.Module], Anatomy]] = {}
        self.made: dict[int, tuple[Tensor, int, nn.Linear]] = {}
        self.last_batch: tuple[set[int], Loader | None, int] = (set(), None, 0)
        self.iterators: dict[int, Loader] = {}
        self.scaled = False
        self.following = 0
        """The number of steps after which somebody looks again."""
        self.due = NEVER
        """The same, whatever it costs."""
        self.watch: Callable[[bool], None] = lambda wanted: None
        self.judge: Callable[[Step], None] = lambda step: None
        self.reflect: Callable[[Phase], None] = lambda phase: None
        self.ended: Callable[[], None] = lambda: None
        self.wants_phase: Callable[[], bool] = lambda: True
        self.called: Callable[[Call], None] = lambda call: None
        self.began_again: Callable[[], None] = lambda: None

    def safely(self, tell: Callable[..., T], *args: Any) -> T | None:
        """Call a handler with the eyes closed, so that it does not see itself; its mistakes switch it off."""
        name = getattr(tell, "__name__", str(tell))
        if name in self.failures:
            return None
        self.on, began = False, time.perf_counter()
        told: T | None = None
        with Shield(name, self.failures):
            told = tell(*args)
        if self.stretch and HUB in self.failures:
            self.close()
        self.on = self.stretch
        self.seconds += time.perf_counter() - began
        return told

    def tell(self, tell: Callable[..., Any], function: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        """Call a handler with the arguments of a call; those by keyword in the order of the function's parameters."""
        if kwargs:
            with suppress(TypeError, ValueError):  # refused as well, or written in C
                args = tuple(inspect.signature(function).bind(*args, **kwargs).arguments.values())
        self.safely(tell, *args)

    def open(self) -> None:
        """Look from now on; not where nobody would make a step of what is seen."""
        if not self.stretch and HUB not in self.failures:
            self.stretch = True
            self.on = True
            self.watch(True)

    def look_in(self, steps: int) -> None:
        """Look again when so many more steps were made, or earlier where that is wanted."""
        self.following = min(self.program.count + steps, self.due)

    def must_look_in(self, steps: int) -> None:
        """The same, whatever it costs."""
        self.due = min(self.due, self.program.count + steps)
        self.following = min(self.following, self.due)

    def close(self) -> None:
        """Look no longer; what was begun is forgotten."""
        self.stretch = self.on = False
        self.watch(False)
        for held in self.program.held.values():
            held.fresh = False
        self.stack.clear()
        self.forget()

    def settle(self, count: int) -> None:
        """What ran since step `count` and took no part in an update is a phase of its own."""
        taken = {row for call in self.calls if call.flowed for row in call.rows}
        learn = {id(call.module) for call in self.calls if call.flowed}
        idle = [call for call in self.calls if not call.flowed]
        # What another model is trained on in this very step, a teacher was asked about.
        taught = [call for call in idle if id(call.module) not in learn and call.rows and taken.issuperset(call.rows)]
        calls = [call for call in idle if call.grad or call not in taught]
        chosen = False
        for module in {id(call.module): call.module for call in self.calls}.values():
            mine = [call for call in self.calls if call.module is module]
            rows = {row for call in mine if not call.flowed for row in call.rows}
            chosen |= self.program.notes.of(module).gather(rows, {row for c in mine if c.flowed for row in c.rows})
        if calls:
            phase = Phase(count, calls, [loss for loss in self.loss_calls if not loss.flowed], chooses=chosen)
            self.program.phases.append(phase)
            self.reflect(phase)
            phase.calls, phase.losses = [], []

    @property
    def owned(self) -> set[int]:
        """The ids of the parameters of all modules that were seen running and are still there."""
        return {i for module, anatomy in self.anatomies.values() if module() is not None for i in anatomy.names}

    def trains(self, module: nn.Module) -> bool:
        """Whether an optimizer has moved some of a module's weights."""
        return not self.program.trained.isdisjoint(self.anatomy(module).names)

    def forget(self) -> None:
        """Let go of the tensors of what was seen last."""
        self.calls, self.loss_calls, self.backwards, self.clips, self.likelihoods = [], [], [], [], []
        self.made.clear()
        self.drawn.clear()
        self.pending.clear()

    def called_anew(self, module: nn.Module) -> Anatomy:
        """What a module is made of that is called: parts may have been replaced since it was called last."""
        if {id(parameter) for parameter in module.parameters()} != self.anatomy(module).names.keys():
            self.anatomies.pop(id(module))
        return self.anatomy(module)

    def anatomy(self, module: nn.Module) -> Anatomy:
        """What a module is made of, looked up again now and then."""
        known = self.anatomies.get(id(module))
        if known is not None and known[0]() is module and self.program.count > known[1].looked_at + 50:
            known = None
        if known is None or known[0]() is not module:
            found = Anatomy.of(module, self.program.count)
            self.anatomies[id(module)] = known = (ref(module), found)
        return known[1]

    def named(self, optimizer: Optimizer) -> list[tuple[str, nn.Parameter]]:
        """The optimizer's parameters with the names that their modules have for them."""
        known = [anatomy.names for module, anatomy in self.anatomies.values() if module() is not None]
        found: list[tuple[str, nn.Parameter]] = []
        for parameter in (parameter for group in optimizer.param_groups for parameter in group["params"]):
            names = (names[id(parameter)] for names in known if id(parameter) in names)
            found.append((next(names, f"parameter {len(found)}"), parameter))
        return found
