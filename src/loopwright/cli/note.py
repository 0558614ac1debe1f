"""`loopwright note RUN [TEXT]`: what you think of a run, in notes.md of its directory, which is yours to edit."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path

from loopwright.cli.parsing import parser
from loopwright.errors import UsageError, printable
from loopwright.journal.runs import open_run
from loopwright.labels import NOTES, add_note, labels_of


def run(arguments: list[str]) -> int:
    """Append a note to a run, or print what there is."""
    options = parser("note", f"Append a line to a run's {NOTES}, with the date; without TEXT print it.")
    options.add_argument("run", type=Path, help="a run: its directory, or digits-cnn/latest below runs/")
    options.add_argument("text", nargs="*", help="what to write")
    parsed = options.parse_all(arguments)
    directory = open_run(parsed.run, sweeps=True)
    text = " ".join(parsed.text)
    if parsed.text and not text.strip():
        raise UsageError("note: the text is empty; leave it out to see what is written")
    if parsed.text:
        add_note(directory, text)
        print(directory / NOTES)
    elif notes := labels_of(directory).notes:
        print(printable(notes, 1_000_000))
    else:
        print(
            f"no notes on {directory}; write one: "
            f"loopwright note {shlex.quote(str(directory))} 'overfits from step 300'",
            file=sys.stderr,
        )
    return 0
