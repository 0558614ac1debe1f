"""Experiments of one's own for sweeps and for run-all: one that a value can poison or crash."""

from __future__ import annotations

import os
import signal
from collections.abc import Mapping
from dataclasses import dataclass, replace

from torch import Tensor, nn

from loopwright.core import Experiment
from loopwright.protocols import Batch
from tests.toys import Toy, toy


@dataclass(frozen=True)
class Fragile(Toy):
    """The toy, whose loss is what `fate` says: as it is, not a number, or the end of the process."""

    fate: str = "fine"

    def loss(self, model: nn.Module, batch: Batch) -> Mapping[str, Tensor]:
        if self.fate == "crash":
            os.kill(os.getpid(), signal.SIGKILL)
        found = super().loss(model, batch)
        return {name: value * float("nan") for name, value in found.items()} if self.fate == "poison" else found


def fragile() -> Experiment:
    """Four steps."""
    return replace(toy(), task=Fragile(), steps=4, eval_every=2)
