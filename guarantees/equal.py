"""Are two runs the same, bit for bit? In state, history without the clock, and metrics without the timing."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from torch import Tensor

from loopwright.bits import as_bytes, leaves
from loopwright.journal import comparable, read_history
from loopwright.lines import to_line
from loopwright.store import read_checkpoint

Bits = dict[str, object]


def bits(tree: Any) -> Bits:
    """Every value nested in a tree, by its place: a tensor's dtype, shape and bytes, anything else as it is written."""
    return {place: written(leaf) for place, leaf in leaves(tree).items()}


def written(leaf: Any) -> object:
    """What is the same for the same bits, NaN and -0.0 included."""
    if isinstance(leaf, Tensor):
        return str(leaf.dtype), tuple(leaf.shape), as_bytes(leaf).numpy().tobytes()
    return repr(leaf)


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
