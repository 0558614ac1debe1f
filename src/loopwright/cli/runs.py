"""`loopwright runs`: the runs there are, filtered, sorted, grouped; a listing never reads whole histories."""

from __future__ import annotations

import argparse
import json
import re
import shlex
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TypeVar

from loopwright.catalogue.entries import Entry, known_names
from loopwright.catalogue.groups import Group, grouped
from loopwright.catalogue.index import entries
from loopwright.catalogue.order import check_names, declared_modes, downwards, ordered, where
from loopwright.catalogue.parser import parse
from loopwright.catalogue.where import names_in
from loopwright.cli.listing import as_json, group_as_json, group_table, run_table
from loopwright.cli.parsing import Parser, parser
from loopwright.errors import UsageError, nearest

Item = TypeVar("Item")

STOPPED = ("interrupted", "killed")
LIMIT = 50
BAR_FROM = 500
"""So many runs that have to be read are worth a bar."""

DESCRIPTION = """The runs there are, newest first, with their results.

names in --where, --sort and --columns:
  val.accuracy          a metric of train, val or test, at the best weights
  last.val.accuracy     the same at the last weights
  optimizer.lr, epochs  any field of the configuration (config.steps where a name below is meant otherwise)
  run experiment status steps epochs best_step loss seed parameters seconds started metric claims findings tags notes
  archived reason members

for example
  loopwright runs --where "val.accuracy > 0.9 and optimizer.lr < 1e-2" --sort val.loss
  loopwright runs --experiment digits-cnn --groups
  loopwright runs --where "status == failed or tags == overfits" --columns started,reason,notes"""


def options() -> Parser:
    """What the command takes."""
    made = parser("runs", DESCRIPTION)
    add = made.add_argument
    add("--where", action="append", default=[], metavar="CONDITION", help="comparisons with and, or, not, ( )")
    add("--sort", metavar="NAME", help="best first for a metric, else ascending; -NAME for the other way")
    add("--experiment", action="append", default=[], metavar="NAME", help="of this experiment; may be given again")
    add("--tag", action="append", default=[], metavar="TAG", help="with this tag; several: with all of them")
    add("--archived", action="store_true", help="archived runs too")
    add("--limit", type=int, metavar="N", help=f"at most so many ({LIMIT}; with --json all)")
    add("--all", action="store_true", help="all of them")
    add("--columns", type=lambda text: text.split(","), metavar="NAME,…", help="what to show beside the run")
    add("--groups", action="store_true", help="runs that differ by seed alone as one: n, mean, standard deviation")
    add("--names", action="store_true", help="print the names that --where, --sort and --columns know here")
    add("--run-dir", type=Path, default=Path("runs"), metavar="DIR", help="where to look (runs)")
    add("--json", action="store_true", help="as JSON")
    return made


def run(arguments: list[str]) -> int:
    """Print a line for each run, or each group."""
    parsed = options().parse_all(with_signs(arguments))
    if parsed.limit is not None and parsed.limit < 1:
        raise UsageError(f"--limit {parsed.limit}: must be at least 1; --all shows all of them")
    found = entries(parsed.run_dir, reading_bar)
    if parsed.names:
        print("\n".join(sorted(known_names(found))))
        return 0
    chosen = selected(found, parsed)
    if parsed.groups:  # a sweep or a study is a group itself, and has no number of its own
        chosen = [entry for entry in chosen if entry.facts.get("members") is None]
    if parsed.groups and (chosen or parsed.json):
        return show_groups(grouped(chosen), parsed, declared_modes(found))
    shown = limited(sorted_by(chosen, parsed.sort, declared_modes(found)), parsed)
    if parsed.json:
        print(json.dumps([as_json(entry) for entry in shown], indent=2))
    elif not found:
        print(f"no runs in {parsed.run_dir}; make one: loopwright train digits-cnn --run-dir {parsed.run_dir}")
    elif not chosen:
        archived = sum(entry.archived for entry in found)
        hidden = f"; {archived} are archived, see --archived" if archived and not parsed.archived else ""
        print(f"none of {len(found):,} runs is meant{hidden}", file=sys.stderr)
    else:
        print(run_table(shown, parsed.columns, extra=asked_for(parsed)))
        left_out(len(chosen) - len(shown))
        go_on(shown)
    return 0


def go_on(shown: Sequence[Entry]) -> None:
    """Say how to go on with runs of the engine that were stopped or killed."""
    stopped = [one for one in shown if one.facts["status"] in STOPPED and "loopwright" in one.config]
    if stopped:
        more = f" ({len(stopped) - 1} more can be, too)" if len(stopped) > 1 else ""
        print(f"to go on with: loopwright resume {shlex.quote(str(stopped[0].path))}{more}", file=sys.stderr)


def with_signs(arguments: Sequence[str]) -> list[str]:
    """`--sort -val.loss` in one word, for argparse would take the name for a flag."""
    joined: list[str] = []
    for argument in arguments:
        if joined and joined[-1] == "--sort" and re.match("-[^-]", argument):
            joined[-1] = f"--sort={argument}"
        else:
            joined.append(argument)
    return joined


def reading_bar(names: Sequence[str]) -> Iterable[str]:
    """The names one by one, with a bar on a terminal where there are many."""
    if len(names) < BAR_FROM or not sys.stderr.isatty():
        return names
    from tqdm import tqdm

    bar: Iterable[str] = tqdm(names, desc="reading runs", unit="run", leave=False)
    return bar


def selected(found: Sequence[Entry], parsed: argparse.Namespace) -> list[Entry]:
    """The runs that the options mean. Raises UsageError where they name what there is not."""
    check_names(found, parsed.columns or [], "--columns")
    check_names(found, [parsed.sort.removeprefix("-")] if parsed.sort else [], "--sort")
    if found:
        check_chosen("experiment", parsed.experiment, {str(entry.facts["experiment"]) for entry in found})
        check_chosen("tag", parsed.tag, {tag for entry in found for tag in entry.tags})
    shown = [
        entry
        for entry in found
        if (parsed.archived or not entry.archived)
        and (not parsed.experiment or entry.facts["experiment"] in parsed.experiment)
        and set(parsed.tag) <= set(entry.tags)
    ]
    return where(shown, parsed.where, among=found)


def check_chosen(flag: str, chosen: Sequence[str], known: set[str]) -> None:
    """Raise UsageError, with the nearest, where something is chosen that no run has."""
    for name in chosen:
        if name not in known:
            raise UsageError(f"--{flag} {name!r}: no run has it, {nearest(name, known)}")


def asked_for(parsed: argparse.Namespace) -> list[str]:
    """What conditions and order speak of: it is shown beside the runs."""
    named = [name.text for text in parsed.where for name in names_in(parse(text))]
    return [*named, *([parsed.sort.removeprefix("-")] if parsed.sort else [])]


def limited(chosen: list[Item], parsed: argparse.Namespace) -> list[Item]:
    """As many as are to be shown."""
    limit = parsed.limit or (None if parsed.all or parsed.json else LIMIT)
    return chosen if parsed.all else chosen[:limit]


def sorted_by(chosen: Sequence[Entry], name: str | None, declared: dict[str, str]) -> list[Entry]:
    """The runs by what `name` stands for, the best first; without one the newest first."""
    newest = ordered(reversed(chosen), lambda entry: entry.facts.get("started"), descending=True)
    if not name:
        return newest
    key = name.removeprefix("-")
    return ordered(newest, lambda entry: entry.value(key), descending=downwards(key, declared) != (key != name))


def show_groups(groups: list[Group], parsed: argparse.Namespace, declared: dict[str, str]) -> int:
    """Print a line for each group, by the mean of what --sort names."""
    if parsed.sort:
        key = parsed.sort.removeprefix("-")
        descending = downwards(key, declared) != (key != parsed.sort)
        groups = ordered(groups, lambda group: group.value(key), descending=descending)
    shown = limited(groups, parsed)
    if parsed.json:
        print(json.dumps([group_as_json(group, parsed.columns) for group in shown], indent=2))
    else:
        print(group_table(shown, parsed.columns))
        left_out(len(groups) - len(shown))
    return 0


def left_out(count: int) -> None:
    """Say how many lines are missing."""
    if count > 0:
        print(f"… {count:,} more; --all shows all of them", file=sys.stderr)
