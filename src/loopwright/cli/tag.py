"""`loopwright tag RUN NAME… [--remove]`: words by which runs are found again: `loopwright runs --tag NAME`."""

from __future__ import annotations

from pathlib import Path

from loopwright.cli.parsing import parser
from loopwright.errors import UsageError, printable
from loopwright.journal.runs import open_run
from loopwright.labels import add_tags, labels_of, remove_tags


def run(arguments: list[str]) -> int:
    """Give a run tags or take them away; print those it has then, one a line."""
    options = parser("tag", "Give a run tags, words without space; without NAME print those it has.")
    options.add_argument("run", type=Path, help="a run: its directory, or digits-cnn/latest below runs/")
    options.add_argument("names", nargs="*", metavar="NAME", help="tags")
    options.add_argument("--remove", action="store_true", help="take them away")
    parsed = options.parse_all(arguments)
    directory = open_run(parsed.run, sweeps=True)
    if parsed.remove and not parsed.names:
        raise UsageError("tag --remove: which? name the tags after the run")
    if parsed.remove:
        remove_tags(directory, parsed.names)
    elif parsed.names:
        add_tags(directory, parsed.names)
    for tag in labels_of(directory).tags:
        print(printable(tag))
    return 0
