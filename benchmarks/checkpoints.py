"""What a checkpoint of 100 MB costs: how long training stands still, and how fast it is written and read back."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import torch
from timing import Section, Spread, interleaved, ratios, timed
from torch import Tensor, nn

from loopwright.store import CheckpointStore, read_checkpoint

ROUNDS = 9
UNITS, LAYERS = 1024, 8
SAVE, WRITE, LOAD = "Loopwright: training stands still", "Loopwright: save until durable", "Loopwright: verified load"
COPY, CLONES = "copy into buffers that are there", "copy into fresh memory"
PLAIN, SYNCED, PLAIN_LOAD = "torch.save, not durable", "torch.save to a new file and fsync", "torch.load, not verified"


def state(layers: int) -> dict[str, Any]:
    """Weights and AdamW's state after a step: 12.6 MB a layer."""
    model = nn.Sequential(*(nn.Linear(UNITS, UNITS) for _ in range(layers)))
    optimizer = torch.optim.AdamW(model.parameters(), fused=True)
    model(torch.randn(8, UNITS)).square().mean().backward()
    optimizer.step()
    return {"model": model.state_dict(), "optimizer": optimizer.state_dict()}


def tensors_of(content: Any) -> list[Tensor]:
    """All tensors of nested dicts."""
    if isinstance(content, Tensor):
        return [content.detach()]
    return [tensor for value in content.values() for tensor in tensors_of(value)] if isinstance(content, dict) else []


def synced_save(content: dict[str, Any], path: Path) -> None:
    """torch.save, and on the disk when it returns. To a new file, as every save of which a crash leaves something."""
    path.unlink(missing_ok=True)
    with open(path, "wb") as file:
        torch.save(content, file)
        file.flush()
        os.fsync(file.fileno())


def copy_into(buffers: list[Tensor], tensors: list[Tensor]) -> None:
    """The least that a save must do before training may go on."""
    for buffer, tensor in zip(buffers, tensors, strict=True):
        buffer.copy_(tensor)


def measure(*, quick: bool) -> Section:
    """One table: milliseconds and GB/s of each way to save and load."""
    torch.set_num_threads(1)
    content = state(1 if quick else LAYERS)
    tensors = tensors_of(content)
    size = sum(tensor.nbytes for tensor in tensors)
    buffers = [torch.empty_like(tensor) for tensor in tensors]
    with (
        tempfile.TemporaryDirectory(dir="build") as root,
        CheckpointStore(Path(root) / "ours") as store,
    ):
        plain, synced, step = Path(root) / "plain.pt", Path(root) / "synced.pt", 0
        stalls: list[float] = []

        def save() -> None:
            nonlocal step
            step += 1
            stalls.append(timed(lambda: store.save(content, step, best=False)))
            store.wait()

        save()
        first = stalls.pop()
        torch.save(content, plain)
        runs: dict[str, Callable[[], object]] = {
            WRITE: save,
            LOAD: lambda: read_checkpoint(store.directory / "last.pt"),
            COPY: lambda: copy_into(buffers, tensors),
            CLONES: lambda: [tensor.clone() for tensor in tensors],
            PLAIN: lambda: torch.save(content, plain),
            SYNCED: lambda: synced_save(content, synced),
            PLAIN_LOAD: lambda: torch.load(plain, weights_only=True),
        }
        rounds = 2 if quick else ROUNDS
        seconds = interleaved({name: partial(timed, work) for name, work in runs.items()}, rounds, "checkpoints")
    seconds[SAVE] = stalls[-rounds:]
    return table(seconds, size, first)


def table(seconds: dict[str, list[float]], size: int, first: float) -> Section:
    """The measurements, those that belong together beside each other."""
    rows: list[tuple[str, ...]] = []
    data: dict[str, Any] = {"bytes": size, "first_save_stall_ms": first * 1e3}
    for name in (SAVE, COPY, CLONES, WRITE, SYNCED, PLAIN, LOAD, PLAIN_LOAD):
        taken = Spread.of(seconds[name]).scaled(1e3)
        rate = size / taken.median / 1e6
        rows.append((name, taken.shown(1), f"{rate:.2f}"))
        data[name] = {"ms": vars(taken), "gb_per_s": rate}
    stall, clones = ratios(seconds[SAVE], seconds[COPY]), ratios(seconds[SAVE], seconds[CLONES])
    data["stall_over_copy"], data["stall_over_clones"] = vars(stall), vars(clones)
    return Section(
        title=f"checkpoint of {size / 1e6:.0f} MB: median (quartiles) of {len(seconds[COPY])} rounds, files in memory",
        columns=("what", "ms", "GB/s"),
        rows=rows,
        notes=(
            f"the stall is {stall.shown(2)} times the copy into buffers, {clones.shown(2)} times one into new memory",
            f"the first save, which allocates the buffers, holds training up for {first * 1e3:.0f} ms",
        ),
        data=data,
    )
