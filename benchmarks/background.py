"""What saving costs a training that goes on: the digest's share of a save, and what one adds to the steps beside it;
and what the keyed permutation costs a sample."""

from __future__ import annotations

import tempfile
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
import xxhash
from checkpoints import LAYERS, state, tensors_of
from timing import Section, Spread, interleaved, ratios, timed

from loopwright.data.permutation import Permutation
from loopwright.store import CheckpointStore

EVERY_SECONDS = 60.0
WORK_SECONDS = 1.0
ROUNDS = 9
SAVE, DIGEST, STALL = "save until durable", "digest of the bytes", "training stands still"
STILL, SAVING, CONTROL = "steps, nothing saved", "the same steps with one save", "steps, nothing saved (control)"


def measure(*, quick: bool) -> Section:
    """One table: a save's parts, and what it adds to a second of training."""
    torch.set_num_threads(1)
    content = state(1 if quick else LAYERS)
    size = sum(tensor.nbytes for tensor in tensors_of(content))
    whole = b"".join(tensor.numpy().tobytes() for tensor in tensors_of(content))
    with tempfile.TemporaryDirectory(dir="build") as root, CheckpointStore(Path(root)) as store:
        step, stalls = 0, []

        def save() -> None:
            nonlocal step
            step += 1
            stalls.append(timed(lambda: store.save(content, step, best=False)))

        def saved() -> None:
            save()
            store.wait()

        work = training(0.1 if quick else WORK_SECONDS)

        def both() -> None:
            save()
            work()

        saved()
        runs = {SAVE: saved, DIGEST: lambda: xxhash.xxh3_128(whole).digest(), STILL: work, CONTROL: work, SAVING: both}
        seconds: dict[str, list[float]] = {name: [] for name in runs}
        for name, of_rounds in interleaved(
            {name: partial(settled, one, store) for name, one in runs.items()}, 2 if quick else ROUNDS, "background"
        ).items():
            seconds[name] = of_rounds
    seconds[STALL] = stalls[1:]
    return table(seconds, size)


def settled(work: Any, store: CheckpointStore) -> float:
    """Seconds that `work` takes, begun when nothing is being written."""
    store.wait()
    return timed(work)


def training(seconds: float) -> Any:
    """Matrix products that take about `seconds`."""
    left, right = torch.randn(2, 512, 512)
    once = min(timed(lambda: left @ right) for _ in range(20))
    count = max(1, int(seconds / once))

    def work() -> None:
        for _ in range(count):
            torch.mm(left, right)

    return work


def table(seconds: dict[str, list[float]], size: int) -> Section:
    """The measurements and what follows for a save every minute."""
    names = (SAVE, DIGEST, STALL, STILL, CONTROL, SAVING)
    spreads = {name: Spread.of(seconds[name]) for name in names}
    rows = [(name, spreads[name].scaled(1e3).shown(1)) for name in names]
    digest = ratios(seconds[DIGEST], seconds[SAVE]).median
    stall = spreads[STALL].median / EVERY_SECONDS
    added = Spread.of([a - b for a, b in zip(seconds[SAVING], seconds[STILL], strict=True)])
    noise = Spread.of([a - b for a, b in zip(seconds[CONTROL], seconds[STILL], strict=True)])
    slowed = added.median / EVERY_SECONDS
    notes = (
        f"digesting is {digest:.1%} of a save (target: under 5 %): {verdict(digest < 0.05)}",
        f"a save every {EVERY_SECONDS:.0f} s holds training up for {stall:.3%} of the time (target: under 1 %): "
        f"{verdict(stall < 0.01)}",
        f"one save adds {added.scaled(1e3).shown(1)} ms to the steps beside it (control {noise.scaled(1e3).shown(1)}), "
        f"{slowed:.3%} of {EVERY_SECONDS:.0f} s (target: under 3 %): {verdict(slowed < 0.03)}",
    )
    data = {"bytes": size, "ms": {name: vars(spread.scaled(1e3)) for name, spread in spreads.items()}}
    return Section(
        title=f"saving {size / 1e6:.0f} MB in the background: median (quartiles) of {len(seconds[SAVE])} rounds",
        columns=("what", "ms"),
        rows=rows,
        notes=notes,
        data={**data, "digest_share": digest, "stall_share": stall, "slowdown_share": slowed},
    )


def verdict(holds: bool) -> str:
    """A target's end."""
    return "met" if holds else "MISSED"


def permutation(*, quick: bool) -> Section:
    """One table: nanoseconds of the keyed permutation for each sample of a bulk, and for one alone."""
    count = 10_000 if quick else 1_000_000
    rows: list[tuple[str, ...]] = []
    data: dict[str, Any] = {}
    for size in (1_000, 60_000, 1_000_000, 1_000_000_000, 10**12):
        shuffled, number = Permutation(size, key=1), min(size, count)
        positions = np.arange(number, dtype=np.int64)
        runs = {
            "bulk": lambda p=shuffled, x=positions: timed(lambda: p.take(x)) / len(x),
            "one": lambda p=shuffled: timed(lambda: [p.at(position) for position in range(500)]) / 500,
        }
        seconds = interleaved(runs, 3 if quick else ROUNDS, f"permutation of {size}")
        bulk, one = (Spread.of(seconds[name]).scaled(1e9) for name in runs)
        rows.append((f"{size:,}", f"{number:,}", bulk.shown(0), one.shown(0), verdict(bulk.median < 1_000)))
        data[str(size)] = {"bulk_ns": vars(bulk), "one_ns": vars(one)}
    return Section(
        title="keyed permutation, ns a sample",
        columns=("samples", "asked at once", "in bulk", "one by one", "bulk under 1 µs"),
        rows=rows,
        notes=(),
        data=data,
    )
