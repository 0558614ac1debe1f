"""What the history of a run says to the run that goes on: what is written already, and the epoch that was under way."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from loopwright.lines import Record, scan_history

Identity = tuple[str, int]

MAX_SECONDS = 1e12
"""Thirty thousand years; what claims more is no time."""


@dataclass
class EpochSums:
    """Sums over the steps of one epoch, added up in the order of the steps: a resumed run gets the same bits."""

    epoch: int = -1
    num_steps: int = 0
    samples: int = 0
    loss: float = 0.0
    grad_norm: float = 0.0
    lr: float = 0.0

    def add(self, record: Mapping[str, Any]) -> None:
        """One more step; the first one of another epoch begins anew.

        Raises LookupError, TypeError, ValueError or OverflowError, and adds nothing, where `record` is not that of a
        step.
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
        loss, norm = self.loss / max(1, self.samples), self.grad_norm / max(1, self.num_steps)
        return {"train_loss": loss, "grad_norm": norm, "lr": self.lr}


@dataclass
class Past:
    """`recorded`: what is written of steps that will be computed again. `sums`: of the epoch that was under way.

    `seconds`: the latest time on the run's clock.
    """

    recorded: dict[Identity, Record] = field(default_factory=dict)
    sums: EpochSums = field(default_factory=EpochSums)
    seconds: float = 0.0


def recall(path: Path, resumed_at: int) -> Past:
    """Read the history at `path` as a stream, for a run that goes on from step `resumed_at`.

    Of a step that was written twice the later record counts; what is no record of ours is passed over. Raises OSError
    where the file cannot be read.
    """
    past, epoch = Past(), 0
    under_way: dict[int, Record] = {}
    for record in scan_history(path):
        past.seconds = max(past.seconds, seconds_of(record))
        about = identity(record)
        if about is None:
            continue
        kind, step = about
        if kind == "step" and step <= resumed_at:
            # Steps of an earlier epoch than the newest were written again after a resume; that epoch is closed.
            if record["epoch"] > epoch:
                epoch, under_way = record["epoch"], {}
            if record["epoch"] == epoch:
                under_way[step] = record
        elif step >= resumed_at:
            past.recorded[about] = record
    for _, record in sorted(under_way.items()):
        with suppress(LookupError, TypeError, ValueError, OverflowError):
            past.sums.add(record)
    return past


def identity(record: Mapping[str, Any]) -> Identity | None:
    """What a record is about, its kind and step; None for an event and for what is no record of ours."""
    kind, step = record.get("kind"), record.get("step")
    if isinstance(kind, str) and kind != "event" and isinstance(step, int) and isinstance(record.get("epoch"), int):
        return kind, step
    return None


def seconds_of(record: Mapping[str, Any]) -> float:
    """The time of a record on the run's clock; 0 where it tells none."""
    seconds = record.get("seconds")
    return float(seconds) if isinstance(seconds, int | float) and 0 <= seconds < MAX_SECONDS else 0.0
