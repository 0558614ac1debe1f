"""`loopwright bisect RUN_A RUN_B`: where two runs part, in what, and why."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from textwrap import wrap

from loopwright.cli.again import Again
from loopwright.cli.alone import refuse_workers
from loopwright.cli.parsing import parser
from loopwright.cli.tables import table
from loopwright.errors import printable
from loopwright.lines import Record, finite, same_number
from loopwright.matching.histories import Parting
from loopwright.rerunning.bisect import Bisection, bisect
from loopwright.rerunning.causes import SIDES, Replays, short
from loopwright.rerunning.differences import digits
from loopwright.rerunning.replay import numbers

ABOUT = """\
Find the first step at which two runs part, do it again in both, and name the first thing that differs and its cause.
The run directories are only read.

  loopwright bisect runs/digits-cnn/001 runs/digits-cnn/002

Exit codes: 0 the runs are equal as far as both go, 1 they part.
"""
MOST_CHANGES = 24
MOST_LETTERS = 10_000_000
WIDTH = 110


def run(arguments: list[str]) -> int:
    """Bisect two runs and print what was found."""
    options = parser("bisect", ABOUT)
    options.add_argument("a", type=Path, metavar="RUN_A", help="a run directory")
    options.add_argument("b", type=Path, metavar="RUN_B", help="another one")
    options.add_argument("--experiment-a", help="names the experiment of RUN_A again where it is your own")
    options.add_argument("--experiment-b", help="names that of RUN_B again; a run keeps its file as source.py")
    options.add_argument("--json", action="store_true", help="as JSON")
    options.add_argument("--quiet", action="store_true", help="no progress on stderr")
    parsed = options.parse_all(arguments)
    refuse_workers("bisect")
    with Again(quiet=parsed.quiet) as console:
        watchers = console.watching(SIDES[0]), console.watching(SIDES[1])
        found = bisect(parsed.a, parsed.b, (parsed.experiment_a, parsed.experiment_b), watchers)
    shown = json.dumps(finite(found.as_json()), indent=2, default=str) if parsed.json else "\n".join(page(found))
    print(printable(shown, MOST_LETTERS))
    return 1 if found.part else 0


def page(found: Bisection) -> Iterator[str]:
    """All that was found, line by line."""
    yield f"A  {found.a}"
    yield f"B  {found.b}"
    yield ""
    if found.unrelated:
        yield "these are two different experiments; no step is done again\n"
    yield from records(found)
    yield ""
    yield sentence("steps", found.steps)
    yield sentence("validations", found.validations)
    if found.steps.a and found.steps.b:
        yield table(list(apart(found.steps.a, found.steps.b)), right=frozenset({1, 2}))
    for side, refusal in zip(SIDES, found.refusals, strict=True):
        if refusal:
            yield f"\n{side} cannot be done again here: {refusal}"
    if found.replays:
        yield ""
        yield from replayed(found.replays, found.steps.step)
    for cause in found.causes:
        yield ""
        yield f"cause   {cause.name}"
        yield from paragraph("", cause.evidence)
        yield from paragraph("remedy", cause.remedy)


def paragraph(head: str, text: str, indent: int = 8) -> list[str]:
    """A text in lines of readable length, behind its head."""
    return wrap(text, WIDTH, initial_indent=head.ljust(indent), subsequent_indent=" " * indent, break_on_hyphens=False)


def records(found: Bisection) -> Iterator[str]:
    """In what the records differ."""
    if not found.changes:
        yield "the records differ in nothing that bits depend on"
        return
    rows = [(change.part, change.name, short(change.a), short(change.b)) for change in found.changes]
    yield table([("records differ in", "", "A", "B"), *rows[:MOST_CHANGES]])
    if len(rows) > MOST_CHANGES:
        yield f"and {len(rows) - MOST_CHANGES} more; --json has all"


def sentence(kind: str, parting: Parting) -> str:
    """How far two histories agree."""
    if parting.step:
        return f"{kind}: they part at step {parting.step}, {parting.agreed} before it are equal"
    if parting.equal:
        return f"{kind}: all {parting.agreed} are equal in every bit"
    if not parting.agreed:
        return f"{kind}: none that both have; A has {parting.a_total}, B {parting.b_total}"
    both = f"the {parting.agreed} that both have are equal in every bit"
    return f"{kind}: {both}; A has {parting.a_total}, B {parting.b_total}"


def apart(a: Record, b: Record) -> Iterator[tuple[str, ...]]:
    """The recorded numbers of a step in which two runs differ."""
    yield "", "A", "B"
    ours, theirs = dict(numbers(a)), dict(numbers(b))
    for name in {**ours, **theirs}:
        if not same_number(ours.get(name), theirs.get(name)):
            yield f"  {name}", *(digits(side.get(name)) for side in (ours, theirs))


def replayed(replays: Replays, parted: int) -> Iterator[str]:
    """What was found by doing the step again."""
    earlier = f": what it left behind was seen at step {parted}" if replays.step < parted else ""
    yield f"step {replays.step} done again in both{earlier}"
    for side, origin, reproduced in zip(SIDES, replays.origins, replays.reproduced, strict=True):
        yield f"  {side} from {origin}: {'gives' if reproduced else 'does NOT give'} what {side} recorded"
    for side, repeated, fresh in zip(SIDES, replays.repeated, replays.fresh, strict=True):
        if repeated:
            always = ", though always the same from a fresh start" if fresh else ""
            yield f"  {side} once more, from the weights, buffers and optimizer before that step: other bits{always}"
    if replays.difference is None and any(replays.repeated):
        begun = "from a fresh start" if any(replays.fresh) else "once more"
        yield f"  {begun}, both give the same, in every bit"
    elif replays.difference is None:
        yield "  both give the same here, in every bit"
    else:
        yield f"  first difference  {replays.difference.layer}, {replays.difference.name}"
        yield from paragraph("", replays.difference.text, 20)
