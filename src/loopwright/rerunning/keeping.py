"""What was seen in a step, kept in files that plain PyTorch reads, with an index and pictures."""

from __future__ import annotations

import json
from collections import defaultdict
from pathlib import Path
from typing import Any

from torch import Tensor

from loopwright.errors import UsageError
from loopwright.files import make_directory, refusals, write_text
from loopwright.lines import finite
from loopwright.rerunning.trace import AttentionMap, Trace
from loopwright.store import write_checkpoint

PICTURED_HEADS = 4
MOST_PICTURES = 12


def free_directory(directory: Path, run: Path) -> Path:
    """`directory`, where it is empty or not there. Raises UsageError where it holds anything, or lies in the run."""
    if directory.resolve().is_relative_to(run.resolve()):
        raise UsageError(f"--capture {directory}: lies in the run, which is only read; name a directory elsewhere")
    if directory.is_file() or (directory.is_dir() and any(directory.iterdir())):
        raise UsageError(f"--capture {directory}: is not empty, nothing is overwritten; name a new directory")
    return directory


def keep(trace: Trace, directory: Path) -> dict[str, Any]:
    """Write what was seen in a step to `directory`, with an index of it; the index.

    For each shard one file of outputs and, where there is attention, one of maps, each `{"tensors": {key: tensor}}`:
    `torch.load(FILE, weights_only=True)["tensors"]` gives them back.
    """
    make_directory(directory)
    entries: list[dict[str, Any]] = []
    files: dict[str, dict[str, Tensor]] = defaultdict(dict)
    for call in trace.calls:
        for place, tensor in call.outputs.items():
            about = {"module": call.module, "output": place, "kind": call.kind, "shard": call.shard}
            key = f"{call.module}.{place}" if place else call.module
            entries.append(about | filed(files, f"outputs-{call.shard}.pt", key, tensor))
    pictures = 0
    for found in trace.maps:
        made: dict[str, Any] = {"module": found.module, "output": "", "kind": "attention map", "shard": found.shard}
        made |= {"averaged": found.mean_of > 1, "mean_of_heads": found.mean_of}
        made |= filed(files, f"attention-{found.shard}.pt", found.module, found.weights)
        if found.shard == 0 and pictures < MOST_PICTURES:
            made["picture"] = f"attention-{pictures:02d}.png"
            draw(found, directory / made["picture"])
            pictures += 1
        entries.append(made)
    for name, tensors in files.items():
        write_checkpoint(directory / name, {"tensors": tensors})
    index = {"step": trace.record["step"], "entries": entries}
    write_text(directory / "index.json", json.dumps(finite(index), indent=1) + "\n")
    return index


def filed(files: dict[str, dict[str, Tensor]], file: str, name: str, tensor: Tensor) -> dict[str, Any]:
    """Put a tensor into a file under a key of its own (`name`, `name#2` …); what the index says of it."""
    taken = files[file]
    key = next(key for n in range(1, len(taken) + 2) if (key := name if n == 1 else f"{name}#{n}") not in taken)
    taken[key] = tensor
    kind = {"shape": list(tensor.shape), "dtype": str(tensor.dtype).removeprefix("torch.")}
    return {"file": file, "key": key, **kind, **shares(tensor)}


def shares(tensor: Tensor) -> dict[str, Any]:
    """Minimum, mean and maximum of a tensor's finite elements, and the shares of zeros and of non-finite ones."""
    count = max(1, tensor.numel())
    values = tensor.abs() if tensor.is_complex() else tensor
    good = values[values.isfinite()].double()
    known = {"min": float(good.min()), "mean": float(good.mean()), "max": float(good.max())} if len(good) else {}
    return {**known, "zeros": float((values == 0).sum()) / count, "not_finite": 1 - len(good) / count}


def draw(found: AttentionMap, path: Path) -> None:
    """The first sample's maps of a few heads beside each other."""
    from matplotlib.figure import Figure

    heads = found.weights[0, :PICTURED_HEADS].float()
    figure = Figure(figsize=(2.2 * len(heads) + 0.6, 2.7), layout="constrained")
    grid = figure.subplots(1, len(heads), squeeze=False)[0]
    for label, axes, weights in zip(labels(found), grid, heads, strict=True):
        image = axes.imshow(
            weights.numpy(), cmap="viridis", vmin=0, vmax=float(heads.nan_to_num().max()), aspect="auto"
        )
        axes.set_title(label, fontsize=8)
        axes.tick_params(labelsize=7)
        axes.locator_params(integer=True, nbins=5)
    grid[0].set_ylabel("query", fontsize=8)
    grid[0].set_xlabel("key", fontsize=8)
    figure.colorbar(image, ax=list(grid), fraction=0.05).ax.tick_params(labelsize=7)
    figure.suptitle(f"{found.module}, first sample of {len(found.weights)}", fontsize=9)
    with refusals(path):
        figure.savefig(path, dpi=80, metadata={"Software": None})


def labels(found: AttentionMap) -> list[str]:
    """What stands above each map that is drawn."""
    if found.mean_of > 1:
        return [f"mean of {found.mean_of} heads"]
    return [f"head {number}" for number in range(min(PICTURED_HEADS, found.weights.shape[1]))]
