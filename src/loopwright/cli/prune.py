"""`loopwright prune [RUN…]`: frees disk. Says what it would delete; deletes it with --yes."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from loopwright.catalogue.index import found_below
from loopwright.catalogue.pruning import Plan, carry_out, parts_of, plan
from loopwright.cli.parsing import parser
from loopwright.cli.tables import table
from loopwright.errors import LoopwrightError, RunError, StoreError, UsageError, printable
from loopwright.journal.lock import being_trained
from loopwright.journal.runs import check_contents, open_run
from loopwright.labels import labels_of

DESCRIPTION = """Free disk: delete checkpoints that are neither the best of a run nor its newest good one.

Of archived runs, with --archived, the newest goes too; their best and their record stay. Nothing is deleted without
--yes, no link is followed, and a run that is being trained is refused."""


def run(arguments: list[str]) -> int:
    """Print what goes and how many bytes; 1 where something could not be deleted."""
    options = parser("prune", DESCRIPTION)
    options.add_argument("runs", nargs="*", type=Path, metavar="RUN", help="of these runs alone; else of all")
    options.add_argument("--keep", type=int, default=1, metavar="N", help="so many of the newest good ones stay (1)")
    options.add_argument("--archived", action="store_true", help="of archived runs keep the best alone")
    options.add_argument("--yes", action="store_true", help="delete; without it, only say what would be deleted")
    options.add_argument("--dry-run", action="store_true", help="only say what would be deleted, as without --yes")
    options.add_argument("--run-dir", type=Path, default=Path("runs"), metavar="DIR", help="where the runs lie (runs)")
    options.add_argument("--json", action="store_true", help="as JSON")
    parsed = options.parse_all(arguments)
    if parsed.keep < 1:
        raise UsageError(f"--keep {parsed.keep}: must be at least 1, for a run is resumed from its newest checkpoint")
    deleting = parsed.yes and not parsed.dry_run
    named = [inside(open_run(path, parsed.run_dir), parsed.run_dir) for path in parsed.runs]
    for part in (part for each in named for part in parts_of(each)):
        refuse(part)
    # All runs have the members of a sweep among them already, as the parts of the sweep are.
    meant = named or all_runs(parsed.run_dir)
    parts = list(dict.fromkeys(part for each in meant for part in parts_of(each)))
    done = [pruned(part, keep_of(part, parsed), deleting=deleting) for part in watched(parts)]
    if parsed.json:
        print(json.dumps([as_json(made, freed) for made, freed in done if made.doomed or made.remarks], indent=2))
    else:
        show(done)
    files, freed = sum(len(made.doomed) for made, _ in done), sum(freed for _, freed in done)
    what = f"{files:,} file{'s' * (files != 1)}, {size(freed)}"
    print(f"{what} freed" if deleting else f"{what} would be freed; --yes deletes them", file=sys.stderr)
    return 1 if any(made.failed for made, _ in done) else 0


def refuse(run: Path) -> None:
    """Raise RunError where a run is being trained, or something in it leads out of it."""
    if being_trained(run):
        raise RunError(f"{run}: is being trained; wait until it is done, or stop it first")
    check_contents(run)


def inside(run: Path, root: Path) -> Path:
    """`run` as it lies below `root`. Raises RunError where it does not."""
    below = os.path.relpath(os.path.realpath(run), os.path.realpath(root))
    if below.split(os.sep)[0] in ("..", "."):
        raise RunError(f"{run}: does not lie in {root}; name the directory of its runs with --run-dir")
    return root / below


def all_runs(root: Path) -> list[Path]:
    """The runs below `root`, but for those that a link leads to, wherever it is on the way."""
    home = os.path.realpath(root)
    names = [name for name in found_below(root) if os.path.realpath(root / name) == os.path.join(home, name)]
    return [root / name for name in names if os.path.isdir(root / name)]


def keep_of(run: Path, parsed: argparse.Namespace) -> int:
    """How many of the newest checkpoints stay: none of an archived run, where that is asked for."""
    return 0 if parsed.archived and labels_of(run).archived else int(parsed.keep)


def watched(parts: list[Path]) -> Iterable[Path]:
    """The runs one by one, with a bar on a terminal."""
    if not sys.stderr.isatty():
        return parts
    from tqdm import tqdm

    bar: Iterable[Path] = tqdm(parts, desc="reading checkpoints", unit="run", leave=False, delay=2)
    return bar


def pruned(run: Path, keep: int, *, deleting: bool) -> tuple[Plan, int]:
    """What goes of a run, or would, and how many bytes are free then; it is left alone where it has to be."""
    made = plan(run, keep=keep)
    freed = sum(made.bytes_of(file) for file in made.doomed)
    try:
        if made.doomed:
            refuse(run)
        if deleting:
            freed = carry_out(made)
    except LoopwrightError as error:
        made.remarks.append(str(error))
        made.failed = isinstance(error, StoreError)  # in the midst of it; after a refusal nothing was touched
        gone = [file for file in made.doomed if not os.path.lexists(made.directory / file.name)]
        made.doomed = gone if made.failed else []
        freed = sum(made.bytes_of(file) for file in made.doomed)
    return made, freed


def show(done: Sequence[tuple[Plan, int]]) -> None:
    """The files on stdout, each with its bytes; on stderr what is left alone and why."""
    rows = [(size(made.bytes_of(file)), str(made.directory / file.name)) for made, _ in done for file in made.doomed]
    if rows:
        print(table(rows, right=frozenset({0})))
    for remark in (remark for made, _ in done for remark in made.remarks):
        print(printable(f"left alone: {remark}"), file=sys.stderr)


def as_json(made: Plan, freed: int) -> dict[str, object]:
    """What goes of one run."""
    return {
        "run": str(made.run),
        "files": [str(made.directory / file.name) for file in made.doomed],
        "bytes": freed,
        "left_alone": made.remarks,
    }


def size(count: int) -> str:
    """Bytes for people: `12.3 MB`; of a second name of a file that stays, nothing."""
    for unit, factor in (("GB", 10**9), ("MB", 10**6), ("kB", 10**3)):
        if count >= factor:
            return f"{count / factor:.1f} {unit}"
    return f"{count} B"
