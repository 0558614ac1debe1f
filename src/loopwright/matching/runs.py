"""Two finished runs, A and B, compared bit by bit: states, history, metrics; and where they first differ."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import Tensor

from loopwright.bits import leaves
from loopwright.data.digest import tensors_sha256
from loopwright.matching.histories import KINDS, Parting, done_again, parting
from loopwright.matching.tensors import how
from loopwright.store import read_saved
from loopwright.values import read_json

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
    """Compare two finished runs: the states of last.pt and best.pt, the history without clock and events, metrics.json.

    What comes first in time is the first difference: a step of the history, a leaf of a state, a metric. Raises
    CheckpointError where a run has no good `last.pt`, or a `best.pt` that is damaged.
    """
    last = compare_states(*(state(run, "last.pt") for run in (a, b)))
    found = (
        first_record(a, b),
        last.first and f"last.pt, {last.first}",
        best(a, b),
        first_value(*map(measured, (a, b))),
    )
    first = next((text for text in found if text), "")
    return Comparison(not first, last.digest, first)


def compare_states(a: Mapping[str, Any], b: Mapping[str, Any]) -> Comparison:
    """Compare two states as checkpoints hold them: tensors and plain values, nested."""
    left, right = leaves(a), leaves(b)
    found = list(differences(left, right))
    more = f"; {len(found) - 1} of the state's other leaves differ too" if len(found) > 1 else ""
    return Comparison(not found, weights_digest(left), found[0] + more if found else "")


def differences(a: Leaves, b: Leaves) -> Iterator[str]:
    """The leaves that differ, each with how, in words."""
    for name in {**a, **b}:
        if name not in a or name not in b:
            yield f"{name}: only in {'A' if name in a else 'B'}"
        elif text := difference(a[name], b[name]):
            yield f"{name}: {text}"


def difference(a: Any, b: Any) -> str:
    """How two leaves differ; "" where they have the same bits."""
    if isinstance(a, Tensor) and isinstance(b, Tensor):
        described = how(a, b)
        return described[0] if described else ""
    # Their texts tell -0.0 from 0.0 and 1 from 1.0, and NaN equals itself.
    return "" if repr(a) == repr(b) else f"{a!r} and {b!r}"


def first_value(a: Leaves, b: Leaves) -> str:
    """The first leaf in which two sets of leaves differ; "" where there is none."""
    return next(differences(a, b), "")


def state(run: Path, name: str) -> dict[str, Any]:
    """The state in a run's checkpoint."""
    return dict(read_saved(run / "checkpoints" / name)["state"])


def best(a: Path, b: Path) -> str:
    """How the best states differ, which a run without a metric that is a number has not."""
    held = [run for run in (a, b) if (run / "checkpoints" / "best.pt").exists()]
    if len(held) == 1:
        return f"best.pt: only in {'A' if held == [a] else 'B'}"
    first = compare_states(*(state(run, "best.pt") for run in held)).first if held else ""
    return first and f"best.pt, {first}"


def weights_digest(state: Leaves) -> str:
    """The first eight digits of a digest of the model's tensors in a state's leaves."""
    weights = [(name, leaf) for name, leaf in state.items() if name.startswith("model.") and isinstance(leaf, Tensor)]
    return tensors_sha256(sorted(weights, key=lambda named: named[0]))[:8]


def first_record(a: Path, b: Path) -> str:
    """Where two histories first differ, with the field; "" where they do not.

    A run that went through a resume may hold what the other holds, and yet have had another result before.
    """
    found = [(step, text) for kind in KINDS for step, text in apart(kind, parting(a, b, kind))]
    if found:
        return min(found, key=lambda one: one[0])[1]
    for kind in KINDS:
        ours, theirs = done_again(a, kind), done_again(b, kind)
        if ours != theirs:
            side, step = ("A", ours) if ours else ("B", theirs)
            return f"{place(kind, step)}: {side} has two records of it, for after a resume it was another one"
    return ""


def apart(kind: str, found: Parting) -> Iterator[tuple[int, str]]:
    """The steps at which two histories differ in records of `kind`, each with how."""
    if found.step:
        yield found.step, f"{place(kind, found.step)}, {first_value(leaves(found.a), leaves(found.b))}"
    if found.lone:
        yield found.lone, f"{place(kind, found.lone)}: only one of the runs has it"


def place(kind: str, step: int) -> str:
    """Where in a history a record stands, in words."""
    return f"history, step {step}" if kind == "step" else f"history, {kind} at step {step}"


def measured(run: Path) -> Leaves:
    """What a run's metrics.json says of the run itself, as leaves."""
    metrics = read_json(run / "metrics.json")
    return leaves({name: value for name, value in metrics.items() if name not in NOT_MEASURED}, "metrics.json")
