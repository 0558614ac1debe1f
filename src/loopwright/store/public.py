"""Checkpoints for people with a loop of their own: the same file format, one call each way."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from torch import nn
from torch.optim import Optimizer

from loopwright.errors import CheckpointError
from loopwright.store.format import read_checkpoint, write_checkpoint
from loopwright.weights import load_weights


def save_checkpoint(
    path: str | Path,
    model: nn.Module,
    optimizer: Optimizer | None = None,
    epoch: int = 0,
    step: int = 0,
    metrics: Mapping[str, float] | None = None,
    seed: int = 0,
    extra: Mapping[str, Any] | None = None,
) -> None:
    """Write model, optimizer and numbers to `path`: durable, digested, all or nothing.

    `extra` may hold tensors and plain values. Raises StoreError where the file cannot be written; an older file at `path` then
    stays as it was.

    >>> save_checkpoint("model.pt", model, optimizer, epoch=3, step=1200, metrics={"accuracy": 0.98})  # doctest: +SKIP
    """
    content = {
        "model": model.state_dict(),
        "optimizer": optimizer.state_dict() if optimizer is not None else None,
        "epoch": epoch,
        "step": step,
        "metrics": dict(metrics or {}),
        "seed": seed,
        "extra": dict(extra or {}),
    }
    write_checkpoint(Path(path), content)


def load_checkpoint(path: str | Path, model: nn.Module, optimizer: Optimizer | None = None) -> dict[str, Any]:
    """Restore `model` and, if given, `optimizer` from `path`; return epoch, step, metrics, seed and extra.

    Raises CheckpointError where the file is missing or damaged, belongs to another model (each key that does not fit is
    listed), or holds no optimizer though one is given.
    """
    content = read_checkpoint(Path(path))
    saved = content.get("model")
    if saved is None:
        raise CheckpointError(
            f"{path}: not written by save_checkpoint; a run's checkpoints are read by `loopwright resume`"
        )
    if optimizer is not None and content["optimizer"] is None:
        raise CheckpointError(f"{path}: holds no optimizer; save_checkpoint was called without one")
    load_weights(model, saved, str(path))
    if optimizer is not None:
        optimizer.load_state_dict(content["optimizer"])
    return {key: content[key] for key in ("epoch", "step", "metrics", "seed", "extra")}
