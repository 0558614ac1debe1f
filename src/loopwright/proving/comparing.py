"""Two finished runs beside each other, bit by bit: state, history, metrics; and where they first differ."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from loopwright.data.digest import tensors_sha256
from loopwright.lines import Record, comparable, read_history, to_line
from loopwright.running.summary import read_json
from loopwright.store import read_saved

Leaves = dict[str, Any]

NOT_MEASURED = ("timing", "claims", "claims_dropped", "initial_loss")
"""Of metrics.json: the clock, and what depends on who claims something. The first loss is in the history too."""


@dataclass(frozen=True)
class Comparison:
    """Whether two runs hold the same bits; a digest of the first one's weights; where they first differ, or ""."""

    same: bool
    digest: str
    first: str = ""


def compare_runs(a: Path, b: Path) -> Comparison:
    """Compare two finished runs: last.pt's state leaf by leaf, the history without clock and events, metrics.json.

    What comes first in time is the first difference: a step of the history, a leaf of the state, a metric. Raises
    CheckpointError where a run has no good `last.pt`.
    """
    left, right = (read_saved(run / "checkpoints" / "last.pt")["state"] for run in (a, b))
    of_states = compare_states(left, right)
    first = first_record(recorded(a), recorded(b)) or of_states.first or first_value(measured(a), measured(b))
    return Comparison(not first, of_states.digest, first)


def compare_states(a: Mapping[str, Any], b: Mapping[str, Any]) -> Comparison:
    """Compare two states as checkpoints hold them: tensors and plain values, nested."""
    left, right = dict(leaves(a)), dict(leaves(b))
    names = [*left, *(name for name in right if name not in left)]
    found = [text for name in names if (text := difference(name, left, right))]
    more = f"; {len(found) - 1} of the state's other leaves differ too" if len(found) > 1 else ""
    return Comparison(not found, weights_digest(left), found[0] + more if found else "")


def leaves(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Everything in nested mappings and lists that is neither, with its dotted path; what is empty counts as well."""
    if isinstance(value, Mapping | list | tuple) and value:
        entries = value.items() if isinstance(value, Mapping) else enumerate(value)
        for key, entry in entries:
            yield from leaves(entry, f"{path}.{key}" if path else str(key))
    else:
        yield path, value


def difference(name: str, left: Leaves, right: Leaves) -> str:
    """How the leaf `name` differs, in words; "" where it has the same bits in both."""
    for here, there, which in ((left, right, "first"), (right, left, "second")):
        if name not in there:
            return (
                f"{name}: only the {which} has it, {here[name] if not isinstance(here[name], Tensor) else 'a tensor'}"
            )
    a, b = left[name], right[name]
    if isinstance(a, Tensor) and isinstance(b, Tensor):
        return f"{name}: {text}" if (text := tensor_difference(a, b)) else ""
    # Their texts tell -0.0 from 0.0 and 1 from 1.0, and NaN equals itself.
    return "" if repr(a) == repr(b) else f"{name}: {a!r} and {b!r}"


def tensor_difference(a: Tensor, b: Tensor) -> str:
    """In how many elements, and by how much at most, two tensors differ; "" where all bits are equal."""
    if (a.dtype, a.shape) != (b.dtype, b.shape):
        return f"{a.dtype} {tuple(a.shape)} and {b.dtype} {tuple(b.shape)}"
    differing = (as_bytes(a) != as_bytes(b)).any(1)
    if not differing.any():
        return ""
    wide = torch.complex128 if a.is_complex() else torch.float64
    largest = (a.to(wide) - b.to(wide)).abs().max().item()
    return f"{int(differing.sum())} of {a.numel()} elements differ, by {largest:.3g} at most"


def as_bytes(tensor: Tensor) -> Tensor:
    """The bytes of each element, uint8 (elements, bytes of one)."""
    flat = tensor.detach().cpu().contiguous().reshape(-1)
    return flat.view(torch.uint8).reshape(len(flat), tensor.element_size())


def weights_digest(state: Leaves) -> str:
    """The first eight digits of a digest of the model's tensors in a state's leaves."""
    weights = [(name, leaf) for name, leaf in state.items() if name.startswith("model.") and isinstance(leaf, Tensor)]
    return tensors_sha256(sorted(weights, key=lambda named: named[0]))[:8]


def recorded(run: Path) -> list[Record]:
    """The history without the clock and without events."""
    history = read_history(run / "logs" / "history.jsonl")
    return [comparable(record) for record in history if record.get("kind") != "event"]


def first_record(a: list[Record], b: list[Record]) -> str:
    """The first record in which two histories differ, with its field; "" where there is none.

    Of a record that a resumed run has computed again, with another result, the later one counts.
    """
    left, right = ({place(record): record for record in history} for history in (a, b))
    for name in [*left, *(name for name in right if name not in left)]:
        if name not in left or name not in right:
            return f"{name}: only the {'first' if name in left else 'second'} has it"
        if to_line(left[name]) != to_line(right[name]):
            return f"{name}, {first_value(dict(leaves(left[name])), dict(leaves(right[name])))}"
    return "" if len(a) == len(b) else f"history: {len(a)} records and {len(b)}"


def place(record: Record) -> str:
    """Where in a history a record stands, in words."""
    kind, step = record.get("kind"), record.get("step")
    return f"history, step {step}" if kind == "step" else f"history, {kind} at step {step}"


def measured(run: Path) -> Leaves:
    """What a run's metrics.json says of the run itself, as leaves."""
    metrics = read_json(run / "metrics.json")
    return dict(leaves({name: value for name, value in metrics.items() if name not in NOT_MEASURED}, "metrics.json"))


def first_value(left: Leaves, right: Leaves) -> str:
    """The first leaf in which two sets of leaves differ; "" where there is none."""
    names = [*left, *(name for name in right if name not in left)]
    return next((text for name in names if (text := difference(name, left, right))), "")
