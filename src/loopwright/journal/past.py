"""What the history of a run says to the run that goes on: what is written already, and the epoch that was under way."""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from loopwright.journal.lines import Record, scan_history

Identity = tuple[str, int]


@dataclass
class EpochSums:
    """Sums over the steps of one epoch, added up in the order of the steps, so that a resumed run gets the same bits."""

    epoch: int = -1
    num_steps: int = 0
    samples: int = 0
    loss: float = 0.0
    grad_norm: float = 0.0
    lr: float = 0.0

    def add(self, record: Mapping[str, Any]) -> None:
        """One more step; the first one of another epoch begins anew.

        Raises LookupError, TypeError, ValueError or OverflowError, and adds nothing, where `record` is not that of a step.
        """
        epoch, samples, lr = int(record["epoch"]), int(record["samples"]), float(record["lr"])
        loss, grad_norm = float(record["loss"]["total"]), float(record["grad_norm"])
        if epoch != self.epoch:
            self.epoch, self.num_steps, self.samples, self.loss, self.grad_norm = epoch, 0, 0, 0.0, 0.0
        self.num_steps += 1
        self.samples += samples
        self.loss += loss * samples
        self.grad_norm += grad_norm
        self.lr = lr

    def means(self) -> Record:
        """The loss per sample, the gradient norm per step, and the last rate."""
        loss = self.loss / self.samples if self.samples else 0.0
        return {"train_loss": loss, "grad_norm": self.grad_norm / self.num_steps, "lr": self.lr}


@dataclass
class Past:
    """`recorded`: what is written of steps that will be computed again. `sums`: of the epoch that `resumed_at` lies in.

    `seconds`: the latest time on the run's clock.
    """

    recorded: dict[Identity, Record] = field(default_factory=dict)
    sums: EpochSums = field(default_factory=EpochSums)
    seconds: float = 0.0


def recall(path: Path, resumed_at: int) -> Past:
    """Read the history at `path` as a stream, for a run that goes on from step `resumed_at`.

    Of a step that was written twice, the later record counts. Raises OSError where the file cannot be read.
    """
    past = Past()
    epoch: dict[int, Record] = {}
    for record in scan_history(path) if path.is_file() else ():
        past.seconds = max(past.seconds, seconds_of(record))
        if (about := identity(record)) is None:
            continue
        kind, step = about
        if kind == "step" and step <= resumed_at:
            epoch = with_step(epoch, record, step)
        elif step >= resumed_at:
            past.recorded[about] = record
    for step in sorted(epoch):
        with suppress(LookupError, TypeError, ValueError, OverflowError):
            past.sums.add(epoch[step])
    return past


def with_step(epoch: dict[int, Record], record: Record, step: int) -> dict[int, Record]:
    """The steps of the newest epoch seen so far, after `record`: earlier epochs are closed and need not be kept."""
    number = epoch_of(record)
    newest = max(map(epoch_of, epoch.values()), default=number)
    ...
    return epoch
