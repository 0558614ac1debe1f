"""Are two runs the same, bit for bit? In state, history without the clock, and metrics without the timing."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from loopwright.journal import comparable, read_history
from loopwright.lines import to_line
from loopwright.store import read_checkpoint

Bits = list[tuple[str, object]]


def bits(tree: Any) -> Bits:
    """Every leaf of nested dicts, lists and tuples: its place, and its bytes or what it is written as."""
    leaves = torch.utils._pytree.tree_flatten_with_path(tree)[0]
    return [(str(place), leaf.numpy().tobytes() if isinstance(leaf, Tensor) else repr(leaf)) for place, leaf in leaves]


def state_bits(checkpoint: Path) -> Bits:
    """The bits of the state that a checkpoint holds."""
    return bits(read_checkpoint(checkpoint)["state"])


def history(run: Path) -> list[dict[str, Any]]:
    """The records of a run without the clock, without what happened to it from outside."""
    return [comparable(record) for record in read_history(run / "logs/history.jsonl") if record["kind"] != "event"]


def metrics(run: Path) -> dict[str, Any]:
    """metrics.json without the timing."""
    return {**json.loads((run / "metrics.json").read_text()), "timing": None}


def history_difference(run: Path, whole: Path, *, ordered: bool = True) -> str:
    """In what the histories differ; unless `ordered`, lines that were lost may stand where they were written again."""
    mine, theirs = ([to_line(record) for record in history(each)] for each in (run, whole))
    if not ordered:
        mine, theirs = sorted(mine), sorted(theirs)
    if any(record.get("event") == "differs" for record in read_history(run / "logs/history.jsonl")):
        return "steps that were computed again differ from those written before"
    return "" if mine == theirs else f"the history differs: {' '.join(mine)}"


def difference(run: Path, whole: Path, *, ordered: bool = True) -> str:
    """In what `run` differs from `whole`, a run that was left alone; empty where it does not."""
    if state_bits(run / "checkpoints/last.pt") != state_bits(whole / "checkpoints/last.pt"):
        return "the last state differs"
    if state_bits(run / "checkpoints/best.pt") != state_bits(whole / "checkpoints/best.pt"):
        return "the best state differs"
    if told := history_difference(run, whole, ordered=ordered):
        return told
    mine, theirs = metrics(run), metrics(whole)
    differing = sorted(key for key in mine | theirs if mine.get(key) != theirs.get(key))
    return f"metrics.json differs in {', '.join(differing)}" if differing else ""
