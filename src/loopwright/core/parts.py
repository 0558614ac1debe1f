"""An optimizer that moves parts of a model's weights, and saves and restores what it remembers of them in full."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from torch import Tensor
from torch.optim import Optimizer

from loopwright.core.windows import Held, Window

Change = Callable[[Window, Tensor], Tensor]


class OnParts:
    """`optimizer`, whose parameters are the windows of `held`; has what the loop needs of an optimizer.

    `joined` makes the whole of a part. All workers ask for the state together.
    """

    def __init__(self, optimizer: Optimizer, held: Sequence[Held], joined: Change) -> None:
        self.optimizer = optimizer
        self.held = held
        self.joined = joined

    @property
    def param_groups(self) -> list[dict[str, Any]]:
        """The groups."""
        return self.optimizer.param_groups

    @property
    def state(self) -> Mapping[Any, Any]:
        """What it remembers of each window."""
        return self.optimizer.state

    def step(self) -> None:
        """One step on the model's weights."""
        for held in self.held:
            held.pull()
        self.optimizer.step()
        for held in self.held:
            held.push()

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Drop the gradients."""
        self.optimizer.zero_grad(set_to_none)

    def state_dict(self) -> dict[str, Any]:
        """With whole moments."""
        return self.changed(
            self.optimizer.state_dict(), lambda window, moment: self.joined(window, window.inner(moment))
        )

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Restore what `state_dict` gave. Raises ValueError where a moment has another shape than its parameter."""
        own = self.changed(state_dict, lambda window, moment: window.widened(window.cut(moment).clone()))
        self.optimizer.load_state_dict(own)

    def changed(self, saved: dict[str, Any], change: Change) -> dict[str, Any]:
        """`saved` with each moment changed; counters have no dimensions, and stay."""
        of = {id(held.parameter): held.window for held in self.held}
        windows = [of[id(parameter)] for group in self.param_groups for parameter in group["params"]]
        state = {
            number: {
                name: change(windows[number], value) if isinstance(value, Tensor) and value.ndim else value
                for name, value in moments.items()
            }
            for number, moments in saved["state"].items()
        }
        return {**saved, "state": state}
