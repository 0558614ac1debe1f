"""The list of all runs, and the index that makes it fast: an sqlite file in runs/.loopwright.

The index is derived from the run directories. It can be deleted at any time; where it cannot be read or written, the
runs are read instead. Two processes may use it at once: whoever comes later waits a little, or goes without.
"""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Callable, Iterable, Sequence
from contextlib import closing, suppress
from pathlib import Path

from loopwright.catalogue.entries import Entry
from loopwright.catalogue.facts import COMPLETE, KEYS, facts_of
from loopwright.catalogue.signature import letters_of, settled, stamps, unchanged
from loopwright.derived import HIDDEN, NUMBER, make_folder
from loopwright.errors import UsageError
from loopwright.journal.lock import in_hands
from loopwright.journal.runs import SWEPT
from loopwright.values import table

VERSION = 1
WAIT_SECONDS = 2.0
FIRST_FILES = ("config.toml", "metrics.json", "env.json")

Row = Sequence[str]
"""Signature, facts and configuration of a run, as they stand in the index."""

Watch = Callable[[Sequence[str]], Iterable[str]]
"""Shown the names of the runs that have to be read, one by one as they are."""


def entries(root: Path, watch: Watch = lambda names: names) -> list[Entry]:
    """The runs below `root` by experiment and number. Raises UsageError where `root` cannot be read.

    A run that goes on is shown as far as it is; one that is deleted meanwhile is left out.
    """
    names = found_below(root)
    index = Index(root) if names else None
    known = index.rows() if index else {}
    found: dict[str, Entry] = {}
    for name in names:
        row = known.get(name)
        if row is not None and unchanged(f"{root}/{name}", row[0]) and (entry := entry_of(root, name, row)):
            found[name] = entry
    news: dict[str, Row] = {}
    for name in watch([name for name in names if name not in found]):
        if (row := looked_at(root / name)) is not None and (entry := entry_of(root, name, row)):
            news[name], found[name] = row, entry
    if index:
        index.update(news, gone=known.keys() - found.keys())
    return [found[name] for name in names if name in found]


def found_below(root: Path) -> list[str]:
    """The names of the runs below `root`, `NAME/NNN`, by experiment and number; behind a sweep those of its members.

    Raises UsageError where `root` is no directory that can be read.
    """
    try:
        experiments = sorted(each.name for each in os.scandir(root) if each.is_dir() and each.name != HIDDEN)
    except FileNotFoundError:
        return []
    except OSError as error:
        raise UsageError(f"{root}: cannot be read ({error.strerror}); name a directory of runs") from error
    found = []
    for experiment in experiments:
        numbers = numbered_in(root, experiment)
        found += numbers
        if experiment.endswith(SWEPT):
            for sweep in numbers:
                found += [run for member in members_of(root / sweep) for run in numbered_in(root, f"{sweep}/{member}")]
    return found


def numbered_in(root: Path, folder: str) -> list[str]:
    """The names of the numbered runs in a folder of `root`."""
    with suppress(OSError):
        numbers = [each.name for each in os.scandir(root / folder) if NUMBER.fullmatch(each.name)]
        return [f"{folder}/{number}" for number in sorted(numbers, key=int)]
    return []


def members_of(sweep: Path) -> list[str]:
    """The folders of a sweep's members, below it."""
    with suppress(OSError):
        return sorted(f"members/{each.name}" for each in os.scandir(sweep / "members") if each.is_dir())
    return []


def looked_at(run: Path) -> Row | None:
    """The row of a run, read from its files; None where it is none, or no longer there."""
    before = stamps(run, "dcmnth")
    if not any(os.path.isfile(run / name) for name in FIRST_FILES):
        return None
    facts, config = facts_of(run)
    finished = facts["status"] == COMPLETE or facts["members"] is not None
    signature = stamps(run, letters_of(run, finished=finished))
    steady = stamps(run, "dcmnth") == before and settled(before)
    return (signature if steady else "", json.dumps(facts), json.dumps(config)) if os.path.isdir(run) else None


def entry_of(root: Path, name: str, row: Row) -> Entry | None:
    """The run of a row, its status as it is now: one that says it is running, while no process holds it, was killed.

    None where the row is none of ours.
    """
    try:
        facts = table(json.loads(row[1]))
    except (ValueError, RecursionError):
        return None
    if not facts.keys() >= KEYS:
        return None
    run = root / name
    if facts["status"] == "running" and not in_hands(run):
        facts["status"] = "killed"
    return Entry(run, name, facts, row[2])


class Index:
    """The rows of all runs below a root, by name; none where the file is none of ours, or cannot be used."""

    def __init__(self, root: Path) -> None:
        self.usable = make_folder(root) is not None
        self.path = root / HIDDEN / "index.sqlite"

    def connect(self) -> sqlite3.Connection:
        """Open the file. Raises sqlite3.Error where that fails."""
        if not self.usable or self.path.is_symlink():
            raise sqlite3.OperationalError("there is no place for it")
        connection = sqlite3.connect(self.path, timeout=WAIT_SECONDS)
        connection.execute("PRAGMA trusted_schema = OFF")
        return connection

    def rows(self) -> dict[str, Row]:
        """What is known of the runs."""
        with suppress(sqlite3.Error), closing(self.connect()) as connection:
            if connection.execute("PRAGMA user_version").fetchone() == (VERSION,):
                found = connection.execute("SELECT name, signature, facts, config FROM runs").fetchall()
                return {os.fsdecode(name): row for name, *row in found if all(isinstance(text, str) for text in row)}
        return {}

    def update(self, news: dict[str, Row], gone: Iterable[str]) -> None:
        """Write down what has changed; nothing happens where that cannot be written."""
        if not (news or gone):
            return
        try:
            self.write(news, gone)
        except sqlite3.OperationalError:
            return
        except sqlite3.DatabaseError:
            # No database, or a damaged one: it is made anew.
            with suppress(OSError, sqlite3.Error):
                self.path.unlink()
                self.write(news, gone)

    def write(self, news: dict[str, Row], gone: Iterable[str]) -> None:
        """`update`, where it can be done. Raises sqlite3.Error where not."""
        with closing(self.connect()) as connection, connection:
            connection.execute("BEGIN IMMEDIATE")
            if connection.execute("PRAGMA user_version").fetchone() != (VERSION,):
                connection.execute("DROP TABLE IF EXISTS runs")
                connection.execute("CREATE TABLE runs (name BLOB PRIMARY KEY, signature, facts, config) WITHOUT ROWID")
                connection.execute(f"PRAGMA user_version = {VERSION}")
            connection.executemany("DELETE FROM runs WHERE name = ?", [(os.fsencode(name),) for name in gone])
            rows = [(os.fsencode(name), *row) for name, row in news.items() if row[0]]
            connection.executemany("INSERT OR REPLACE INTO runs VALUES (?, ?, ?, ?)", rows)
