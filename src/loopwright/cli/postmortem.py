"""`loopwright postmortem RUN`: what went wrong in a run, and what the runs and labs beside it teach."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from textwrap import wrap

from tqdm import tqdm

from loopwright.cli.parsing import parser
from loopwright.errors import UsageError, printable
from loopwright.lines import finite
from loopwright.postmortem import Answer, Postmortem, examine
from loopwright.postmortem.writing import NAME, write

ABOUT = """\
What went wrong in a run: what failed, when, the evidence, the cause, the fix, how to verify it. Then five questions,
answered from the runs beside it and from the fault labs, each statement with a run and a number: what a healthy curve,
divergence and overfitting look like, which part of the loop matters most, where to look first. Where there is no
evidence yet, it says which command gives it.

Writes postmortem.md and postmortem.html into the run. Words of yours in postmortem.md stay.
"""
WIDTH = 110


def run(arguments: list[str]) -> int:
    """Examine, write, print the short version."""
    options = parser("postmortem", ABOUT, usage="loopwright postmortem RUN [--lab DIR …] [--json]")
    options.add_argument("run", type=Path, help="a run directory, runs/digits-cnn/latest say")
    where = "labs of loopwright break (lab, here or beside the runs)"
    options.add_argument("--lab", type=Path, nargs="+", action="extend", metavar="DIR", help=where)
    options.add_argument("--json", action="store_true", help="print everything as JSON")
    parsed = options.parse_all(arguments)
    for place in parsed.lab or []:
        if not place.is_dir():
            raise UsageError(f"--lab: {place} is no directory; loopwright break makes one, lab/NAME/001 say")
    found = examine(parsed.run, parsed.lab, reading)
    kept = write(found)
    for name in kept:
        print(f"{found.run / NAME}: the answer '{name}' was changed by hand and stays as it is", file=sys.stderr)
    if parsed.json:
        print(json.dumps(finite(found.as_dict()), indent=2))
    else:
        print(printable("\n".join(short(found)), 100_000))
    return 0


def reading(runs: Sequence[Path]) -> Iterator[Path]:
    """The runs, with a bar on stderr where it takes longer than a second."""
    yield from tqdm(runs, "reading", file=sys.stderr, disable=None, leave=False, delay=1)


def short(found: Postmortem) -> Iterator[str]:
    """The first statement of each answer, or what is lacking with the command that gives it; where the rest is."""
    length = f", {found.steps:,} step{'s' * (found.steps != 1)}" if found.steps else ""
    yield f"{found.run}  {found.status}{length}"
    for note in found.notes:
        yield f"  incomplete: {note}"
    for answer in found.answers:
        yield ""
        yield answer.question
        yield from lines_of(answer)
    yield ""
    yield f"page {found.run / 'postmortem.html'}"
    yield str(found.run / NAME)


def lines_of(answer: Answer) -> Iterator[str]:
    """An answer in a few lines."""
    if answer.lack:
        yield from wrap(answer.lack, WIDTH, initial_indent="  ", subsequent_indent="  ", break_on_hyphens=False)
    for one in answer.statements[:2]:
        yield from wrap(
            f"{one.text} ({one.run})", WIDTH, initial_indent="  ", subsequent_indent="  ", break_on_hyphens=False
        )
    if len(answer.statements) > 2:
        yield f"  … and {len(answer.statements) - 2} more"
    for command in answer.commands if answer.lack or answer.name == "fix" else ():
        yield f"  $ {command.line}"
