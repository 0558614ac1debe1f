"""A user's own experiment in a file of its own, slow enough to be killed in the middle."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace

from torch import Tensor, nn

from loopwright.core import Experiment
from loopwright.protocols import Batch, Split
from tests.toys import Toy, toy


@dataclass(frozen=True)
class SlowToy(Toy):
    """The toy with a pause in each step, and a longer one in each evaluation."""

    pause: float = 0.01

    def loss(self, model: nn.Module, batch: Batch) -> Mapping[str, Tensor]:
        time.sleep(self.pause)
        return super().loss(model, batch)

    def evaluate(self, model: nn.Module, split: Split) -> dict[str, float]:
        time.sleep(3 * self.pause)
        return super().evaluate(model, split)


def slow() -> Experiment:
    """60 slow steps."""
    return replace(toy(), task=SlowToy(), steps=60, eval_every=4, save_every=3)
