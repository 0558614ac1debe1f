"""The run that is killed: the toy of the tests (dropout, BatchNorm, augmentation, a short last batch), a little slower.

It says where it is by audit events, `victim.step` and `victim.evaluate`: whoever wants to know adds a hook for them.
"""

from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from torch import Tensor, nn

from guarantees.section import Skipped
from loopwright.core import Experiment
from loopwright.protocols import Batch, Split
from loopwright.reading import file_sha256
from loopwright.running import Origin
from tests.toys import Toy, toy

REFERENCE = "guarantees/victim.py:victim"
"""The name by which a record knows it, while the repository is the current directory."""


@dataclass(frozen=True)
class Victim(Toy):
    """The toy with a pause in each step and each evaluation, so that it is alive for a while."""

    pause: float = 0.0

    def loss(self, model: nn.Module, batch: Batch) -> Mapping[str, Tensor]:
        """The toy's, after the pause."""
        sys.audit("victim.step")
        time.sleep(self.pause)
        return super().loss(model, batch)

    def evaluate(self, model: nn.Module, split: Split) -> dict[str, float]:
        """The toy's, after the pause."""
        sys.audit("victim.evaluate")
        time.sleep(self.pause)
        return super().evaluate(model, split)


def victim(pause: float = 0.0, **changes: Any) -> Experiment:
    """Six steps, saved after every second one, of which the newest alone is kept."""
    base = toy(name=REFERENCE, task=Victim(pause=pause), steps=6, eval_every=2, save_every=2, keep=1)
    return replace(base, **changes)


def idle_program() -> str:
    """A program that does nothing, for what is started as a process of its own, takes seconds and is not attacked."""
    found = shutil.which("true")
    if found is None:
        raise Skipped("it needs the program `true`")
    return found


def origin() -> Origin:
    """Where the record of such a run says that it comes from."""
    return Origin(REFERENCE, code_sha256=file_sha256(Path(__file__)))
