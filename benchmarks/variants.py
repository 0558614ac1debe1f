"""The engine beside itself: what logical shards and the deterministic mode cost on one worker."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from engine import journalled
from loops import bare, raced
from timing import Section, Spread, ratios
from workloads import CNN, LARGE_BATCH_GPT, MLP, SMALL_GPT, WIDE_MLP, Workload

PLAIN, CONTROL, BARE = "Loopwright", "Loopwright again (control)", "bare PyTorch"


@dataclass(frozen=True)
class Variant:
    """A workload with a change of the experiment, and what a shard of it holds."""

    workload: Workload
    name: str
    changes: Mapping[str, Any]
    holds: str = ""
    bounded: bool = True


SHARDS = (
    Variant(WIDE_MLP, "2 shards", {"shards": 2}, "128 rows"),
    Variant(WIDE_MLP, "4 shards", {"shards": 4}, "64 rows"),
    Variant(WIDE_MLP, "16 shards", {"shards": 16}, "16 rows", bounded=False),
    Variant(CNN, "4 shards", {"shards": 4}, "64 rows"),
    Variant(LARGE_BATCH_GPT, "2 shards", {"shards": 2}, "1,024 tokens"),
    Variant(LARGE_BATCH_GPT, "4 shards", {"shards": 4}, "512 tokens"),
    Variant(LARGE_BATCH_GPT, "16 shards", {"shards": 16}, "128 tokens", bounded=False),
)
STRICT = tuple(
    Variant(workload, "deterministic", {"deterministic": True}, bounded=False)
    for workload in (MLP, WIDE_MLP, CNN, SMALL_GPT)
)


def measure(title: str, variants: tuple[Variant, ...], *, quick: bool) -> Section:
    """One table: µs per step of each variant, beside the engine without it and the bare loop, in the same rounds."""
    rows: list[tuple[str, ...]] = []
    data: dict[str, Any] = {}
    for workload in dict.fromkeys(variant.workload for variant in variants):
        of_it = [variant for variant in variants if variant.workload == workload]
        seconds = timed(workload.quick() if quick else workload, of_it)
        data[workload.name] = seconds
        for name in (BARE, PLAIN, CONTROL):
            rows.append((workload.name, name, "", *told(seconds, name), ""))
        for variant in of_it:
            told_of = told(seconds, variant.name)
            rows.append((workload.name, variant.name, variant.holds, *told_of, verdict(variant, seconds)))
    return Section(
        title=f"{title}: one worker, median (quartiles) of the rounds",
        columns=("model", "loop", "a shard holds", "µs per step", "ratio to bare", "to Loopwright", "target, to bare"),
        rows=rows,
        notes=(),
        data=data,
    )


def timed(workload: Workload, variants: list[Variant]) -> dict[str, list[float]]:
    """Seconds per step, by rounds, of the bare loop, of the engine twice, and of each variant."""
    changed = {variant.name: partial(journalled, **variant.changes) for variant in variants}
    return raced(workload, {BARE: bare, PLAIN: journalled, CONTROL: journalled, **changed})


def told(seconds: Mapping[str, list[float]], name: str) -> tuple[str, str, str]:
    """A step's time, and how many times that of the loop by hand and of the engine without the variant."""
    of_it = seconds[name]
    compared = (ratios(of_it, seconds[BARE]).shown(3), ratios(of_it, seconds[PLAIN]).shown(3))
    return (Spread.of(of_it).scaled(1e6).shown(0), *compared)


def verdict(variant: Variant, seconds: Mapping[str, list[float]]) -> str:
    """Whether a shard that is large enough costs as little as is said, against the plain loop."""
    if not variant.bounded:
        return ""
    ratio = ratios(seconds[variant.name], seconds[BARE]).median
    return f"at most {variant.workload.target}: {'met' if ratio <= variant.workload.target else 'MISSED'}"


def shards(*, quick: bool) -> Section:
    """Logical shards against none."""
    return measure("logical shards", SHARDS, quick=quick)


def strict(*, quick: bool) -> Section:
    """The deterministic mode against the default."""
    return measure("--deterministic", STRICT, quick=quick)
