"""`loopwright replay RUN --step N`: one step of a run done again, compared with its record, and shown."""

from __future__ import annotations

import json
from collections.abc import Iterator
from math import inf, isfinite
from pathlib import Path
from textwrap import wrap
from typing import Any

from loopwright.cli.again import Again
from loopwright.cli.alone import refuse_workers
from loopwright.cli.parsing import Parser, parser
from loopwright.cli.tables import table
from loopwright.errors import UsageError, printable, some
from loopwright.journal import open_run
from loopwright.lines import finite
from loopwright.rerunning.capture import everything
from loopwright.rerunning.causes import short
from loopwright.rerunning.differences import digits
from loopwright.rerunning.keeping import free_directory, keep
from loopwright.rerunning.replay import Recomputed, Replay, replay
from loopwright.rerunning.trace import unwatched

ABOUT = """\
Do one step of a run again, from the nearest earlier checkpoint, and compare it with what was recorded, bit for bit.
Steps are counted from 1, as in logs/history.jsonl. Of a run that failed or was stopped, the step after the last can be
done too: the one that broke it. The run directory is only read. --capture keeps what each module
gave in the step; of a compiled model, what the whole gave. `torch.load(FILE, weights_only=True)["tensors"]` loads a
file of it, index.json says what is where; only attention is drawn.

  loopwright replay runs/digits-cnn/latest --step 100
  loopwright replay runs/digits-cnn/latest --step 100 --capture activations

Exit codes: 0 everything recorded is equal, or nothing is recorded; 1 something differs.
"""
MOST_ROWS = 12
MOST_LETTERS = 10_000_000
WIDTH = 110
FAR = 1_000_000
"""Differences of more units than this say nothing more than the relative one."""


def run(arguments: list[str]) -> int:
    """Replay a step and print it."""
    parsed = options().parse_all(arguments)
    refuse_workers("replay")
    if parsed.samples < 0:
        raise UsageError(f"--samples: received {parsed.samples}, it must be 0 or more")
    capture = parsed.capture and free_directory(parsed.capture, open_run(parsed.run))
    with Again(quiet=parsed.quiet) as console:
        done = replay(
            parsed.run,
            parsed.step,
            reference=parsed.experiment,
            watching=everything if capture else unwatched,
            watchers=console.watching(str(parsed.run)),
            samples=parsed.samples,
        )
    index = keep(done.trace, capture) if capture else None
    if parsed.json:
        print(json.dumps(finite({**done.as_json(), "capture": index and str(capture)}), indent=2))
    else:
        lines = [*page(done, every=parsed.all), *([captured(capture, index)] if index else [])]
        print(printable("\n".join(lines), MOST_LETTERS))
    return 0 if done.equal else 1


def options() -> Parser:
    """The verb's arguments."""
    made = parser("replay", ABOUT)
    made.add_argument("run", type=Path, help="a run directory, runs/digits-cnn/latest say")
    made.add_argument("--step", type=int, metavar="N", required=True, help="which step, from 1")
    made.add_argument("--samples", type=int, metavar="N", default=3, help="how many samples of a shard are shown (3)")
    made.add_argument(
        "--all", action="store_true", help="every parameter, in the model's order, and all sample numbers"
    )
    made.add_argument(
        "--capture",
        type=Path,
        metavar="DIR",
        help="keep modules' outputs and attention maps in a new directory",
    )
    made.add_argument("--experiment", help="names the experiment again where it is your own")
    made.add_argument("--json", action="store_true", help="as JSON")
    made.add_argument("--quiet", action="store_true", help="no progress on stderr")
    return made


def page(done: Replay, *, every: bool) -> Iterator[str]:
    """All that is shown of a step, line by line."""
    between = done.step - 1 - done.began
    again = f", {between} step{'s' * (between > 1)} in between done again too" if between else ""
    yield f"{done.run}  step {done.step}, from {done.origin}{again}"
    yield ""
    yield from unrecorded(done) if done.missing else beside(done)
    if done.elsewhere:
        cells = [(change.name, short(change.a), short(change.b)) for change in done.elsewhere[:MOST_ROWS]]
        yield "\n" + table([("this is not where it was recorded", "then", "now"), *cells])
    if done.hint:
        yield ""
        yield from wrap(done.hint, WIDTH)
    if not done.shows:
        yield "\nthe task has no `show(batch, row)`: samples are told by their numbers alone"
    for place, (shard, shown) in enumerate(zip(done.trace.shards, done.content, strict=True)):
        yield ""
        count, numbers = len(shard), some(shard.samples.tolist(), 10**9 if every else 12)
        yield f"shard {place}: {count} sample{'s' * (count != 1)}, number{'s' * (count != 1)} {numbers}"
        yield from contents(shard.samples.tolist(), shown)
    yield ""
    yield from parameters(done, every=every)


def beside(done: Replay) -> Iterator[str]:
    """The numbers that were recorded and those that were computed now."""
    rows = [(n.name, digits(n.recorded), digits(n.replayed), verdict(n)) for n in done.numbers]
    yield table([("", "recorded", "replayed", ""), *rows], right=frozenset({1, 2}))
    yield "every recorded number is equal in every bit" if done.equal else "the step is NOT what was recorded"


def unrecorded(done: Replay) -> Iterator[str]:
    """The numbers of a step that the record does not have, and whether it breaks here."""
    yield from wrap(done.missing, WIDTH)
    yield ""
    yield table([("", "replayed"), *((n.name, digits(n.replayed)) for n in done.numbers)], right=frozenset({1}))
    if done.trace.broke:
        told = f"it breaks here{' too' * bool(done.failed)}: {done.trace.broke}"
        yield from (line for part in told.splitlines() for line in wrap(part, WIDTH))
    elif done.failed:
        yield from wrap(f"here the step does NOT break; the run ended with: {done.failed}", WIDTH)


def verdict(found: Recomputed) -> str:
    """Whether a number is equal, or by how much it differs."""
    if found.equal:
        return "equal"
    units = f"{found.ulps:,} ulp, " if found.ulps is not None and found.ulps < FAR else ""
    return f"DIFFERS by {units}{found.relative:.2g} relative"


def contents(samples: list[int], shown: tuple[str, ...]) -> Iterator[str]:
    """Samples as their task shows them: below each other, pictures beside each other as far as they fit."""
    blocks = [[f"no. {sample}", *text.splitlines()] for sample, text in zip(samples, shown, strict=False)]
    if all(len(block) == 2 for block in blocks):
        yield from (f"  {head}  {line}" for head, line in blocks)
        return
    row: list[list[str]] = []
    for block in blocks:
        if row and sum(wide(one) + 3 for one in [*row, block]) > WIDTH:
            yield from side_by_side(row)
            row = []
        row.append(block)
    yield from side_by_side(row)


def wide(block: list[str]) -> int:
    """The length of the longest line."""
    return max(len(line) for line in block)


def side_by_side(blocks: list[list[str]]) -> Iterator[str]:
    """Blocks of lines beside each other."""
    for number in range(max((len(block) for block in blocks), default=0)):
        cells = [(block[number] if number < len(block) else "").ljust(wide(block)) for block in blocks]
        yield ("  " + "   ".join(cells)).rstrip()


def parameters(done: Replay, *, every: bool) -> Iterator[str]:
    """A row for each parameter, those with the largest gradients first; with `every` all, in the order of the model."""
    rows = done.moved()
    shown = (
        rows if every else sorted(rows, key=lambda row: -row.gradient if isfinite(row.gradient) else -inf)[:MOST_ROWS]
    )
    head = ("parameter", "shape", "gradient norm", "weight norm", "update/weight")
    cells = [(row.name, "x".join(map(str, row.shape)) or "1", row.gradient, row.weight, row.relative) for row in shown]
    yield table([head, *cells], right=frozenset({2, 3, 4}))
    if len(shown) < len(rows):
        yield f"the {len(shown)} largest gradients (before clipping) of {len(rows)}; --all shows all"


def captured(directory: Path, index: dict[str, Any]) -> str:
    """What was kept, in a line."""
    maps = sum(entry["kind"] == "attention map" for entry in index["entries"])
    bad = [f"{entry['module'] or 'the model'} ({entry['kind']})" for entry in index["entries"] if entry["not_finite"]]
    outputs = len(index["entries"]) - maps
    warning = f"; {len(bad)} hold elements that are not finite, first {bad[0]}" if bad else ""
    counts = f"{outputs} output{'s' * (outputs != 1)} and {maps} attention map{'s' * (maps != 1)}"
    return f"\n{directory}  {counts}, index.json lists them{warning}"
