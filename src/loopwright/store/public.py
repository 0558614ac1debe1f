"""Checkpoints for people with a loop of their own: the same file format, one call each way."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from torch import nn
from torch.optim import Optimizer

from loopwright.errors import CheckpointError
from loopwright.files import make_directory
from loopwright.store.format import read_checkpoint, write_checkpoint
from loopwright.weights import check_weights, load_optimizer, load_weights

NUMBERS = ("epoch", "step", "metrics", "seed", "extra")


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
    """Write model, optimizer and numbers to `path`: durable, digested, all or nothing. Makes its directory, if need be.

    `extra` may hold tensors and plain values: numbers, texts, None, and lists, tuples and dicts of them. Raises
    StoreError where it holds anything else, or the file cannot be written; an older file at `path` then stays.

    >>> save_checkpoint("model.pt", model, optimizer, epoch=3, step=1200, metrics={"accuracy": 0.98})  # doctest: +SKIP
    """
    content = {
        "model": model.state_dict(),
        "optimizer": optimizer.state_dict() if optimizer is not None else None,
        "epoch": epoch,
        "step": step,
        "metrics": metrics or {},
        "seed": seed,
        "extra": extra or {},
    }
    make_directory(Path(path).parent)
    write_checkpoint(Path(path), content)


def load_checkpoint(path: str | Path, model: nn.Module, optimizer: Optimizer | None = None) -> dict[str, Any]:
    """Restore `model` and, if given, `optimizer` from `path`; return epoch, step, metrics, seed and extra.

    Raises CheckpointError where the file is missing or damaged, belongs to another model (each key that does not fit is
    listed), or holds no optimizer, or another one, though one is given. Model and optimizer are then as they were.
    """
    content = read_checkpoint(Path(path))
    missing = [key for key in ("model", "optimizer", *NUMBERS) if key not in content]
    if missing:
        raise CheckpointError(
            f"{path}: not written by save_checkpoint, it has no {', no '.join(missing)}; "
            "a run's checkpoints are read by `loopwright resume`"
        )
    check_weights(model, content["model"], str(path))
    if optimizer is not None:
        if content["optimizer"] is None:
            raise CheckpointError(f"{path}: holds no optimizer; load the model alone, or save both next time")
        load_optimizer(optimizer, content["optimizer"], str(path))
    load_weights(model, content["model"], str(path))
    return {key: content[key] for key in NUMBERS}
