"""What each module gave in a step, and which attention weights were used, kept in files that plain PyTorch reads."""

from __future__ import annotations

import json
import math
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from loopwright.core.state import State
from loopwright.errors import UsageError
from loopwright.files import make_directory, refusals, write_text
from loopwright.lines import finite
from loopwright.proving.trace import AttentionMap, Trace, Watch, copy, dotted, module_calls, recomputing
from loopwright.store import write_checkpoint

PICTURED_HEADS = 4
MOST_PICTURES = 12
SUMS_TO_ONE = 1e-4
"""How far the sum of a row of fp32 attention weights may be from 1; of lower precisions, by their rounding."""


def free_directory(directory: Path, run: Path) -> Path:
    """`directory`, where it is empty or not there. Raises UsageError where it holds anything, or lies in the run."""
    if directory.resolve().is_relative_to(run.resolve()):
        raise UsageError(f"--capture {directory}: lies in the run, which is only read; name a directory elsewhere")
    if directory.is_file() or (directory.is_dir() and any(directory.iterdir())):
        raise UsageError(f"--capture {directory}: is not empty, nothing is overwritten; name a new directory")
    return directory


@contextmanager
def everything(state: State, watch: Watch) -> Iterator[None]:
    """Watch every module's output and every attention map."""
    with module_calls(state, watch), returned_maps(state, watch), computed_maps(watch):
        yield


@contextmanager
def returned_maps(state: State, watch: Watch) -> Iterator[None]:
    """Note attention maps that a module returns: the weights of nn.MultiheadAttention, and in any module's tuple a
    tensor (B, H, T, S) whose rows sum to one."""

    def hook(name: str) -> Any:
        def note(module: nn.Module, arguments: Any, output: Any) -> None:
            for tensor in output if isinstance(output, tuple) and not recomputing() else ():
                if is_map(tensor) or (isinstance(module, nn.MultiheadAttention) and tensor is output[1] is not None):
                    weights = tensor if tensor.ndim == 4 else tensor.unsqueeze(-3)
                    watch.maps.append(AttentionMap(name, watch.shard, copy(weights)))

        return note

    compiled = state.forward is not state.model
    modules = [] if compiled else list(state.model.named_modules())
    handles = [module.register_forward_hook(hook(name or "the model")) for name, module in modules]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


def is_map(value: object) -> bool:
    """Whether a value looks like attention weights: (B, H, T, S), none negative, each row with the sum one."""
    if not (isinstance(value, Tensor) and value.ndim == 4 and value.is_floating_point() and value.numel()):
        return False
    weights = value.detach().float()
    near = max(SUMS_TO_ONE, torch.finfo(value.dtype).eps)
    return bool((weights >= 0).all()) and bool(((weights.sum(-1) - 1).abs() < near).all())


@contextmanager
def computed_maps(watch: Watch) -> Iterator[None]:
    """Compute the maps of `scaled_dot_product_attention` beside its result, since its kernels keep none.

    It is seen where it is called as a function of `torch.nn.functional`, as nn.MultiheadAttention calls it.
    """
    original = functional.scaled_dot_product_attention

    def noted(query: Tensor, key: Tensor, *rest: Any, **named: Any) -> Tensor:
        result = original(query, key, *rest, **named)
        if recomputing():
            return result
        with torch.no_grad(), torch.autocast(query.device.type, enabled=False):
            weights = attention_weights(query, key, *rest[1:], **{k: v for k, v in named.items() if k != "value"})
        inside = watch.inside[-1] if watch.inside else "the loss"
        watch.maps.append(AttentionMap(inside, watch.shard, copy(weights)))
        return result

    functional.scaled_dot_product_attention = noted
    try:
        yield
    finally:
        functional.scaled_dot_product_attention = original


def attention_weights(
    query: Tensor,
    key: Tensor,
    attn_mask: Tensor | None = None,
    dropout_p: float = 0.0,
    is_causal: bool = False,
    scale: float | None = None,
    enable_gqa: bool = False,
) -> Tensor:
    """softmax(query key^T scale + mask), before dropout, float32 (B, H, T, S), from the arguments that
    `scaled_dot_product_attention` is called with."""
    query, key = query.float(), key.float()
    if enable_gqa:
        key = key.repeat_interleave(query.size(-3) // key.size(-3), -3)
    scores = query @ key.transpose(-2, -1) * (query.size(-1) ** -0.5 if scale is None else scale)
    if is_causal:
        attn_mask = torch.ones(scores.shape[-2:], dtype=torch.bool, device=scores.device).tril()
    if attn_mask is not None:
        scores = scores.masked_fill(~attn_mask, -math.inf) if attn_mask.dtype == torch.bool else scores + attn_mask
    weights = scores.softmax(-1)
    return (
        weights.reshape(-1, *weights.shape[-3:]) if weights.ndim >= 4 else weights.reshape(-1, 1, *weights.shape[-2:])
    )


def keep(trace: Trace, directory: Path) -> dict[str, Any]:
    """Write what was seen in a step to `directory`, with an index of it; the index.

    For each shard one file of outputs and, where there is attention, one of maps, each `{"tensors": {key: tensor}}`.
    """
    make_directory(directory)
    entries: list[dict[str, Any]] = []
    files: dict[str, dict[str, Tensor]] = defaultdict(dict)
    for call in trace.calls:
        for place, tensor in call.outputs.items():
            about = {"module": call.module, "output": place, "kind": call.kind, "shard": call.shard}
            entries.append(about | filed(files, f"outputs-{call.shard}.pt", dotted(call.module, place), tensor))
    pictures = 0
    for found in trace.maps:
        made: dict[str, Any] = {"module": found.module, "output": "", "kind": "attention map", "shard": found.shard}
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
    for number, (axes, weights) in enumerate(zip(grid, heads, strict=True)):
        image = axes.imshow(weights.numpy(), cmap="viridis", vmin=0, vmax=float(heads.max()), aspect="auto")
        axes.set_title(f"head {number}", fontsize=8)
        axes.tick_params(labelsize=7)
        axes.locator_params(integer=True, nbins=5)
    grid[0].set_ylabel("query", fontsize=8)
    grid[0].set_xlabel("key", fontsize=8)
    figure.colorbar(image, ax=list(grid), fraction=0.05).ax.tick_params(labelsize=7)
    figure.suptitle(f"{found.module}, first sample of {len(found.weights)}", fontsize=9)
    with refusals(path):
        figure.savefig(path, dpi=80, metadata={"Software": None})
